"""What another run left is removed before a stage writes in its place; a kill is safe."""

import json
from contextlib import ExitStack
from pathlib import Path

import pytest

from pr1.outputs.claim import claim_folder
from pr1.outputs.rows import RUN_STATE
from pr1.schemas.errors import UsageError


class Killed(Exception):
    pass


def claim(out: Path, seed: int, *, overwrite: bool = False, is_killed: bool = False) -> bool:
    """Claim the folder for a run of this seed; whether what was there was removed."""
    discarded = []

    def discard() -> None:
        if is_killed:
            raise Killed
        discarded.append(True)

    with ExitStack() as held:
        identity = {"stage": "train", "config": {"seed": seed}}
        claim_folder(
            out, held, stage="train", identity=identity, overwrite=overwrite, discard=discard
        )
    return bool(discarded)


def test_the_same_run_goes_on_with_what_is_there(tmp_path):
    assert claim(tmp_path, 1)
    assert not claim(tmp_path, 1)
    assert not claim(tmp_path, 1, overwrite=True)


def test_another_run_is_removed_only_when_told(tmp_path):
    claim(tmp_path, 1)
    with pytest.raises(UsageError, match=r"differs in config\.seed"):
        claim(tmp_path, 2)
    assert claim(tmp_path, 2, overwrite=True)


def test_a_kill_while_the_old_run_is_removed_leaves_nothing_to_go_on_with(tmp_path):
    claim(tmp_path, 1)
    with pytest.raises(Killed):
        claim(tmp_path, 2, overwrite=True, is_killed=True)
    assert json.loads((tmp_path / RUN_STATE).read_bytes()) == {"stage": "train"}
    with pytest.raises(UsageError, match="differs in config"):
        claim(tmp_path, 2)
    assert claim(tmp_path, 2, overwrite=True)
    assert not claim(tmp_path, 2)
