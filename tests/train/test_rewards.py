"""The combined reward: its parts, its three states, its judge and its log."""

import asyncio
import sys
import threading

import pytest
from fake_server import failed
from hypothesis import given, settings
from hypothesis import strategies as st
from rewarding import (
    ANNOTATIONS,
    END,
    RIGHT,
    ChecksHere,
    breakdown,
    columns,
    reward_by_model,
    reward_of,
    row,
    said,
    score,
)
from scripted_judge import ScriptedJudge, always, broken_completion, service_failure

from pr1.answers import AnswerCheck
from pr1.judge.judge import JudgeTask, judgement_of
from pr1.schemas.completion_format import format_completion
from pr1.schemas.errors import BudgetSpent, ServiceDown, UsageError
from pr1.schemas.records import TrainAnnotation
from pr1.schemas.training import RewardConfig
from pr1.train.answer_process import AnswerProcesses
from pr1.train.reward_log import reward_columns, reward_metrics
from pr1.train.scoring import has_usable_reference

WRONG = format_completion("AB is 5 and BC is 7.", r"\boxed{13}")
EQUAL = AnswerCheck(True, "equal")
OUT_OF_TIME = AnswerCheck(None, "timeout")
HALF = ScriptedJudge(lambda task: ["reflected", "reflected", "absent", "absent"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (RIGHT, (1.0, 1.0, 0.5, 0.0)),
        (WRONG, (1.0, 0.0, 0.5, 0.0)),
        ("AB is 5 and BC is 7. The answer is 12.", (0.0, 1.0, 0.5, 0.0)),
        ("AB is 5 and BC is 7.", (0.0, 0.0, 0.5, 0.0)),
        ("", (0.0, 0.0, 0.5, 0.0)),
    ],
)
def test_the_parts_of_a_completion(text, expected):
    parts = breakdown(text, HALF)
    assert (parts.format, parts.accuracy, parts.visual, parts.repetition) == expected
    assert parts.total == pytest.approx(0.1 * expected[0] + 0.9 * expected[1] + 0.7 * expected[2])


@pytest.mark.parametrize(
    ("weights", "total"),
    [
        ({}, 0.1 + 0.9 + 0.35),
        ({"format": 2.0}, 2.0 + 0.9 + 0.35),
        ({"accuracy": 0.0}, 0.1 + 0.35),
        ({"visual": 0.0}, 0.1 + 0.9),
        ({"format": 0.0, "accuracy": 0.0, "visual": 0.0}, 0.0),
    ],
)
def test_weights_make_the_total(weights, total):
    parts = breakdown(RIGHT, HALF, RewardConfig(**weights))
    assert parts.total == pytest.approx(total)
    assert (parts.format, parts.accuracy, parts.visual) == (1.0, 1.0, 0.5), "parts carry no weight"


def test_repetition_and_length_are_taken_off():
    looping = "AB = 3, " * 500
    config = RewardConfig(length=0.5)
    _, (scored,) = score([row(looping)], HALF, config, max_completion_length=4_001)
    parts = scored.breakdown
    assert parts.repetition == pytest.approx(-2.0, abs=0.01)
    assert parts.length == -1.0
    assert parts.total == pytest.approx(0.35 + parts.repetition - 0.5)


def test_an_annotation_counts_by_its_weight():
    heavy = [{**one, "weight": 5.0 if one["id"] == 1 else 1.0} for one in ANNOTATIONS]
    only_first = ScriptedJudge(lambda task: ["reflected", "absent", "absent", "absent"])
    assert breakdown(RIGHT, only_first, annotations=heavy).visual == 5 / 8


@pytest.mark.parametrize(("penalty", "visual"), [(1.0, 0.0), (0.5, 0.125), (0.0, 0.25)])
def test_a_contradiction_takes_hits_back(penalty, visual):
    judge = ScriptedJudge(lambda task: ["reflected", "contradicted", "absent", "absent"])
    config = RewardConfig(contradiction_penalty=penalty)
    assert breakdown(RIGHT, judge, config).visual == visual


