"""Training rows, from wherever they lie."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..outputs.rows import MANIFEST, RUN_STATE, read_manifest, read_rows
from ..schemas.errors import UsageError
from ..schemas.records import TrainRow

MAKE_ANNOTATIONS = (
    "Make them: pr1 annotate SOURCE -o ANNOTATED, then pr1 filter ANNOTATED -o DATASET."
)


def read_train_rows(dataset: str) -> Iterator[TrainRow]:
    """The rows of a folder of `pr1 filter`, of a copy of one, or of one on the hub.

    Raises:
        UsageError: there is no such set, it is unfinished, or it is not what `pr1 filter` writes.
    """
    folder = Path(dataset)
    if (folder / MANIFEST).is_file() or (folder / RUN_STATE).is_file():
        _refuse_other_stages(folder)
        yield from read_rows(folder, TrainRow)
    else:
        yield from _read_published(dataset)


def _refuse_other_stages(folder: Path) -> None:
    stage = read_manifest(folder).stage
    if stage == "collect":
        raise UsageError(
            f"{folder} was made by `pr1 collect`, and has no annotations. "
            f"Make them: pr1 annotate {folder} -o ANNOTATED, then pr1 filter ANNOTATED -o DATASET."
        )
    if stage != "filter":
        raise UsageError(
            f"{folder} was made by `pr1 {stage}`, and train reads what `pr1 filter` writes. "
            f"Make it: pr1 filter {'ANNOTATED' if stage == 'train' else folder} -o DATASET."
        )


def _read_published(dataset: str) -> Iterator[TrainRow]:
    from datasets import Image, List, load_dataset
    from pydantic import ValidationError

    if not Path(dataset).exists() and dataset.count("/") != 1:
        raise UsageError(f"{dataset}: there is no such folder, and it is no hub id (owner/name).")
    try:
        table = load_dataset(dataset, split="train")
    except Exception as error:  # the hub, the network, and any reader of any format
        reason = " ".join(str(error).split())[:300]
        raise UsageError(f"{dataset}: cannot be loaded as a dataset ({reason}).") from error
    if "annotations" not in table.column_names:
        raise UsageError(f"{dataset} has no column 'annotations'. {MAKE_ANNOTATIONS}")
    missing = [
        name for name in ("id", "question", "answer", "images") if name not in table.features
    ]
    if missing:
        raise UsageError(
            f"{dataset} has no column {missing[0]!r}. Train on what `pr1 filter` writes."
        )
    table = table.cast_column("images", List(Image(decode=False)))
    known = [name for name in TrainRow.model_fields if name in table.column_names]
    for number, values in enumerate(table.select_columns(known)):
        try:
            yield TrainRow.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(step) for step in first["loc"])
            raise UsageError(
                f"{dataset}, row {number}: {place}: {first['msg']}. "
                "Train on what `pr1 filter` writes."
            ) from error
