"""What a folder is, in a sentence."""

from __future__ import annotations

from ..outputs.lineage import models_of
from ..schemas.manifest import Manifest
from .reading import Reading

TITLES = {
    "collect": "Trajectories",
    "annotate": "Annotated problems",
    "filter": "Training set",
    "judge": "Judged completions",
}


def sentence(manifest: Manifest, reading: Reading) -> str:
    """What the folder holds, how much of it, and who made it."""
    tally = reading.tally
    rows = tally.rows
    problems = _counted(rows, "problem")
    annotations = _counted(tally.kinds.total(), "visual annotation")
    trajectories = _counted(tally.trajectory_models.total(), "trajectory", "trajectories")
    by = _models(manifest)
    if manifest.stage == "collect":
        return (
            f"{problems} with {trajectories}{by and f' that {by} wrote'}, each compared with the "
            f"reference answer: {tally.correct:,} right, {tally.wrong:,} wrong, "
            f"{tally.unscored:,} not compared."
        )
    if manifest.stage == "annotate":
        return (
            f"{problems} with {annotations}{by and f' extracted by {by}'} from {trajectories}: "
            "short facts that can be read off the picture."
        )
    if manifest.stage == "filter":
        chosen = "by simple checks"
        if "paired" in manifest.facts:
            chosen += f" and by how {by} solves them with and without their annotations"
        return (
            f"{problems} to train on, with {annotations} that a perception reward asks for; chosen "
            f"{chosen}."
        )
    return (
        f"{_counted(rows, 'completion')}, judged{by and f' by {by}'}: which of {annotations} each "
        "reflects, and the parts of the reward that follow."
    )


def _counted(count: int, one: str, more: str = "") -> str:
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def _models(manifest: Manifest) -> str:
    return " and ".join(str(model["name"]) for model in models_of(manifest))
