"""Presets for published layouts: each turns a native row into one with pr1's columns.

`geometry3k` (hiyouga's columns): `problem, answer, images`. It has no trajectories, so it serves
`collect`, or `annotate` with `--columns trajectory=...` when somebody added some.

`perception-r1`: the same and `visual_key_info`, annotations that are ready: `<info1>...</info1>`,
numbered from 1, null where there are none. Its text becomes the problem's one trajectory, so that
each annotation can be traced to its words; the model's name says what it is. It is no chain of
thought and holds no answer to check. Where `--columns` names trajectories, those are read instead.

`llava-cot`: `id, image, conversations` of `human` and `gpt`. The reference answer is what stands in
the trajectory's `<CONCLUSION>`, so `answer_origin` is `self`. Only the first question and its reply
are read, as later ones lean on them; metadata counts the `later_turns`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from ...schemas.config import SourceFormat
from ...schemas.errors import InputError, UsageError
from ...schemas.records import Trajectory, VisualAnnotation
from .files import RawRecord
from .values import is_missing, shown

KEY_INFO_MODEL = "perception-r1 visual_key_info"
KEY_INFO_EXTRACTOR = "perception-r1"


class Preset(NamedTuple):
    """A published layout.

    Attributes:
        keeps: native columns that pr1 reads by the same name.
        replaces: native column -> the columns of pr1 that come of it.
    """

    keeps: tuple[str, ...] = ()
    replaces: dict[str, tuple[str, ...]] = {}


PRESETS: dict[SourceFormat, Preset] = {
    "columns": Preset(),
    "geometry3k": Preset(("images", "answer"), {"problem": ("question",)}),
    "perception-r1": Preset(
        ("images", "answer"), {"problem": ("question",), "visual_key_info": ("trajectory",)}
    ),
    "llava-cot": Preset(
        ("image",), {"conversations": ("question", "answer", "answer_origin", "trajectory")}
    ),
}


class KeyInfo(NamedTuple):
    """One `<infoN>` of a `visual_key_info`: the statement and its place in the text."""

    statement: str
    start: int
    end: int


def translated_columns(native: Collection[str], format_name: SourceFormat, source: str) -> set[str]:
    """The columns that `translate` leaves of the native ones.

    Raises:
        UsageError: one that the preset reads is missing. Remedy: choose another `--format`.
    """
    preset = PRESETS[format_name]
    for column in (*preset.keeps, *preset.replaces):
        if column not in native:
            raise UsageError(
                f"{source}: --format {format_name} reads a column {column!r}, and there is none. "
                f"It has: {', '.join(sorted(native))}."
            )
    made = {name for names in preset.replaces.values() for name in names}
    return {*native} - {*preset.replaces} | made


def translate(raw: RawRecord, format_name: SourceFormat) -> RawRecord:
    """The record with pr1's columns in place of the preset's own.

    Raises:
        InputError: `broken_key_info`, `broken_conversation` or `empty_answer`.
    """
    values = dict(raw.values)
    if format_name in ("geometry3k", "perception-r1"):
        values["question"] = values.pop("problem", None)
    if format_name == "perception-r1":
        values["trajectory"] = _key_info_trajectory(values.pop("visual_key_info", None), raw.place)
    if format_name == "llava-cot":
        values.update(_read_conversation(values.pop("conversations", None), raw.place))
    return RawRecord(raw.place, values, raw.folder)


def read_visual_key_info(text: str, what: str) -> list[KeyInfo]:
    """The statements of a `visual_key_info`, in order.

    Raises:
        InputError: `broken_key_info`: the text is not `<info1>...</info1>`, `<info2>...</info2>`
            and so on without a gap.

    Example:
        >>> read_visual_key_info("<info1>AB = 5</info1>", "row 1")
        [KeyInfo(statement='AB = 5', start=7, end=13)]
    """
    infos: list[KeyInfo] = []
    position = 0
    while text[position:].strip():
        opening, closing = f"<info{len(infos) + 1}>", f"</info{len(infos) + 1}>"
        start = text.find(opening, position)
        end = text.find(closing, start)
        if start < 0 or end < 0 or text[position:start].strip():
            raise InputError(
                "broken_key_info",
                f"{what}: {opening}...{closing} is expected at character {position}, "
                f"here is {shown(text[position:])}. Number the infos from 1.",
            )
        inside = text[start + len(opening) : end]
        first = start + len(opening) + len(inside) - len(inside.lstrip())
        if inside.strip():
            infos.append(KeyInfo(inside.strip(), first, first + len(inside.strip())))
        else:
            raise InputError("broken_key_info", f"{what}: {opening} is empty. Remove it.")
        position = end + len(closing)
    return infos


def ready_annotations(trajectories: Sequence[Trajectory]) -> list[VisualAnnotation]:
    """The annotations of those trajectories that are a `visual_key_info`, of kind `other`."""
    infos = [
        (trajectory.id, info)
        for trajectory in trajectories
        if trajectory.model == KEY_INFO_MODEL
        for info in read_visual_key_info(trajectory.text, trajectory.id)
    ]
    return [
        VisualAnnotation(
            id=number,
            statement=info.statement,
            kind="other",
            quote=info.statement,
            trajectory_id=trajectory_id,
            start=info.start,
            end=info.end,
            extractor=KEY_INFO_EXTRACTOR,
        )
        for number, (trajectory_id, info) in enumerate(infos, 1)
    ]


def _key_info_trajectory(value: Any, place: str) -> dict[str, str] | None:
    if is_missing(value):
        return None
    what = f"{place}: 'visual_key_info'"
    if not isinstance(value, str):
        raise InputError("broken_key_info", f"{what} is {shown(value)}; a text is needed.")
    read_visual_key_info(value, what)
    return {"text": value, "model": KEY_INFO_MODEL}


def _read_conversation(value: Any, place: str) -> dict[str, Any]:
    what = f"{place}: 'conversations'"
    turns = value if isinstance(value, list) else []
    said = [(_part(turn, "from"), _part(turn, "value")) for turn in turns]
    if [speaker for speaker, _ in said[:2]] != ["human", "gpt"] or not all(t for _, t in said[:2]):
        raise InputError("broken_conversation", f"{what} does not begin with human, gpt.")
    question, reply = said[0][1], said[1][1]
    later = {"later_turns": len(said) // 2 - 1} if len(said) > 3 else {}
    return {
        "question": question,
        "trajectory": reply,
        "answer": _conclusion(reply, what),
        "answer_origin": "self",
        **later,
    }


def _part(turn: Any, name: str) -> str:
    part = turn.get(name) if isinstance(turn, dict) else None
    return part if isinstance(part, str) else ""


def _conclusion(reply: str, what: str) -> str:
    """What stands in the last `<CONCLUSION>`."""
    inside, closing, _ = reply.rpartition("</CONCLUSION>")
    _, opening, conclusion = inside.rpartition("<CONCLUSION>")
    if not (opening and closing and conclusion.strip()):
        message = f"{what}: the reply has no <CONCLUSION>...</CONCLUSION> to take the answer from."
        raise InputError("empty_answer", message)
    return conclusion.strip()
