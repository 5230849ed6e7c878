"""A calibration as text, at most 80 columns wide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .calibration import WORDS, Agreement, Calibration, Kappa, Rate

NAME_WIDTH = 22
GROUP_WIDTH = 20
FAULTS_SHOWN = 5


def calibration_table(calibration: Calibration) -> str:
    """The rates with their intervals, who was taken for what, and the same by kind and domain."""
    return "\n".join(_lines(calibration))


def _lines(calibration: Calibration) -> Iterator[str]:
    overall = calibration.overall
    yield _cut(f"judge   {calibration.judge}", 80)
    yield _cut(f"labels  {calibration.labels}", 80)
    yield f"        {overall.pairs:,} pairs scored, of {calibration.completions:,} completions"
    if calibration.unscored:
        counts = ", ".join(f"{why} {n:,}" for why, n in sorted(calibration.unscored.items()))
        yield f"        {sum(calibration.unscored.values()):,} pairs not scored ({counts})"
    if calibration.faults:
        yield f"        {len(calibration.faults):,} lines of the file not usable:"
        yield from (_cut(f"        {fault}", 80) for fault in calibration.faults[:FAULTS_SHOWN])
    yield ""
    yield f"{'':{NAME_WIDTH}} {'rate':>6}  95% interval"
    yield _rate_line("accuracy", overall.accuracy)
    yield _rate_line("reflected or not", overall.binary_accuracy)
    yield _rate_line("false yes", overall.false_yes)
    yield _rate_line("false no", overall.false_no)
    yield _rate_line("false contradiction", overall.false_contradiction)
    yield _kappa_line(overall.kappa)
    yield ""
    yield f"{'label, then verdict':{NAME_WIDTH}}" + "".join(f"{word:>14}" for word in WORDS)
    for label, row in overall.confusion.items():
        yield f"{label:{NAME_WIDTH}}" + "".join(f"{row[word]:>14,}" for word in WORDS)
    yield from _groups("kind", calibration.by_kind)
    yield from _groups("domain", calibration.by_domain)


def _groups(title: str, groups: Mapping[str, Agreement]) -> Iterator[str]:
    if not groups:
        return
    yield ""
    columns = "".join(f"{column:>17}" for column in ("accuracy", "false yes", "false no"))
    yield f"{title:{GROUP_WIDTH}} {'pairs':>6}{columns}"
    for name, one in groups.items():
        cells = "".join(f"{_cell(r):>17}" for r in (one.accuracy, one.false_yes, one.false_no))
        yield f"{_cut(name, GROUP_WIDTH):{GROUP_WIDTH}} {one.pairs:>6,}{cells}"


def _rate_line(name: str, rate: Rate) -> str:
    value = "-" if rate.value is None else f"{rate.value:.3f}"
    interval = f"{rate.low:.3f} to {rate.high:.3f}"
    return f"{name:{NAME_WIDTH}} {value:>6}  {interval}  {rate.hits:,} of {rate.tried:,}"


def _kappa_line(kappa: Kappa | None) -> str:
    if kappa is None:
        return f"{'kappa':{NAME_WIDTH}} {'-':>6}"
    return f"{'kappa':{NAME_WIDTH}} {kappa.value:>6.3f}  {kappa.low:.3f} to {kappa.high:.3f}"


def _cell(rate: Rate) -> str:
    """Such as `.85 [.72, .93]`, and `1.00 [.95, 1.00]`."""
    if rate.value is None:
        return "-"
    return f"{_two(rate.value)} [{_two(rate.low)}, {_two(rate.high)}]"


def _two(share: float) -> str:
    return f"{share:.2f}".removeprefix("0")


def _cut(text: str, width: int) -> str:
    """The text on one line of that width; file and domain names are others' and may be anything."""
    text = "".join(char if char.isprintable() else "?" for char in text)
    return text if len(text) <= width else text[: width - 3] + "..."
