"""What a run and those before it took, and what a run leaves to know how it was made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..outputs.folder import DROPPED, FAILURES
from ..outputs.lineage import models_of
from ..schemas.errors import UsageError
from ..schemas.manifest import Manifest, Usage

EXAMPLES_PER_REASON = 2
MOST_EXAMPLES = 24


class Spent(NamedTuple):
    """What one stage took. `usage` is of all runs over its folder, `wall_s` of the last one."""

    stage: str
    models: str
    usage: Usage
    cost: str
    time: str


class LeftOut(NamedTuple):
    """A record that is in no row, as its line says."""

    kind: str
    id: str
    reason: str
    detail: str


def spent(manifest: Manifest) -> list[Spent]:
    """By stage, the oldest first."""
    found = []
    for stage in [*manifest.history, manifest]:
        usage = stage.usage_in_all or stage.usage
        names = ", ".join(str(model["name"]) for model in models_of(stage))
        found.append(
            Spent(stage.stage, names or "none", usage, _cost(usage), duration(stage.wall_s))
        )
    return found


def duration(seconds: float) -> str:
    """For people.

    Example:
        >>> duration(0.42), duration(75), duration(7_300)
        ('0.4 s', '1 min 15 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60:,} h {minutes % 60} min"


def figures(facts: Mapping[str, Any], leave_out: set[str]) -> list[tuple[str, str]]:
    """A stage's own figures as (name, value), those within others named after both."""
    found = []
    for name, value in facts.items():
        if name in leave_out:
            continue
        words = name.replace("_", " ")
        if isinstance(value, Mapping):
            found += [(f"{words}: {key}", _shown(item)) for key, item in value.items()]
        else:
            found.append((words, _shown(value)))
    return found


def left_out(folder: Path) -> list[LeftOut]:
    """Examples of what was dropped and of what failed: the first two of each reason.

    Raises:
        UsageError: a file is damaged.
    """
    return [
        *_examples(folder / DROPPED, "dropped", "reason", "detail"),
        *_examples(folder / FAILURES, "failed", "error", "message"),
    ]


def _examples(path: Path, kind: str, reason: str, detail: str) -> list[LeftOut]:
    seen: dict[str, int] = {}
    found: list[LeftOut] = []
    for line in _lines(path):
        why = str(line.get(reason, ""))
        seen[why] = seen.get(why, 0) + 1
        if seen[why] <= EXAMPLES_PER_REASON and len(found) < MOST_EXAMPLES // 2:
            found.append(LeftOut(kind, str(line.get("id")), why, str(line.get(detail, ""))[:300]))
    return found


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        return
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield dict(json.loads(line))
            except (ValueError, TypeError) as error:
                raise UsageError(
                    f"{path}:{number} is no line of this file. Restore it, or make the folder "
                    "again."
                ) from error


def _cost(usage: Usage) -> str:
    if not usage.requests:
        return "–"
    return "unknown" if usage.cost_usd is None else f"${usage.cost_usd:,.2f}"


def _shown(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
