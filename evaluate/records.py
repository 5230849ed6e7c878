"""What is known when two models have been compared: the records of a report.

Rates and differences are between −1 and 1 here; percent and points come with the text.
"""

from __future__ import annotations

from typing import Literal

from ..schemas.records import Record


class Range(Record):
    """A value and its 95% interval; None where it is not defined, or infinite."""

    value: float | None
    low: float | None
    high: float | None


class Table(Record):
    """Problems with one sample by what A and B got right, and what follows from that.

    Attributes:
        lost: A is right and B is wrong.
        gained: A is wrong and B is right.
        midp: the p-value of McNemar's test with the mid-p.
        odds_ratio: gained to lost.
    """

    both: int
    lost: int
    gained: int
    neither: int
    midp: float
    odds_ratio: Range


class Measure(Record):
    """One score of both models: accuracy, or perception.

    Attributes:
        problems: how many were compared.
        difference: B minus A.
        p_value: of no difference, two-sided.
        is_exact: whether it is counted; else estimated from random sign flips.
        q_value: among all groups, or among all pairs of models; None for the only such pair.
        detectable: the smallest difference that so many problems show four times out of five; None
            where not even the largest would be.
        problems_needed: how many show a difference of the size seen four times out of five; None
            where none was seen, or it takes over 100,000.
    """

    problems: int
    a: Range
    b: Range
    difference: Range
    test: Literal["exact McNemar", "sign-flip"]
    p_value: float
    is_exact: bool
    q_value: float | None = None
    detectable: float | None
    problems_needed: int | None


class Comparison(Record):
    """Two models on one set of problems.

    Attributes:
        name: of the benchmark or the group; None for the whole of two files.
        samples: the least and the most scored samples of a problem, over both models.
        has_unequal_samples: whether a problem has more samples of one model than of the other.
        table: None with several samples per problem.
        perception: None where not both files have it.
    """

    name: str | None
    samples: tuple[int, int]
    has_unequal_samples: bool
    accuracy: Measure
    table: Table | None
    perception: Measure | None


class Report(Record):
    """What is known about one pair of models.

    Attributes:
        by: the column of the groups; None where none was asked for.
    """

    model_a: str
    model_b: str
    left_out: dict[str, int]
    overall: Comparison
    by: str | None
    groups: list[Comparison]
