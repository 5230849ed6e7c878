"""A tiny model and a small training set, made once for all tests of training."""

from pathlib import Path

import pytest
from tiny_models import tiny_idefics3
from train_sets import train_rows, write_train_set


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_idefics3(tmp_path_factory.mktemp("models") / "idefics3")


@pytest.fixture(scope="session")
def train_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_train_set(tmp_path_factory.mktemp("sets") / "bars", train_rows(10))
