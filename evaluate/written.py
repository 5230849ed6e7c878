"""How rates, differences and p-values are written: in percent, in points, with three digits."""

from __future__ import annotations

from .records import Range

UNKNOWN = "?"


def share(value: float | None) -> str:
    """A rate in percent: `38.7`."""
    return UNKNOWN if value is None else f"{100 * value:.1f}"


def points(value: float | None) -> str:
    """A difference of rates in percentage points, with its sign: `+8.1`, `−3.3`, `0.0`."""
    if value is None:
        return UNKNOWN
    text = f"{100 * value:+.1f}".replace("-", "−")
    return "0.0" if text[1:] == "0.0" else text


def p_value(value: float) -> str:
    """A p- or q-value: three decimals, or two digits where it is smaller than .001."""
    if value == 0:
        return "<1e-300"  # smaller than a float can be
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"


def share_range(of: Range) -> str:
    """A rate with its interval: `38.7 [35.3, 42.3]`."""
    return f"{share(of.value)} [{share(of.low)}, {share(of.high)}]"


def points_range(of: Range) -> str:
    """A difference with its interval: `+8.1 [+4.4, +11.7]`; without one where it has none."""
    if of.low is None or of.high is None:
        return points(of.value)
    return f"{points(of.value)} [{points(of.low)}, {points(of.high)}]"


def ratio_range(of: Range) -> str:
    """An odds ratio with its interval; what has no bound is ∞."""
    if of.value is None and of.low == 0:
        return "undefined"
    value, low, high = ("∞" if end is None else f"{end:.2f}" for end in (of.value, of.low, of.high))
    return f"{value} [{low}, {high}]"


def plain(text: str, limit: int) -> str:
    """Text that came with the data on one line without control characters, cut to size."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