def test_a_conversation_counts_by_what_the_assistant_wrote():
    turns = [
        {"role": "assistant", "content": RIGHT[:30]},
        {"role": "assistant", "content": [{"type": "text", "text": RIGHT[30:]}]},
    ]
    _, (scored,) = score([{**row(), "completions": turns[:1]}], HALF)
    assert scored.completion.text == RIGHT[:30]
    _, (scored,) = score([{**row(), "completions": turns}], HALF)
    assert scored.completion.text == f"{RIGHT[:30]}\n{RIGHT[30:]}"


# Scored, scored zero, not scored


def test_a_completion_that_the_service_did_not_judge_is_not_scored():
    judge = ScriptedJudge(lambda t: service_failure() if t.id.endswith(".1") else ["absent"] * 4)
    rewards, scored = score([row(), row(), row()], judge)
    assert rewards == [pytest.approx(1.0), None, pytest.approx(1.0)]
    assert scored[1].breakdown.visual is None
    assert scored[1].breakdown.accuracy == 1.0
    assert scored[1].breakdown.reason == "visual: overloaded"


def test_a_completion_that_breaks_the_judge_earns_nothing_for_it():
    parts = breakdown(RIGHT, ScriptedJudge(lambda task: broken_completion()))
    assert parts.visual == 0.0
    assert parts.total == pytest.approx(1.0)
    assert parts.reason == "visual: too long for the judge"


def test_a_part_without_weight_is_asked_for_and_unscores_nothing():
    judge = ScriptedJudge(lambda task: service_failure())
    rewards, scored = score([row()] * 300, judge, RewardConfig(visual=0.0))
    assert len(judge.tasks) == 300
    assert rewards == [pytest.approx(1.0)] * 300
    assert scored[0].breakdown.visual is None
    unreadable = score([row(answer=r"\frac{1")], HALF, RewardConfig(accuracy=0.0))
    assert unreadable[0] == [pytest.approx(0.45)]


def test_a_problem_without_annotations_has_no_visual_part():
    judge = ScriptedJudge(always("reflected"))
    rewards, scored = score([row(annotations=[])], judge)
    assert rewards == [pytest.approx(1.0)]
    assert (judge.tasks, scored[0].judgement, scored[0].breakdown.visual) == ([], None, None)
    assert scored[0].breakdown.reason == "visual: no annotations"


def test_a_reference_that_cannot_be_read_leaves_the_completion_unscored():
    rewards, scored = score([row(answer=r"\frac{1")], HALF)
    assert rewards == [None]
    assert scored[0].breakdown.reason == "accuracy: reference_unparsable"


@pytest.mark.parametrize(
    ("answer", "choices", "is_usable"),
    [
        ("12", None, True),
        (r"2 \sqrt { 221 }", None, True),
        ("C", ["1", "2", "3"], True),
        ("x +", None, False),
        (" ", None, False),
        ("E", ["1", "2"], False),
    ],
)
def test_unusable_references_are_found_before_training(answer, choices, is_usable):
    assert has_usable_reference(answer, choices, "") is is_usable


def test_a_cut_completion_has_no_answer():
    cut = {**row(), "completion_ids": [7] * 50}
    rewards, scored = score([cut], HALF, max_completion_length=50)
    assert rewards == [pytest.approx(0.1 + 0.35 + scored[0].breakdown.repetition)]
    assert scored[0].breakdown.reason == "accuracy: cut"


def test_a_completion_that_ends_at_the_limit_is_not_cut():
    ended = {**row(), "completion_ids": [*range(1, 50), END]}
    rewards, _ = score([ended], HALF, max_completion_length=50)
    assert rewards == [pytest.approx(1.35)]


class SlowChecks(ChecksHere):
    """Gives the outcomes that it was made with, one after another, and notes what it is asked."""

    def __init__(self, outcomes):
        self.outcomes = iter(outcomes)
        self.asked = []

    async def check(self, items):
        self.asked.append([item.response for item in items])
        return [next(self.outcomes) for _ in items]


def test_a_comparison_out_of_time_is_made_again():
    answers = SlowChecks([EQUAL, OUT_OF_TIME, EQUAL])
    _, scored = score([row(), row(WRONG)], HALF, answers=answers)
    assert [one.breakdown.accuracy for one in scored] == [1.0, 1.0]
    assert answers.asked == [[RIGHT, WRONG], [WRONG]]


