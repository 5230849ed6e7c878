"""The examples in the documentation of the modules are true."""

import doctest
import importlib
import importlib.util
import pkgutil
from pathlib import Path

import pytest

import pr1

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
