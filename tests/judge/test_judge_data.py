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
HALVES_2 = ("frozen_2", "open_2")


@pytest.mark.parametrize("name", ["tune.jsonl", "held_out.jsonl"])
def test_every_line_is_a_labelled_pair_and_none_stands_twice(name):
    labels = read_labels(LABELS / name)
    assert labels.faults == ()
    assert len(labels.pairs) >= 300
    assert len({(pair.annotation, pair.completion) for pair in labels.pairs}) == len(labels.pairs)
    assert len({pair.domain for pair in labels.pairs}) == 8
    shares = Counter(pair.label for pair in labels.pairs)
    assert min(shares.values()) >= 0.15 * len(labels.pairs)


@pytest.mark.parametrize("name", ["tune_2.jsonl", "held_out_2.jsonl"])
def test_the_fresh_pairs_are_labelled_and_none_stands_twice(name):
    labels = read_labels(LABELS / name)
    assert labels.faults == ()
    assert len({(pair.annotation, pair.completion) for pair in labels.pairs}) == len(labels.pairs)
    assert len({pair.completion for pair in labels.pairs}) == 30
    assert {pair.label for pair in labels.pairs} == {"reflected", "absent", "contradicted"}


@pytest.mark.parametrize("suffix", ["", "_2"])
def test_no_problem_and_no_completion_is_in_both_halves(suffix):
    tune, held_out = (
        [json.loads(line) for line in (LABELS / name).read_text(encoding="utf-8").splitlines()]
        for name in (f"tune{suffix}.jsonl", f"held_out{suffix}.jsonl")
    )
    for column in ("problem", "completion"):
        assert not {row[column] for row in tune} & {row[column] for row in held_out}


@pytest.mark.parametrize("halves", [HALVES, HALVES_2])
def test_both_halves_hold_every_attack_with_other_texts(halves):
    frozen, opened = (read_attacks(half) for half in halves)
    assert {attack.kind for attack in frozen} == {attack.kind for attack in opened}
    assert len({attack.task.id for attack in frozen + opened}) == len(frozen + opened) >= 60
    assert len({attack.task.completion for attack in frozen + opened}) == len(frozen + opened)


@pytest.mark.parametrize("name", [*HALVES, *HALVES_2, "later"])
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
