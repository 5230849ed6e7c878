"""What a push is about to do, for a person to read before the first byte: 80 columns of text."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from .records import Finding, Plan, SourceUse

WIDTH = 80
_LABEL = 10
_MOST_SOURCES = 10
_MOST_FINDINGS = 10
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def summary(plan: Plan) -> str:
    """What, where, how big, for whom, under which terms, and what the scan found."""
    lines = [
        _line("publish", f"{plan.folder} ({plan.made_by}, {_count(plan.rows, 'row')})"),
        _line("to", _where(plan)),
        _line("files", _files(plan)),
        _line("stays", ", ".join(plan.left) or "nothing"),
        _line("licence", ", ".join(plan.license)),
    ]
    lines += _labelled("sources", (_source(one) for one in plan.sources[:_MOST_SOURCES]))
    if len(plan.sources) > _MOST_SOURCES:
        lines.append(_line("", f"and {len(plan.sources) - _MOST_SOURCES:,} more"))
    if not plan.sources:
        lines.append(_line("sources", "none is stated, and none is known by its name"))
    found = plan.findings
    if not found.secrets and not found.local_paths:
        lines.append(_line("scan", "no secret and no local path in any text"))
    else:
        counted = f"{_count(found.secrets, 'secret')}, {_count(found.local_paths, 'local path')}"
        shown = (_finding(one) for one in found.shown[:_MOST_FINDINGS])
        lines += [_line("scan", counted), *_labelled("", shown)]
    return "\n".join(lines)


def _labelled(label: str, texts: Iterator[str]) -> Iterator[str]:
    for text in texts:
        yield _line(label, text)
        label = ""


def _where(plan: Plan) -> str:
    if plan.repo_id is None:
        return "a folder; nothing is sent"
    how = "as a pull request" if plan.create_pr else f"branch {plan.revision or 'main'}"
    return f"{plan.url} ({'private' if plan.private else 'PUBLIC'} {plan.kind}, {how})"


def _files(plan: Plan) -> str:
    names = [file.path for file in plan.files]
    listed = ", ".join(names[:8]) + (f", and {len(names) - 8:,} more" if len(names) > 8 else "")
    return f"{len(names):,}, {_size(sum(file.size for file in plan.files))}: {listed}"


def _source(use: SourceUse) -> str:
    rows = "" if use.rows is None else f", {_count(use.rows, 'row')}"
    text = f"{use.name}: {use.license or 'licence not stated'}{rows}"
    if use.refusal:
        return f"{text}. FORBIDS IT: {use.refusal}"
    return f"{text}. Note: {use.warning}" if use.warning else text


def _finding(one: Finding) -> str:
    return f"{one.file}, {one.place}: {one.what} ({one.excerpt})"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _size(size: float) -> str:
    for unit in _UNITS:
        if size < 1000 or unit == _UNITS[-1]:
            break
        size /= 1000
    return f"{size:.3g} {unit}"


def _line(label: str, text: str) -> str:
    # What data brought is on one line here, and moves no cursor.
    inert = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    lines = wrap(inert, WIDTH - _LABEL, break_on_hyphens=False) or [""]
    return "\n".join(
        f"{label if number == 0 else '':<{_LABEL}}{line}" for number, line in enumerate(lines)
    )
