"""Which sources a folder came from, and whether their terms let it be published."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ..outputs.rows import data_files
from ..outputs.sources import known_dataset, source_terms
from ..schemas.errors import UsageError
from ..schemas.manifest import Manifest
from .contents import Publication
from .records import SourceUse

NOT_STATED = "(not stated)"


def source_uses(publication: Publication) -> list[SourceUse]:
    """The sources that the rows state, and those known ones that the earlier stages read.

    A model's folder holds no rows: there, the history alone says what it was trained on.
    """
    stated = _stated(publication.folder) if publication.kind == "dataset" else Counter()
    uses = [
        _use(_one_line(source or "") or NOT_STATED, source, license_, rows)
        for (source, license_), rows in stated.most_common()
    ]
    seen = {known.name for use in uses if (known := known_dataset(use.name))}
    for name in _inputs(publication.manifest):
        known = known_dataset(name)
        if known and known.name not in seen:
            seen.add(known.name)
            uses.append(_use(known.name, name, None, None))
    return uses


def _use(name: str, source: str | None, license_: str | None, rows: int | None) -> SourceUse:
    terms = source_terms(source, license_)
    return SourceUse(
        name=name,
        license=terms.license,
        rows=rows,
        refusal=terms.refusal,
        warning=terms.warning,
        url=terms.url,
    )


def check_sources(uses: list[SourceUse], allowed: Collection[str]) -> None:
    """Returns when no source forbids to publish, or each that does is allowed by name.

    Raises:
        UsageError: one forbids it, or an allowed name is none of the sources.
    """
    over = {name.casefold() for name in allowed}
    for name in over.difference(*map(_names, uses)):
        listed = ", ".join(use.name for use in uses[:20]) or "none"
        raise UsageError(f"--allow-source {name!r} is none of the sources: {listed}.")
    for use in uses:
        if use.refusal and over.isdisjoint(_names(use)):
            where = f" ({use.url})" if use.url else ""
            raise UsageError(
                f"The terms of {use.name!r} forbid it: {use.refusal}{where}. Leave its problems "
                "out and make the folder again, or, where you hold other rights, give "
                f"--allow-source {shlex.quote(use.name)}."
            )


def _names(use: SourceUse) -> set[str]:
    """What a person may call it: as the data does, or as it is known."""
    known = known_dataset(use.name)
    return {use.name.casefold(), *([known.name.casefold()] if known else [])}


def _stated(folder: Path) -> Counter[tuple[str | None, str | None]]:
    found: Counter[tuple[str | None, str | None]] = Counter()
    for path in data_files(folder):
        with pq.ParquetFile(path) as file:
            if not {"source", "license"} <= set(file.schema_arrow.names):
                continue
            for batch in file.iter_batches(batch_size=10_000, columns=["source", "license"]):
                columns = batch.to_pydict()
                found.update(zip(columns["source"], columns["license"], strict=True))
    return found


def _inputs(manifest: Manifest) -> Iterator[str]:
    """What the stages read problems from, as their configurations name it."""
    for stage in [*manifest.history, manifest]:
        config: dict[str, Any] = stage.config
        yield from (
            str(value)
            for value in (
                (config.get("source") or {}).get("path"),
                config.get("annotated"),
                config.get("dataset"),
            )
            if value
        )


def _one_line(name: str) -> str:
    """The name as it is shown, and as a person can type it."""
    return " ".join("".join(c if c.isprintable() else " " for c in name[:200]).split())
