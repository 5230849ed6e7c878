"""`pr1 filter --policy` against a policy on this machine: what is asked, found, kept and told."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import pytest
from annotated_sets import annotated, fact, filter_problems, problem, told
from fake_server import FakeServer, Reply, asked_text, cut, failed, refused, truncated
from scripted_policy import (
    BLIND,
    HINT,
    HURT,
    MASTERED,
    PERCEPTION,
    REASONING,
    UNSURE,
    Policy,
    Rates,
    answer,
    read,
)

from pr1.answers import worker
from pr1.filter.paired.testing import FRESH
from pr1.filter.plan import plan_filter
from pr1.llm import health, pacing, sending
from pr1.outputs.rows import read_rows
from pr1.schemas.config import Execution, FilterConfig, ModelConfig, PolicyConfig
from pr1.schemas.errors import BudgetSpent, ServiceDown, TooManyFailures, UsageError
from pr1.schemas.progress import Progress
from pr1.schemas.records import TrainRow

ALL = [PERCEPTION, PERCEPTION, MASTERED, REASONING, HURT, HINT, UNSURE]
BUCKETS = {
    "p0": "perception-limited",
    "p1": "perception-limited",
    "p2": "mastered",
    "p3": "reasoning-limited",
    "p4": "annotations-hurt",
    "p5": "undetermined",
    "p6": "undetermined",
}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(pacing, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(health, "PATIENCE_AT_FIRST_S", 0.1)
    monkeypatch.setattr(health, "PATIENCE_S", 0.1)


class Case:
    """An annotated set, a policy for it, and the filter run on both."""

    def __init__(self, folder: Path, server: FakeServer, rates: list[Rates], **changes: Any):
        problems = [told(number, **changes) for number in range(len(rates))]
        self.source = annotated(folder / "in", problems)
        self.folder = folder
        self.server = server
        self.policy = server.answer = Policy(dict(enumerate(rates)))

    def config(self, **changes: Any) -> FilterConfig:
        of_policy = {
            name: changes.pop(name) for name in [*changes] if name in PolicyConfig.model_fields
        }
        model = ModelConfig(name="vllm/policy", base_url=self.server.openai_url)
        policy = PolicyConfig(model=model, **of_policy)
        return FilterConfig(annotated=str(self.source), policy=policy, **changes)

    def run(self, out: str = "out", **changes: Any) -> Any:
        options = {
            name: changes.pop(name) for name in [*changes] if name in ("overwrite", "on_progress")
        }
        return filter_problems(self.config(**changes), self.folder / out, **options)

    def buckets(self, out: str = "out") -> dict[str, str]:
        return {id_: found["bucket"] for id_, found in self.outcomes(out).items()}

    def outcomes(self, out: str = "out") -> dict[str, dict[str, Any]]:
        lines = (self.folder / out / "paired_outcomes.jsonl").read_text().splitlines()
        return {line["problem_id"]: line["paired"] for line in map(json.loads, lines)}

    def lines(self, name: str, out: str = "out") -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / out / name).read_text().splitlines()]

    def rows(self, out: str = "out") -> list[TrainRow]:
        return list(read_rows(self.folder / out, TrainRow))


@pytest.fixture
def case(tmp_path: Path, fake_server: FakeServer) -> Any:
    return lambda rates, **changes: Case(tmp_path, fake_server, rates, **changes)


def test_the_buckets_come_out_and_every_problem_is_accounted_for(case: Any) -> None:
    every = case(ALL)
    seen: list[Progress] = []
    manifest = every.run(on_progress=seen.append)
    assert every.buckets() == BUCKETS
    kept = {row.id: row for row in every.rows()}
    assert {id_: row.bucket for id_, row in kept.items()} == {
        id_: bucket
        for id_, bucket in BUCKETS.items()
        if bucket in ("perception-limited", "undetermined")
    }
    first = kept["p0"].paired
    assert first is not None
    assert (first.solved, first.tried) == ({"a": 0, "b": 8}, {"a": 8, "b": 8})
    assert first.effect == 1.0
    assert first.confirmation is not None
    assert first.confirmation.tried == {"a": FRESH, "b": FRESH, "s": FRESH}
    assert {line["id"]: line["reason"] for line in every.lines("dropped.jsonl")} == {
        "p2": "bucket: mastered",
        "p3": "bucket: reasoning-limited",
        "p4": "bucket: annotations-hurt",
    }
    assert every.lines("dropped.jsonl")[0]["detail"] == "a 8 of 8, b 8 of 8"
    assert (manifest.counts.read, manifest.counts.rows, manifest.counts.failed) == (7, 4, 0)
    assert manifest.facts["paired"]["buckets"] == {
        "mastered": 1,
        "perception-limited": 2,
        "annotations-hurt": 1,
        "reasoning-limited": 1,
        "undetermined": 2,
        "blind-solved": 0,
    }
    assert manifest.usage.requests == manifest.traffic["requests"] == len(every.server.bodies)
    assert manifest.prompts.keys() == {"policy_prompt"}
    assert seen[-1].doing == "confirmation"
    assert (seen[-1].done, seen[-1].total) == (3, 3)


def test_requests_are_counted_exactly(case: Any) -> None:
    every = case(ALL)
    every.run(rollouts=8, max_rollouts=32)
    fresh = {0: FRESH, 1: FRESH, 5: FRESH}
    for condition in ("a", "b"):
        wanted = {number: 8 + fresh.get(number, 0) for number in range(6)}
        assert every.policy.of_condition(condition) == {**wanted, 6: 32}
    assert every.policy.of_condition("s") == fresh
    assert every.policy.of_condition("blind") == {}
    keys = [(*read(body), body["seed"]) for body in every.server.bodies]
    assert len(set(keys)) == len(keys), "every sample has a seed of its own"


def test_a_second_run_sends_nothing_and_writes_the_same_bytes(case: Any) -> None:
    every = case(ALL)
    every.run("one")
    sent = len(every.server.bodies)
    every.run("two")
    assert len(every.server.bodies) == 2 * sent
    again = every.run("one", overwrite=True)
    assert len(every.server.bodies) == 2 * sent
    assert again.usage.requests == 0
    assert again.usage_in_all.requests == sent
    assert again.traffic["from_store"] == sent
    one, two = (
        {
            path.relative_to(every.folder / out): path.read_bytes()
            for path in (every.folder / out).rglob("*.*")
            if path.suffix in (".parquet", ".jsonl")
        }
        for out in ("one", "two")
    )
    assert one == two


def test_the_folder_opens_as_a_dataset_with_typed_columns(case: Any, tmp_path: Path) -> None:
    case(ALL).run()
    loaded = datasets.load_dataset(
        str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache")
    )
    first = loaded[0]
    assert first["bucket"] == "perception-limited"
    assert first["paired"]["solved"] == {"a": 0, "b": 8, "s": None, "blind": None}
    assert first["paired"]["confirmation"]["is_confirmed"] is True
    assert len(first["paired"]["effect_ci"]) == 2
    assert loaded[-1]["paired"]["confirmation"] is None


def test_without_a_policy_nothing_is_sent_and_no_bucket_is_told(
    tmp_path: Path, fake_server: FakeServer
) -> None:
    source = annotated(tmp_path / "in", [told(0), told(1)])
    manifest = filter_problems(FilterConfig(annotated=str(source)), tmp_path / "out")
    assert manifest.counts.rows == 2
    assert manifest.usage_in_all is None
    assert not (tmp_path / "out" / "paired_outcomes.jsonl").exists()
    assert "Paired difficulty pass" not in (tmp_path / "out" / "README.md").read_text()
    assert fake_server.bodies == []


def test_outcomes_of_an_earlier_pass_do_not_stay_behind(case: Any) -> None:
    two = case([PERCEPTION, MASTERED])
    two.run()
    without = FilterConfig(annotated=str(two.source))
    filter_problems(without, two.folder / "out", overwrite=True)
    assert not (two.folder / "out" / "paired_outcomes.jsonl").exists()
    assert [row.paired for row in two.rows()] == [None, None]


@pytest.mark.parametrize(
    ("rates", "bucket", "fresh"),
    [
        (MASTERED, "mastered", 0),
        (REASONING, "reasoning-limited", 0),
        (PERCEPTION, "perception-limited", FRESH),
    ],
)
def test_problems_that_are_all_alike(case: Any, rates: Rates, bucket: str, fresh: int) -> None:
    alike = case([rates] * 3)
    manifest = alike.run(max_rollouts=8)
    assert set(alike.buckets().values()) == {bucket}
    assert len(alike.server.bodies) == 3 * (2 * 8 + 3 * fresh)
    assert "Paired difficulty pass" in (alike.folder / "out" / "README.md").read_text()
    assert manifest.facts["paired"]["tested"] == 3


def test_one_rollout_decides_nothing(case: Any) -> None:
    few = case(ALL)
    few.run(rollouts=1, max_rollouts=1)
    assert set(few.buckets().values()) == {"undetermined"}
    assert len(few.server.bodies) == 2 * len(ALL)


def test_an_empty_set_is_no_crash(case: Any) -> None:
    manifest = case([]).run()
    assert manifest.counts.rows == 0
    assert manifest.facts["paired"]["global_p_value"] is None


def test_a_single_problem_has_no_donor_and_is_not_confirmed(case: Any) -> None:
    one = case([PERCEPTION])
    manifest = one.run()
    assert one.buckets() == {"p0": "undetermined"}
    assert manifest.facts["paired"]["candidates_without_donor"] == 1
    assert len(one.server.bodies) == 16
    assert "no other problem could lend" in (one.folder / "out" / "README.md").read_text()


def test_what_is_solved_without_the_picture_is_left_out_unless_named(case: Any) -> None:
    two = case([BLIND, PERCEPTION, PERCEPTION])
    two.run("seeing")
    assert two.buckets("seeing")["p0"] == "mastered"
    assert two.policy.of_condition("blind") == {}
    two.run("blind", blind=True)
    assert two.buckets("blind")["p0"] == "blind-solved"
    assert [row.id for row in two.rows("blind")] == ["p1", "p2"]
    assert two.policy.of_condition("blind") == {0: 8, 1: 8, 2: 8}
    two.run("named", blind=True, keep=["blind-solved"])
    assert [row.id for row in two.rows("named")] == ["p0"]


def test_letters_mean_the_options_as_they_were_shown(
    tmp_path: Path, fake_server: FakeServer
) -> None:
    """Without the picture, one problem is known by heart and the others are always answered A."""
    problems = [told(n, choices=["7", str(n), "8", "9"], answer="B") for n in range(3)]
    source = annotated(tmp_path / "in", problems)

    def by_letter(body: Any) -> str:
        number, condition = read(body)
        options = re.findall(r"^([A-D])\. (.*)$", asked_text(body), re.MULTILINE)
        (right,) = [letter for letter, text in options if text == str(number)]
        return answer(right if condition != "blind" or number == 0 else "A")

    fake_server.answer = by_letter
    model = ModelConfig(name="vllm/policy", base_url=fake_server.openai_url)
    policy = PolicyConfig(model=model, rollouts=16, max_rollouts=16, blind=True, keep=["mastered"])
    manifest = filter_problems(FilterConfig(annotated=str(source), policy=policy), tmp_path / "out")
    assert [row.id for row in read_rows(tmp_path / "out", TrainRow)] == ["p1", "p2"]
    facts = manifest.facts["paired"]
    assert facts["buckets"]["blind-solved"] == 1
    assert facts["thresholds"] == {"0.625": 3}
    by_chance = facts["rollouts_by_condition"]["blind"]["solved"] - 16
    assert 2 <= by_chance <= 16, "about a quarter of 32: A is right as often as any letter"


def test_a_size_takes_what_is_preferred_first(case: Any) -> None:
    every = case(ALL)
    for size, wanted in [(1, {"perception-limited": 1}), (3, {"perception-limited": 2})]:
        manifest = every.run(f"size{size}", size=size)
        buckets = Counter(row.bucket for row in every.rows(f"size{size}"))
        assert buckets.total() == size
        assert buckets["perception-limited"] == wanted["perception-limited"]
        assert manifest.counts.dropped_by_reason["not_selected"] == 4 - size
    every.run("other", size=1, keep=["undetermined", "perception-limited"])
    assert [row.bucket for row in every.rows("other")] == ["undetermined"]


def test_by_score_takes_what_the_annotations_help_most(case: Any) -> None:
    every = case([UNSURE] * 4 + [HINT], source="one")
    every.run(size=1, keep=["undetermined"], by_score=True)
    assert [row.id for row in every.rows()] == ["p4"]


def test_completions_that_are_no_answers_are_wrong_and_told_apart(case: Any) -> None:
    some = case([PERCEPTION] * 4)
    some.policy.special = {
        (0, "a"): truncated(answer(0)),
        (1, "a"): refused(),
        (2, "a"): "",
        (3, "a"): "<think>\nI look, and look,",
    }
    manifest = some.run()
    found = some.outcomes()
    assert {id_: one["solved"]["a"] for id_, one in found.items()} == {
        f"p{number}": 0 for number in range(4)
    }
    assert {id_: one["cut"]["a"] for id_, one in found.items()} == {
        "p0": 8,
        "p1": 0,
        "p2": 0,
        "p3": 0,
    }
    facts = manifest.facts["paired"]
    assert facts["no_answer_or_not_scored"] == {"no_answer": 2 * (8 + FRESH), "refused": 8 + FRESH}
    assert facts["rollouts_by_condition"]["a"]["cut"] == 8 + FRESH
    assert facts["buckets"]["perception-limited"] == 4
    assert facts["buckets_without_cut"]["perception-limited"] == 3
    card = (some.folder / "out" / "README.md").read_text()
    assert "Sensitivity: had they not been made" in card
    assert "`perception-limited` 3" in card


def test_a_problem_that_cannot_be_asked_about_fails_and_the_others_go_on(case: Any) -> None:
    some = case([PERCEPTION, MASTERED, PERCEPTION])
    some.policy.special[1, "b"] = failed(400, "too long")
    some.policy.special[2, "s"] = failed(400, "too long")
    manifest = some.run()
    assert some.buckets() == {"p0": "perception-limited"}
    assert [row.id for row in some.rows()] == ["p0"]
    first, second = some.lines("failures.jsonl")
    assert (first["id"], first["error"], first["stage"]) == ("p1", "bad_request", "filter")
    assert "8 of 16 rollouts did not come; the first: " in first["message"]
    assert (second["id"], second["error"]) == ("p2", "bad_request")
    assert (manifest.counts.read, manifest.counts.rows, manifest.counts.failed) == (3, 1, 2)


def test_a_reference_that_nothing_can_be_compared_with_fails_its_problem(
    tmp_path: Path, fake_server: FakeServer
) -> None:
    ready = [fact(1, statement="A0 = 1", extractor="perception-r1")]
    source = annotated(tmp_path / "in", [problem(0, answer="(", annotations=ready), told(1)])
    fake_server.answer = Policy({0: MASTERED, 1: MASTERED})
    model = ModelConfig(name="vllm/policy", base_url=fake_server.openai_url)
    config = FilterConfig(annotated=str(source), policy=PolicyConfig(model=model))
    manifest = filter_problems(config, tmp_path / "out")
    assert manifest.counts.failed_by_error == {"reference_unparsable": 1}
    assert manifest.facts["paired"]["problems"] == 1


@pytest.mark.parametrize("fault", [failed(401, "no such key"), failed(500), cut()])
def test_a_service_that_stops_answering_stops_the_pass_and_the_next_one_goes_on(
    case: Any, fault: Reply
) -> None:
    every = case(ALL)
    policy = every.policy
    down_from = 60

    def dies(body: Any) -> Any:
        return policy(body) if len(every.server.bodies) <= down_from else fault

    every.server.answer = dies
    with pytest.raises(ServiceDown, match="answers are kept, and the same command goes on"):
        every.run(execution=Execution(concurrency=4))
    assert not (every.folder / "out" / "manifest.json").exists()
    answered = policy.asked.total()
    every.server.answer = policy
    manifest = every.run()
    assert every.buckets() == BUCKETS
    assert manifest.usage.requests == policy.asked.total() - answered
    assert manifest.usage_in_all.requests == policy.asked.total()
    assert max(policy.asked.values()) <= 32, "no rollout was asked for twice"


def test_a_budget_stops_the_pass_and_a_larger_one_goes_on(case: Any) -> None:
    two = case([PERCEPTION, MASTERED])
    small = Execution(max_tokens_total=3_000)
    with pytest.raises(BudgetSpent, match="larger --max-tokens-total goes on"):
        two.run(max_tokens=100, execution=small)
    kept = len(two.server.bodies)
    assert 0 < kept < 32
    two.run(max_tokens=100)
    assert two.policy.asked[1, "a"] == two.policy.asked[1, "b"] == 8
    assert two.buckets()["p1"] == "mastered"


@pytest.mark.slow  # each comparison that is given up costs a process
def test_what_cannot_be_graded_is_not_scored_and_much_of_it_stops_the_pass(
    tmp_path: Path, fake_server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "TIMEOUT_S", 0.5)
    wanted = r"\int_0^2 e^{x^2} \cos(x^3) dx"
    problems = [told(0, answer=wanted), *map(told, range(1, 25))]
    source = annotated(tmp_path / "in", problems)
    policy = fake_server.answer = Policy(dict.fromkeys(range(25), MASTERED))
    policy.special[0, "b"] = answer(wanted)
    policy.special[0, "a"] = r"\boxed{\int_0^1 e^{x^2} \sin(x^3) dx}"
    model = ModelConfig(name="vllm/policy", base_url=fake_server.openai_url)
    once = PolicyConfig(model=model, rollouts=1, max_rollouts=1)

    few = FilterConfig(annotated=str(source), policy=once, limit=3)
    for _ in range(2):
        with pytest.raises(TooManyFailures, match="1 of 3 rollouts under condition a"):
            filter_problems(few, tmp_path / "few")
        assert len(fake_server.bodies) == 6, "the completions are kept"
    assert not (tmp_path / "few" / "manifest.json").exists()

    many = FilterConfig(annotated=str(source), policy=once)
    manifest = filter_problems(many, tmp_path / "many")
    assert manifest.facts["paired"]["no_answer_or_not_scored"] == {"timeout": 1}
    assert manifest.facts["paired"]["rollouts_by_condition"]["a"]["unscored"] == 1
    (line,) = (tmp_path / "many" / "paired_outcomes.jsonl").read_text().splitlines()[:1]
    outcome = json.loads(line)["paired"]
    assert (outcome["tried"]["a"], outcome["unscored"]["a"], outcome["p_value"]) == (0, 1, None)


def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(case: Any) -> None:
    every = case(ALL)
    out = every.folder / "out"

    def plan(**changes: Any) -> dict[str, Any]:
        return asyncio.run(plan_filter(every.config(**changes), out))

    planned = plan(max_tokens=100)
    json.dumps(planned)
    policy = planned["policy"]
    assert (planned["records_read"], planned["left"], policy["problems"]) == (7, 7, 7)
    assert policy["requests"] == 7 * 16
    assert policy["requests_at_most"] == 7 * (2 * 32 + 3 * FRESH)
    assert policy["pictures_sent_to"].startswith(f"{every.server.openai_url}: {7 * 16} pictures")
    assert policy["cost_usd"] is None
    assert plan(blind=True)["policy"]["requests"] == 7 * 24
    assert every.server.bodies == []
    assert not out.exists()
    every.run(max_tokens=100)
    after = plan(max_tokens=100)["policy"]
    assert (after["requests"], after["requests_answered"]) == (0, 7 * 16)


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("vllm/policy", {"min_annotations": 0}, "min-annotations 0 keeps problems that have none"),
        ("embedded", {}, "cannot see pictures"),
        ("vllm/policy", {}, "needs --base-url"),
        ("nobody/policy", {}, "is no chat model that pr1 knows"),
    ],
)
def test_a_policy_that_cannot_be_asked_is_refused_at_once(
    tmp_path: Path, name: str, changes: dict[str, Any], message: str
) -> None:
    source = annotated(tmp_path / "in", [told(0)])
    policy = PolicyConfig(model=ModelConfig(name=name))
    config = FilterConfig(annotated=str(source), policy=policy, **changes)
    with pytest.raises(UsageError, match=message):
        filter_problems(config, tmp_path / "out")
    assert not (tmp_path / "out").exists()
