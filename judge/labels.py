"""Labelled pairs: a visual annotation, a completion, and a person's word on the two.

A file of them is JSON Lines. A line that cannot be used is reported with its number and costs only
itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from ..schemas.errors import UsageError
from ..schemas.outcomes import VerdictWord
from ..schemas.records import AnnotationKind, NonEmpty


class LabelledPair(BaseModel):
    """One line of a labels file; columns beside these are not looked at.

    Attributes:
        annotation: the fact, as a judge is asked for it.
        completion: the whole text in which it is looked for.
        label: what the judge should say.
        kind: the annotation's kind; `other` where the file does not say.
        domain: what the problem is about (`charts`, `plane geometry`), or None.
    """

    model_config = ConfigDict(frozen=True)

    annotation: NonEmpty
    completion: str
    label: VerdictWord
    kind: AnnotationKind = "other"
    domain: NonEmpty | None = None


class Labels(NamedTuple):
    """What a labels file holds.

    Attributes:
        pairs: in the file's order.
        faults: for each line that could not be used, one message with its place.
    """

    pairs: tuple[LabelledPair, ...]
    faults: tuple[str, ...]


def read_labels(path: Path) -> Labels:
    """The pairs of a labels file, and what is wrong with its other lines.

    Raises:
        UsageError: the file cannot be read, or none of its lines is a labelled pair.
    """
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).") from error
    pairs, faults = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            pairs.append(LabelledPair.model_validate_json(line))
        except ValidationError as error:
            faults.append(f"{path.name}:{number}: {_reason(error)}")
    if not pairs:
        first = faults[0] if faults else f"{path}: holds no line"
        raise UsageError(
            f"{first}. A labels file needs lines of JSON with 'annotation', 'completion' and "
            "'label' (reflected, absent or contradicted)."
        )
    return Labels(tuple(pairs), tuple(faults))


def _reason(error: ValidationError) -> str:
    """The first thing wrong with a line, in one line that cannot become long."""
    first = error.errors(include_url=False, include_context=False)[0]
    column = ".".join(str(part) for part in first["loc"])
    message = " ".join(first["msg"].split())[:200]
    return f"{column!r}: {message}" if column else message
