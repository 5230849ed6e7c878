"""How far a judge can be trusted: its verdicts beside a person's labels.

Three errors matter apart from each other. A *false yes* pays a policy for a fact that it did not
state, and is what a policy learns to provoke. A *false no* costs it a hit that it earned; there
`contradicted` and `absent` are both a no. A *false contradiction* may take back another hit.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import NamedTuple, get_args

from ..schemas.outcomes import Judgement, VerdictWord
from ..schemas.records import Record, TrainAnnotation
from ..stats import clopper_pearson, cohen_kappa
from .judge import Judge, JudgeTask
from .labels import LabelledPair, read_labels

WORDS: tuple[VerdictWord, ...] = get_args(VerdictWord)


class Rate(Record):
    """A share of pairs, with its exact 95% interval.

    Attributes:
        hits: 0 to `tried`.
        value: None where nothing was tried; the interval is then 0 to 1.
    """

    hits: int
    tried: int
    value: float | None
    low: float
    high: float


class Kappa(Record):
    """Cohen's kappa of labels and verdicts, three categories each, with its 95% interval."""

    value: float
    low: float
    high: float


class Agreement(Record):
    """How verdicts agree with labels, over the pairs that were scored.

    Attributes:
        pairs: how many those are.
        confusion: label -> verdict -> pairs.
        accuracy: verdict and label are the same of the three words.
        binary_accuracy: the same where only `reflected` or not counts, as for a hit.
        false_yes: of the pairs not labelled `reflected`, those judged so.
        false_no: of the pairs labelled `reflected`, those judged otherwise.
        false_contradiction: of the pairs not labelled `contradicted`, those judged so.
        kappa: None where it is not defined: no pair, or one word throughout.
    """

    pairs: int
    confusion: dict[VerdictWord, dict[VerdictWord, int]]
    accuracy: Rate
    binary_accuracy: Rate
    false_yes: Rate
    false_no: Rate
    false_contradiction: Rate
    kappa: Kappa | None


class Calibration(Record):
    """A judge's verdicts beside the labels of one file.

    The intervals take pairs for independent. Pairs of one completion are not quite; where a judge
    errs by completion rather than by pair, the intervals are too narrow.

    Attributes:
        judge, prompt_hash: as its judgements record them.
        labels: the file's name.
        completions: distinct texts; each was judged once, with all of its annotations.
        unscored: pairs without a verdict, by why: `service` and `completion` as in `JudgeFailure`,
            `no_verdict` where a judgement left the annotation out. They are in no rate.
        faults: for each line of the file that could not be used, what is wrong with it.
        by_kind, by_domain: of the same pairs; those without a domain are in `overall` only.
    """

    judge: str
    prompt_hash: str | None
    labels: str
    completions: int
    unscored: dict[str, int]
    faults: list[str]
    overall: Agreement
    by_kind: dict[str, Agreement]
    by_domain: dict[str, Agreement]


class JudgedPair(NamedTuple):
    """A labelled pair and the word that the judge gave it."""

    pair: LabelledPair
    word: VerdictWord


async def calibrate(judge: Judge, path: Path) -> Calibration:
    """Have a judge look at labelled pairs, and say how well it does.

    The pairs of one completion are asked in one task, in the file's order, as in training.

    Raises:
        UsageError: the file cannot be read, or holds no labelled pair.
        RunStopped: as the judge's.
    """
    labels = read_labels(path)
    groups: dict[str, list[LabelledPair]] = {}
    for pair in labels.pairs:
        groups.setdefault(pair.completion, []).append(pair)
    asked = {str(number): pairs for number, pairs in enumerate(groups.values(), 1)}
    judged: list[JudgedPair] = []
    unscored: Counter[str] = Counter()
    async with aclosing(judge.judge(map(_task, asked, asked.values()))) as judgements:
        async for judgement in judgements:
            pairs = asked[judgement.completion_id]
            scored = _judged(pairs, judgement)
            judged += scored
            if missing := len(pairs) - len(scored):
                failure = judgement.failure
                unscored[failure.cause if failure else "no_verdict"] += missing
    return Calibration(
        judge=judge.name,
        prompt_hash=judge.prompt_hash,
        labels=path.name,
        completions=len(asked),
        unscored=dict(unscored),
        faults=list(labels.faults),
        overall=agreement(judged),
        by_kind=_by(judged, [one.pair.kind for one in judged]),
        by_domain=_by(judged, [one.pair.domain for one in judged]),
    )


def agreement(judged: Iterable[JudgedPair]) -> Agreement:
    """How the verdicts of these pairs agree with their labels."""
    counts = Counter((one.pair.label, one.word) for one in judged)
    table = [[counts[label, verdict] for verdict in WORDS] for label in WORDS]
    pairs = counts.total()
    yes = sum(counts["reflected", verdict] for verdict in WORDS)
    missed = yes - counts["reflected", "reflected"]
    invented = sum(counts[label, "reflected"] for label in WORDS if label != "reflected")
    accused = sum(counts[label, "contradicted"] for label in WORDS if label != "contradicted")
    blameless = pairs - sum(counts["contradicted", verdict] for verdict in WORDS)
    kappa = cohen_kappa(table)
    return Agreement(
        pairs=pairs,
        confusion={
            label: dict(zip(WORDS, row, strict=True))
            for label, row in zip(WORDS, table, strict=True)
        },
        accuracy=rate(sum(counts[word, word] for word in WORDS), pairs),
        binary_accuracy=rate(pairs - missed - invented, pairs),
        false_yes=rate(invented, pairs - yes),
        false_no=rate(missed, yes),
        false_contradiction=rate(accused, blameless),
        kappa=None if math.isnan(kappa.value) else Kappa(**kappa._asdict()),
    )


def rate(hits: int, tried: int) -> Rate:
    """The share with its Clopper-Pearson interval, which never promises too much."""
    low, high = clopper_pearson(hits, tried)
    return Rate(hits=hits, tried=tried, value=hits / tried if tried else None, low=low, high=high)


def _task(number: str, pairs: Sequence[LabelledPair]) -> JudgeTask:
    annotations = tuple(
        TrainAnnotation(id=place, statement=pair.annotation, kind=pair.kind)
        for place, pair in enumerate(pairs, 1)
    )
    return JudgeTask(number, annotations, pairs[0].completion)


def _judged(pairs: Sequence[LabelledPair], judgement: Judgement) -> list[JudgedPair]:
    words = {verdict.annotation_id: verdict.verdict for verdict in judgement.verdicts or []}
    return [JudgedPair(pair, words[place]) for place, pair in enumerate(pairs, 1) if place in words]


def _by(judged: Sequence[JudgedPair], groups: Sequence[str | None]) -> dict[str, Agreement]:
    """Each group's agreement, in the groups' alphabetical order."""
    members: dict[str, list[JudgedPair]] = {}
    for one, group in zip(judged, groups, strict=True):
        if group is not None:
            members.setdefault(group, []).append(one)
    return {group: agreement(members[group]) for group in sorted(members)}