def test_a_comparison_twice_out_of_time_is_not_scored():
    _, (scored,) = score([row()], HALF, answers=SlowChecks([OUT_OF_TIME] * 2))
    parts = scored.breakdown
    assert (parts.accuracy, parts.total, parts.reason) == (None, None, "accuracy: timeout")


def test_answers_are_checked_in_processes_of_their_own():
    answers = AnswerProcesses()
    with reward_of(HALF, answers=answers) as reward:
        rewards = asyncio.run(reward(**columns([row(), row(WRONG)])))
        processes = [one._process for one in answers._processes]
        assert rewards == [pytest.approx(1.35), pytest.approx(0.45)]
    assert None not in [process.returncode for process in processes]


def test_without_the_process_that_checks_answers_the_run_stops(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with reward_of(HALF, answers=AnswerProcesses()) as reward:
        assert asyncio.run(reward(**columns([row()]))) == [None]
        assert "process that checks answers" in reward.stop_reason


# The judge


def test_a_judgement_that_comes_with_a_completion_is_not_asked_for():
    task = JudgeTask("x", tuple(map(TrainAnnotation.model_validate, ANNOTATIONS)), RIGHT)
    ready = judgement_of(task, ["reflected"] * 4, judge="early")
    judge = ScriptedJudge(always("absent"))
    rows = [row(judgement=ready), row(judgement=ready.model_dump()), row(judgement=None)]
    rewards, scored = score(rows, judge)
    assert len(judge.tasks) == 1
    assert rewards == [pytest.approx(1.7), pytest.approx(1.7), pytest.approx(1.0)]
    assert [one.judgement.judge for one in scored] == ["early", "early", "scripted"]


def test_the_judge_lives_in_one_loop_and_is_closed_there():
    judge = ScriptedJudge(always("reflected"))
    with reward_of(judge) as reward:
        assert judge.events == []
        for _ in range(3):  # a loop of its own each time, as in the published code
            asyncio.run(reward(**columns([row()])))
        assert (len(judge.loops), judge.events) == (1, ["opened"])
    assert judge.events == ["opened", "closed"]
    reward.close()
    assert judge.events == ["opened", "closed"]


def test_calls_at_once_from_several_threads_open_one_judge():
    judge = ScriptedJudge(always("reflected"))
    rewards = []
    with reward_of(judge) as reward:

        def call(n):
            rewards.extend(asyncio.run(reward(**columns([row(id=f"p{n}")] * 4))))

        threads = [threading.Thread(target=call, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert judge.events == ["opened", "closed"]
    assert rewards == [pytest.approx(1.7)] * 24


def test_closing_stops_what_is_being_scored():
    judge = ScriptedJudge(always("reflected"))
    asked = threading.Event()

    async def never(tasks):
        asked.set()
        await asyncio.sleep(3600)
        yield

    judge.judge = never
    reward = reward_of(judge)
    ended = []

    def call():
        try:
            asyncio.run(reward(**columns([row()])))
        except asyncio.CancelledError:
            ended.append("cancelled")

    thread = threading.Thread(target=call)
    thread.start()
    assert asked.wait(10)
    reward.close()
    thread.join(10)
    assert ended == ["cancelled"]
    assert judge.events == ["opened", "closed"]


def test_a_judge_that_fails_too_often_stops_the_run():
    down = threading.Event()
    judge = ScriptedJudge(lambda t: service_failure("503") if down.is_set() else ["absent"] * 4)
    with reward_of(judge) as reward:
        batch = columns([row()] * 8)
        for _ in range(40):
            asyncio.run(reward(**batch))
        down.set()
        for _ in range(3):  # 24 of 256 are 9.4%
            assert asyncio.run(reward(**batch)) == [None] * 8
        assert reward.stop_reason is None
        asyncio.run(reward(**batch))
        assert "left 32 of the last 256 completions unjudged" in reward.stop_reason
        assert "503" in reward.stop_reason


def test_a_large_batch_is_a_window_of_its_own():
    judge = ScriptedJudge(lambda t: service_failure() if t.id.endswith("0") else ["absent"] * 4)
    with reward_of(judge, RewardConfig(max_judge_failures=0.1)) as reward:
        asyncio.run(reward(**columns([row()] * 1000)))  # 100 failures: 10%, and not more
        assert reward.stop_reason is None
        asyncio.run(reward(**columns([row()] * 1001)))
        assert "left 101 of the last 1001" in reward.stop_reason


def test_a_judge_that_ends_midway_leaves_the_rest_unscored_and_stops_the_run():
    budget = BudgetSpent("the budget of $2 is spent")

    def answer(task):
        if task.id.endswith(".0"):
            raise budget
        return ["reflected"] * 4

    with reward_of(ScriptedJudge(answer)) as reward:
        rewards = asyncio.run(reward(**columns([row(), row(), row()])))
        assert rewards == [None, pytest.approx(1.7), pytest.approx(1.7)]
        assert reward.stop_reason == "the budget of $2 is spent"


def test_without_a_visual_weight_the_judge_stops_nothing():
    def answer(task):
        raise ServiceDown("no answer")

    with reward_of(ScriptedJudge(answer), RewardConfig(visual=0.0)) as reward:
        assert asyncio.run(reward(**columns([row()]))) == [pytest.approx(1.0)]
        assert reward.stop_reason is None


def test_a_judge_that_is_down_is_found_before_the_run():
    with (
        reward_of(ScriptedJudge(lambda task: service_failure("connection refused."))) as reward,
        pytest.raises(ServiceDown, match="does not judge: connection refused"),
    ):
        reward.check_judge()
    with reward_of() as reward:
        reward.check_judge()
        assert asyncio.run(reward(**columns([row()]))) == [pytest.approx(1.35)]


def test_a_server_that_turns_us_away_midway_stops_the_run(fake_server, tmp_path):
    fake_server.answer = lambda body: said("rraa")
    with reward_by_model(fake_server.openai_url, tmp_path) as reward:
        assert asyncio.run(reward(**columns([row()] * 8))) == [pytest.approx(1.35)] * 8
        fake_server.answer = lambda body: failed(401, "the key has expired")
        rows = [row(f"{RIGHT}{' ' * n}") for n in range(40)]
        assert asyncio.run(reward(**columns(rows)))[1:] == [None] * 39  # the first is in the store
        assert "the key has expired" in reward.stop_reason


def test_a_judge_that_answered_before_is_asked_again_before_a_resumed_run(fake_server, tmp_path):
    fake_server.answer = lambda body: said("r")
    with reward_by_model(fake_server.openai_url, tmp_path) as reward:
        reward.check_judge()
    fake_server.answer = lambda body: failed(503)
    with reward_by_model(fake_server.openai_url, tmp_path) as reward, pytest.raises(ServiceDown):
        reward.check_judge()


def test_an_error_of_the_judge_is_not_swallowed():
    def answer(task):
        raise ZeroDivisionError("a bug")

    with reward_of(ScriptedJudge(answer)) as reward, pytest.raises(ZeroDivisionError):
        asyncio.run(reward(**columns([row()])))


def test_a_missing_column_is_named():
    rows = columns([row()])
    del rows["annotations"]
    with reward_of(HALF) as reward, pytest.raises(UsageError, match="'annotations'"):
        asyncio.run(reward(**rows))


# The log


class Log:
    """What TRL's `log_metric` and `log_extra` were told."""

    def __init__(self):
        self.metrics, self.columns = {}, {}

    def kwargs(self):
        return {"log_metric": self.metrics.__setitem__, "log_extra": self.columns.__setitem__}


def test_parts_failures_and_verdicts_are_logged():
    said = iter(
        [
            ["reflected", "reflected", "absent", "contradicted"],
            broken_completion(),
            service_failure(),
            ["reflected", "absent", "absent", "absent"],
        ]
    )
    rows = [row(), row(WRONG), row(), row(), row(annotations=[]), row(answer=r"\frac{1")]
    by_place = {f"p1@3.{n}": words for n, words in enumerate(said)}
    judge = ScriptedJudge(lambda task: by_place.get(task.id, ["absent"] * 4))
    told, sink = Log(), []
    with reward_of(judge, on_scored=sink.extend) as reward:
        state = type("State", (), {"global_step": 3})()
        asyncio.run(reward(**columns(rows), trainer_state=state, **told.kwargs()))
    assert told.metrics == pytest.approx(
        {
            "parts/format": 1.0,
            "parts/accuracy": 4 / 5,
            "parts/visual": (0.25 + 0.0 + 0.25 + 0.0) / 4,
            "parts/repetition": 0.0,
            "parts/length": 0.0,
            "unscored/total": 2 / 6,
            "unscored/accuracy": 1 / 6,
            "unscored/judge": 1 / 6,
            "judge/broken": 1 / 6,
            "judge/asked": 20 / 6,
            "judge/reflected": 3 / 12,
            "judge/absent": 8 / 12,
            "judge/contradicted": 1 / 12,
        }
    )
    assert told.columns["verdicts"] == [
        "reflected 1 2, absent 3, contradicted 4",
        None,
        None,
        "reflected 1, absent 2 3 4",
        None,
        "absent 1 2 3 4",
    ]
    assert told.columns["accuracy"] == [1.0, 0.0, 1.0, 1.0, 1.0, None]
    assert told.columns["unscored_because"][2:] == [
        "visual: overloaded",
        None,
        "visual: no annotations",
        "accuracy: reference_unparsable",
    ]
    assert [one.step for one in sink] == [3] * 6
    assert sink[0].judgement.completion_id == "p1@3.0"
    assert (sink[1].completion.problem_id, sink[1].completion.text) == ("p1", WRONG)


def test_a_part_that_nobody_has_is_left_out_of_the_log():
    _, scored = score([row(annotations=[])], HALF)
    metrics = reward_metrics(scored)
    assert not {"parts/visual", "judge/reflected"} & set(metrics)
    assert metrics["judge/asked"] == 0.0
    assert {len(values) for values in reward_columns(scored).values()} == {1}


# Properties

TEXTS = st.one_of(
    st.just(RIGHT),
    st.text(max_size=60),
    st.text("AB=5, \\boxed{12}<think>/answer\n", max_size=80),
    st.builds(format_completion, st.text(max_size=30), st.text(max_size=20)),
)
WORDS = st.lists(st.sampled_from(["reflected", "absent", "contradicted"]), min_size=4, max_size=4)
SAID = st.one_of(WORDS, st.just("service"), st.just("completion"))
FAILURES = {"service": service_failure(), "completion": broken_completion()}
WEIGHTS = st.floats(0, 1000)
CONFIGS = st.builds(
    RewardConfig,
    format=WEIGHTS,
    accuracy=WEIGHTS,
    visual=WEIGHTS,
    repetition=WEIGHTS,
    length=WEIGHTS,
    contradiction_penalty=WEIGHTS,
)


def judge_saying(by_text):
    return ScriptedJudge(lambda t: FAILURES.get(by_text[t.completion]) or by_text[t.completion])


class Verdicts(dict):
    """Words by text; a string stands for a failure."""

    def __getitem__(self, text):
        said = super().__getitem__(text)
        return said if isinstance(said, str) else tuple(said)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(TEXTS, SAID, min_size=1, max_size=5), CONFIGS)
def test_a_total_is_bounded_or_none(by_text, config):
    rewards, scored = score(
        [row(text) for text in by_text], judge_saying(Verdicts(by_text)), config
    )
    lowest = -(2 * config.repetition + config.length)
    highest = config.format + config.accuracy + config.visual
    for reward, one in zip(rewards, scored, strict=True):
        is_unjudged = by_text[one.completion.text] == "service" and config.visual > 0
        assert (reward is None) == is_unjudged
        assert reward is None or lowest - 1e-9 <= reward <= highest + 1e-9


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(TEXTS, SAID, min_size=2, max_size=5), st.randoms())
def test_the_order_of_the_rows_does_not_matter(by_text, random):
    rows = [row(text) for text in by_text]
    judge = judge_saying(Verdicts(by_text))
    shuffled = random.sample(rows, len(rows))
    there, _ = score(rows, judge)
    back, _ = score(shuffled, judge)
    by_row = dict(zip([one["completions"] for one in shuffled], back, strict=True))
    assert there == [by_row[one["completions"]] for one in rows]
