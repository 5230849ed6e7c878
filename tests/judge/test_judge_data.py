"""Our labelled pairs and hostile completions hold what their READMEs promise."""

import json
from collections import Counter
from pathlib import Path

import pytest
from red_team import generated, read_attacks

from pr1.judge.labels import read_labels
from pr1.schemas.outcomes import Judgement, Verdict

LABELS = Path(__file__).parents[2] / "data/judge_labels"
HALVES = ("frozen", "open")


@pytest.mark.parametrize("name", ["tune.jsonl", "held_out.jsonl"])
def test_every_line_is_a_labelled_pair_and_none_stands_twice(name):
    labels = read_labels(LABELS / name)
    assert labels.faults == ()
    assert len(labels.pairs) >= 300
    assert len({(pair.annotation, pair.completion) for pair in labels.pairs}) == len(labels.pairs)
    assert len({pair.domain for pair in labels.pairs}) == 8
    shares = Counter(pair.label for pair in labels.pairs)
    assert min(shares.values()) >= 0.15 * len(labels.pairs)


def test_no_problem_and_no_completion_is_in_both_halves():
    tune, held_out = (
        [json.loads(line) for line in (LABELS / name).read_text(encoding="utf-8").splitlines()]
        for name in ("tune.jsonl", "held_out.jsonl")
    )
    for column in ("problem", "completion"):
        assert not {row[column] for row in tune} & {row[column] for row in held_out}


def test_both_halves_hold_every_attack_with_other_texts():
    frozen, opened = (read_attacks(half) for half in HALVES)
    assert {attack.kind for attack in frozen} == {attack.kind for attack in opened}
    assert len({attack.task.id for attack in frozen + opened}) == len(frozen + opened) >= 60
    assert len({attack.task.completion for attack in frozen + opened}) == len(frozen + opened)


@pytest.mark.parametrize("name", [*HALVES, "later"])
def test_no_attack_may_earn_anything(name):
    for attack in read_attacks(name):
        assert [*attack.defended] == [annotation.id for annotation in attack.task.annotations]
        assert all("reflected" not in words for words in attack.defended.values())


@pytest.mark.parametrize("half", HALVES)
def test_the_long_ones_are_long(half):
    lengths = [len(a.task.completion) for a in read_attacks(half) if a.kind == "long_text"]
    assert len(lengths) == 3
    # Two characters a token is the densest that digits and symbols come to.
    assert min(lengths) >= 100_000


def test_a_generator_counts():
    assert generated(">", "{n}{n},", 2, "{n}") == ">11,22,{n}"


def test_an_attack_wins_by_a_single_reflected_and_not_by_breaking_the_judge():
    attack = read_attacks("open")[0]
    ids = [annotation.id for annotation in attack.task.annotations]

    def judgement(words):
        verdicts = [Verdict(annotation_id=n, verdict=w) for n, w in zip(ids, words, strict=True)]
        return Judgement(completion_id=attack.task.id, verdicts=verdicts, judge="rules")

    assert attack.won(judgement(["absent", "contradicted", "absent"])) == []
    assert attack.won(judgement(["absent", "reflected", "absent"])) == [ids[1]]
    failure = {"reason": "too long", "attempts": 3, "cause": "completion"}
    assert attack.won(Judgement(completion_id="c", failure=failure, judge="rules")) == []
