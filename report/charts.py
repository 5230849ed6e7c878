"""Counts as bars: what the page's charts show, made ready for its template.

A chart is a table whose second column is drawn. So it is read aloud as a table, prints as one, and
its text keeps its size on a phone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

MOST_BARS = 12
_STEPS = (1, 2, 5)


class Bar(NamedTuple):
    """One line of a chart.

    Attributes:
        width: per cent of the longest bar, 0..100.
        share: of all that the chart counts, 0..1.
    """

    label: str
    number: int
    width: float
    share: float


class Chart(NamedTuple):
    """A titled list of bars.

    Attributes:
        what: what a bar's label is, for the head of the first column.
        counted: what is counted, for the head of the last one.
        note: a sentence on how to read it; may be empty.
    """

    title: str
    what: str
    counted: str
    bars: list[Bar]
    note: str = ""


def bars(counts: Iterable[tuple[str, int]]) -> list[Bar]:
    """The counts as bars in their order; from the twelfth on, as one.

    Example:
        >>> [(bar.label, bar.width, bar.share) for bar in bars([("angle", 30), ("length", 10)])]
        [('angle', 100.0, 0.75), ('length', 33.33, 0.25)]
    """
    pairs = list(counts)
    if len(pairs) > MOST_BARS:
        rest = pairs[MOST_BARS - 1 :]
        of_rest = (f"{len(rest):,} more", sum(number for _, number in rest))
        pairs = [*pairs[: MOST_BARS - 1], of_rest]
    total = max(1, sum(number for _, number in pairs))
    longest = max(1, *(number for _, number in pairs)) if pairs else 1
    return [
        Bar(label, number, round(100 * number / longest, 2), number / total)
        for label, number in pairs
    ]


def histogram(numbers: Mapping[int, int]) -> list[Bar]:
    """At most ten bars of one round width; what lies above nearly all stands in the last.

    Args:
        numbers: what was counted, 0 or more -> how often.

    Example:
        >>> [(bar.label, bar.number) for bar in histogram({3: 1, 12: 2, 17: 4})]
        [('2 to 3', 1), ('4 to 5', 0), ('6 to 7', 0), ('8 to 9', 0), ('10 to 11', 0), \
('12 to 13', 2), ('14 to 15', 0), ('16 to 17', 4)]
    """
    if not numbers:
        return []
    step = _round_step(quantile(numbers, 0.98) / 9)
    last = 9 if max(numbers) >= 10 * step else max(numbers) // step
    binned: Counter[int] = Counter()
    for number, times in numbers.items():
        binned[min(number // step, last)] += times
    places = range(min(binned), last + 1)
    labels = [_range(place * step, step) for place in places]
    if max(numbers) >= 10 * step:
        labels[-1] = f"{9 * step:,} and more"
    return bars((label, binned[place]) for label, place in zip(labels, places, strict=True))


def quantile(numbers: Mapping[int, int], share: float) -> int:
    """The least number that `share` (0..1) of all do not exceed; 0 where nothing was counted."""
    total, seen = sum(numbers.values()), 0
    for number, times in sorted(numbers.items()):
        seen += times
        if seen >= share * total:
            return number
    return 0


def lengths_in_words(lengths: Mapping[int, int]) -> str:
    """Median, nine in ten, longest; of texts by their characters."""
    return (
        f"Half have at most {quantile(lengths, 0.5):,} characters, nine in ten at most "
        f"{quantile(lengths, 0.9):,}; the longest has {max(lengths, default=0):,}."
    )


def _range(start: int, step: int) -> str:
    return f"{start:,}" if step == 1 else f"{start:,} to {start + step - 1:,}"


def _round_step(least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50, … that is not below `least`."""
    power = 1
    while True:
        for step in _STEPS:
            if step * power >= least:
                return step * power
        power *= 10
