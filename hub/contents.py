"""Which files of a folder are published, under which names.

    dataset  README.md  data/train-*.parquet  manifest.json
    model    README.md  the model's own files  curves/*.png  manifest.json

A model's files are named one by one: weights as safetensors, configuration, tokenizer, templates. A
pickle never travels, nor an optimizer's state, a trainer's state or the card that a library wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from ..outputs.folder import CARD
from ..outputs.rows import MANIFEST, count_rows, data_files, read_manifest
from ..schemas.errors import UsageError
from ..schemas.manifest import Manifest
from .model_card import render_model_card
from .perception_r1 import export
from .records import Kind, Layout

TRAIN = "train"
MODEL_ENDINGS = {".safetensors", ".json", ".jinja", ".txt", ".model"}
NEVER = {"trainer_state.json", "optimizer.json", CARD}
_OF_DATASETS = ("data/train-*.parquet",)
_OF_MODELS = ("*.safetensors", "*.safetensors.index.json", "adapter_config.json", "curves/*.png")


class Publication(NamedTuple):
    """What is published of a folder.

    Attributes:
        files: path in the repository -> the file that goes there.
        left: what stays, for a person to read.
        replaced: patterns of files that an earlier push may have left and this one does not have.
        rows: rows of a dataset, or rows that a model was trained on.
    """

    kind: Kind
    folder: Path
    manifest: Manifest
    files: dict[str, Path]
    left: list[str]
    replaced: tuple[str, ...]
    rows: int


@contextmanager
def gathered(folder: Path, layout: Layout = "pr1") -> Iterator[Publication]:
    """The folder's publication; files made for it live as long as the block.

    Raises:
        UsageError: the folder is unfinished, damaged, or has nothing of the layout asked for.
    """
    manifest = read_manifest(folder)
    with TemporaryDirectory(prefix="pr1-hub-") as made:
        if manifest.stage == TRAIN:
            if layout != "pr1":
                raise UsageError(f"{folder} holds a model; --as {layout} is for training sets.")
            yield _model(folder, manifest, Path(made))
        elif layout == "perception-r1":
            yield _exported(folder, manifest, Path(made))
        else:
            yield _dataset(folder, manifest)


def _dataset(folder: Path, manifest: Manifest) -> Publication:
    _check_rows(folder, manifest)
    if not (folder / CARD).is_file():
        raise UsageError(f"{folder} has lost its {CARD}. Make the folder again with --overwrite.")
    rows = {path.relative_to(folder).as_posix(): path for path in data_files(folder)}
    files = {CARD: folder / CARD, **rows, MANIFEST: folder / MANIFEST}
    return Publication(
        "dataset",
        folder,
        manifest,
        files,
        _left(folder, files.values()),
        _OF_DATASETS,
        manifest.counts.rows,
    )


def _exported(folder: Path, manifest: Manifest, made: Path) -> Publication:
    _check_rows(folder, manifest)
    files = export(folder, manifest, made)
    left = _left(folder, files.values())
    return Publication("dataset", folder, manifest, files, left, _OF_DATASETS, manifest.counts.rows)


def _model(folder: Path, manifest: Manifest, made: Path) -> Publication:
    model = folder / "model"
    own = {
        path.relative_to(model).as_posix(): path
        for path in sorted([*model.glob("*"), *model.glob("additional_chat_templates/*")])
        if path.is_file() and path.suffix in MODEL_ENDINGS and path.name not in NEVER
    }
    is_adapter = "adapter_config.json" in own
    if not (is_adapter or "config.json" in own):
        raise UsageError(f"{model} holds no config.json, so no model. Train it again.")
    if not any(name.endswith(".safetensors") for name in own):
        raise UsageError(f"{model} holds no weights as .safetensors; no other kind is published.")
    curves = {
        path.relative_to(folder).as_posix(): path for path in sorted(folder.glob("curves/*.png"))
    }
    card = folder / CARD  # a person's, who knows more
    if not card.is_file():
        card = made / CARD
        name = folder.resolve().name
        text = render_model_card(manifest, [*curves], name=name, is_adapter=is_adapter)
        card.write_text(text, encoding="utf-8")
    files = {CARD: card, **own, **curves, MANIFEST: folder / MANIFEST}
    return Publication(
        "model",
        folder,
        manifest,
        files,
        _left(folder, files.values()),
        _OF_MODELS,
        manifest.counts.rows,
    )


def _check_rows(folder: Path, manifest: Manifest) -> None:
    if count_rows(folder) != manifest.counts.rows:
        raise UsageError(
            f"{folder}/data does not hold the {manifest.counts.rows:,} rows that its manifest "
            "counts. Make the folder again, or restore its files."
        )


def _left(folder: Path, sent: Iterable[Path]) -> list[str]:
    """What lies in the folder and does not travel: files by name, folders with nothing sent."""
    travels = set(sent)
    parents = {parent for path in travels for parent in path.parents}
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path in parents:
            inside = (child for child in sorted(path.iterdir()) if child not in travels | parents)
            found += [f"{path.name}/{child.name}" for child in inside]
        elif path not in travels:
            found.append(f"{path.name}/" if path.is_dir() else path.name)
    return found
