# make demo    annotate and filter 12 sample problems with a language model on this machine
# make test    every test, in an environment that this file makes
# make check   what a change must pass: format, lint, types, then every test
# make quality extraction quality on the held-out half of our gold (docs/quality.md), 15 minutes

PYTHON ?= python3
MODEL ?= embedded
OUT ?= demo-out
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable

.PHONY: demo test check lint model quality clean

.venv:
	$(PYTHON) -m venv .venv

.venv/installed-rules: pyproject.toml | .venv
	$(INSTALL) .
	touch $@

.venv/installed-embedded: pyproject.toml | .venv
	$(INSTALL) '.[embedded]'
	touch $@

.venv/installed-dev: pyproject.toml | .venv
	$(INSTALL) '.[embedded,dev]'
	touch $@

demo: .venv/installed-$(MODEL)
	$(if $(filter embedded,$(MODEL)),$(BIN)/pr1 doctor --fetch)
	$(BIN)/pr1 annotate data/sample --limit 12 --model $(MODEL) --output $(OUT)/annotated --overwrite
	$(BIN)/pr1 filter $(OUT)/annotated --output $(OUT)/train --overwrite

model: .venv/installed-dev
	$(BIN)/pr1 doctor --fetch

lint: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .

test: model
	$(BIN)/python -m pytest

check: lint test

quality: model
	$(BIN)/python bench/extraction_quality.py gold data/gold/held_out.jsonl --model embedded \
		--store $(OUT)/quality.sqlite

clean:
	rm -rf $(OUT) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
