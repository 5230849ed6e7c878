"""What `pr1 judge` tells about its rows in the manifest and on the card."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ..schemas.outcomes import JudgedRow

PARTS = ("format", "accuracy", "visual")


@dataclass
class JudgeTally:
    """Counts over the judged rows.

    Attributes:
        verdicts: of all rows.
        without_annotations: rows that ask for nothing, and so have no visual score.
        broke_the_judge: rows with a visual score of 0 because only they make the judge fail.
        scored, sums: of each part of the reward: rows that have it, and the sum of their scores.
    """

    verdicts: Counter[str] = field(default_factory=Counter)
    without_annotations: int = 0
    broke_the_judge: int = 0
    scored: Counter[str] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)

    def add(self, row: JudgedRow) -> None:
        """Count one more row."""
        self.verdicts.update(verdict.verdict for verdict in row.judgement.verdicts or [])
        self.without_annotations += not row.annotations
        self.broke_the_judge += row.judgement.failure is not None
        for part in PARTS:
            score = getattr(row.reward, part)
            if score is not None:
                self.scored[part] += 1
                self.sums[part] += score

    def facts(self) -> dict[str, object]:
        """The figures, by name."""
        means = {
            f"mean_{part}": round(self.sums[part] / self.scored[part], 4)
            for part in PARTS
            if self.scored[part]
        }
        return {
            "verdicts": dict(sorted(self.verdicts.items())),
            "rows_without_annotations": self.without_annotations,
            "rows_that_broke_the_judge": self.broke_the_judge,
            **means,
        }
