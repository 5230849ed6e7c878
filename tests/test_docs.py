"""The documentation is true: examples of modules, the pages of the commands, links."""

import doctest
import importlib
import importlib.util
import pkgutil
import re
from pathlib import Path

import pytest
import write_commands

import pr1

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("data/**/*.md")]
MODULES = [module.name for module in pkgutil.walk_packages(pr1.__path__, "pr1.")]


def source(name: str) -> str:
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_text(encoding="utf-8")


def test_the_walk_finds_the_package_and_nothing_else():
    assert {"pr1.cli", "pr1.notation", "pr1.annotate.extraction.rules"} <= set(MODULES)
    assert not [name for name in MODULES if name.split(".")[1] in ("tests", "bench", "data")]


@pytest.mark.parametrize("name", [name for name in MODULES if ">>> " in source(name)])
def test_the_examples_of_a_module_are_true(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0


def test_the_pages_of_the_commands_are_what_help_says():
    there = {path.name: path.read_text() for path in write_commands.FOLDER.glob("*.md")}
    assert there == write_commands.pages(), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_pictures_of_a_page_are_there(page):
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    local = [target for target in targets if "://" not in target]
    assert not [target for target in local if not (page.parent / target).exists()]
