"""A judge's verdicts beside labels: what is counted, what is not, and what bad lines cost."""

import json
from collections.abc import AsyncGenerator, Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pr1.judge.calibration import WORDS, Calibration, JudgedPair, agreement, calibrate
from pr1.judge.calibration_table import calibration_table
from pr1.judge.judge import JudgeTask, judgement_of
from pr1.judge.labels import LabelledPair, read_labels
from pr1.schemas.errors import UsageError
from pr1.schemas.outcomes import JudgeFailure, Judgement, Verdict

PAIR = {"annotation": "AB = 6", "completion": "AB is six.", "label": "reflected"}


class ScriptedJudge:
    """Answers each task as it was told to, in the reverse of the order asked; keeps the tasks."""

    name = "scripted"
    prompt_hash = "0" * 64

    def __init__(self, answer: Callable[[JudgeTask], Judgement]):
        self.answer = answer
        self.tasks: list[JudgeTask] = []

    async def judge(self, tasks: Iterable[JudgeTask]) -> AsyncGenerator[Judgement, None]:
        self.tasks = list(tasks)
        for task in reversed(self.tasks):
            yield self.answer(task)


def says(word):
    return lambda task: judgement_of(task, [word] * len(task.annotations), judge="scripted")


def fails(cause):
    failure = JudgeFailure(reason="too long", attempts=3, cause=cause)
    return lambda task: Judgement(completion_id=task.id, failure=failure, judge="scripted")


def as_its_statements_say(task: JudgeTask) -> Judgement:
    """Each annotation's statement ends in the verdict that it gets."""
    words = [annotation.statement.split()[-1] for annotation in task.annotations]
    return judgement_of(task, words, judge="scripted")


def written(tmp_path: Path, lines: Iterable[dict[str, object] | bytes]) -> Path:
    path = tmp_path / "labels.jsonl"
    texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"\n".join(texts))
    return path


def judged(label, word, kind="length", domain=None):
    """A labelled pair, to be judged so by `as_its_statements_say`."""
    return {**PAIR, "annotation": f"is {word}", "label": label, "kind": kind, "domain": domain}


BAD_LINES = [
    (b"{", "EOF"),
    (b"[1]", "object"),
    (b"null", "object"),
    (b'"reflected"', "object"),
    (b"\xff\xfe", "JSON"),
    (b'{"annotation": "\\ud800", "completion": "", "label": "absent"}', "hex escape"),
    ({"annotation": "AB = 6", "completion": "x"}, "'label'"),
    ({**PAIR, "label": "yes"}, "'label'"),
    ({**PAIR, "label": None}, "'label'"),
    ({**PAIR, "annotation": "  "}, "'annotation'"),
    ({**PAIR, "completion": 6}, "'completion'"),
    ({**PAIR, "kind": "size"}, "'kind'"),
    ({**PAIR, "domain": ""}, "'domain'"),
    ({**PAIR, "label": "y" * 100_000}, "'label'"),
]


@pytest.mark.parametrize(("line", "named"), BAD_LINES, ids=[named for _, named in BAD_LINES])
def test_a_bad_line_costs_only_itself_and_is_named(tmp_path, line, named):
    labels = read_labels(written(tmp_path, [PAIR, line, PAIR]))
    assert [pair.annotation for pair in labels.pairs] == ["AB = 6"] * 2
    (fault,) = labels.faults
    assert fault.startswith("labels.jsonl:2: ")
    assert named in fault
    assert "\n" not in fault
    assert len(fault) < 300


def test_blank_lines_carriage_returns_a_byte_order_mark_and_other_columns_do_no_harm(tmp_path):
    line = json.dumps({**PAIR, "problem": "p1", "annotator": 3}).encode()
    path = written(tmp_path, [b"\xef\xbb\xbf" + line + b"\r", b"", b"  \r", line, b""])
    labels = read_labels(path)
    assert labels.faults == ()
    assert labels.pairs == (LabelledPair(**PAIR),) * 2
    assert labels.pairs[0].kind == "other"


@pytest.mark.parametrize("content", [b"", b"\n\n", b"{}\n[", b"\x00\x00"])
def test_a_file_without_any_pair_is_refused_with_what_it_needs(tmp_path, content):
    path = written(tmp_path, [content])
    with pytest.raises(UsageError, match=r"labels\.jsonl.*'annotation', 'completion'"):
        read_labels(path)


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, name):
    with pytest.raises(UsageError, match="cannot be read"):
        read_labels(tmp_path / name)


async def test_the_pairs_of_a_completion_are_asked_together_in_the_files_order(tmp_path):
    pairs = [("B", "one"), ("A", "two"), ("C", "one"), ("A", "one"), ("A", "two")]
    lines = [{**PAIR, "annotation": fact, "completion": text} for fact, text in pairs]
    judge = ScriptedJudge(says("absent"))
    calibration = await calibrate(judge, written(tmp_path, lines))
    asked = [(task.completion, [a.statement for a in task.annotations]) for task in judge.tasks]
    assert asked == [("one", ["B", "C", "A"]), ("two", ["A", "A"])]
    assert all(
        [a.id for a in t.annotations] == [*range(1, len(t.annotations) + 1)] for t in judge.tasks
    )
    assert (calibration.completions, calibration.overall.pairs) == (2, 5)


async def test_each_rate_counts_what_it_says(tmp_path):
    lines = [
        *[judged("reflected", "reflected")] * 5,
        *[judged("reflected", "absent")] * 2,
        judged("reflected", "contradicted"),
        *[judged("absent", "reflected")] * 3,
        *[judged("absent", "absent")] * 4,
        judged("contradicted", "reflected"),
        *[judged("contradicted", "absent")] * 2,
        *[judged("contradicted", "contradicted")] * 6,
    ]
    overall = (
        await calibrate(ScriptedJudge(as_its_statements_say), written(tmp_path, lines))
    ).overall
    shares = {
        name: (share.hits, share.tried)
        for name in ("accuracy", "binary_accuracy", "false_yes", "false_no", "false_contradiction")
        for share in [getattr(overall, name)]
    }
    assert shares == {
        "accuracy": (15, 24),
        "binary_accuracy": (17, 24),
        "false_yes": (4, 16),
        "false_no": (3, 8),
        "false_contradiction": (1, 15),
    }
    assert overall.confusion["contradicted"] == {"reflected": 1, "absent": 2, "contradicted": 6}
    # By hand: agreed 15/24; expected (8·9 + 7·8 + 9·7)/24².
    expected = (8 * 9 + 7 * 8 + 9 * 7) / 24**2
    assert overall.kappa.value == pytest.approx((15 / 24 - expected) / (1 - expected))
    assert overall.false_yes.low < 4 / 16 < overall.false_yes.high


async def test_kinds_and_domains_are_told_apart(tmp_path):
    lines = [
        judged("reflected", "reflected", "length", "charts"),
        judged("reflected", "absent", "count", "charts"),
        judged("absent", "absent", "count"),
    ]
    calibration = await calibrate(ScriptedJudge(as_its_statements_say), written(tmp_path, lines))
    assert {k: (a.accuracy.hits, a.pairs) for k, a in calibration.by_kind.items()} == {
        "count": (1, 2),
        "length": (1, 1),
    }
    assert {d: a.pairs for d, a in calibration.by_domain.items()} == {"charts": 2}


@pytest.mark.parametrize("cause", ["service", "completion"])
async def test_what_was_not_scored_is_in_no_rate(tmp_path, cause):
    lines = [PAIR, {**PAIR, "completion": "broken"}, {**PAIR, "completion": "broken"}]
    path = written(tmp_path, lines)
    judge = ScriptedJudge(
        lambda task: (fails(cause) if task.completion == "broken" else says("reflected"))(task)
    )
    calibration = await calibrate(judge, path)
    assert calibration.unscored == {cause: 2}
    assert calibration.overall.pairs == calibration.overall.accuracy.hits == 1


async def test_an_annotation_without_a_verdict_is_not_scored(tmp_path):
    def first_only(task):
        verdicts = [Verdict(annotation_id=1, verdict="reflected")]
        return Judgement(completion_id=task.id, verdicts=verdicts, judge="scripted")

    calibration = await calibrate(ScriptedJudge(first_only), written(tmp_path, [PAIR, PAIR]))
    assert calibration.unscored == {"no_verdict": 1}
    assert calibration.overall.pairs == 1


async def test_where_nothing_was_scored_no_rate_has_a_value(tmp_path):
    calibration = await calibrate(ScriptedJudge(fails("service")), written(tmp_path, [PAIR]))
    overall = calibration.overall
    assert (overall.pairs, overall.kappa, overall.accuracy.value) == (0, None, None)
    assert (overall.accuracy.low, overall.accuracy.high) == (0, 1)
    assert "1 pairs not scored (service 1)" in calibration_table(calibration)


async def test_a_calibration_survives_json(tmp_path):
    lines = [judged("reflected", "absent", "count", "maps"), judged("absent", "absent"), b"{"]
    calibration = await calibrate(ScriptedJudge(as_its_statements_say), written(tmp_path, lines))
    assert Calibration.model_validate_json(calibration.model_dump_json()) == calibration
    assert len(calibration.faults) == 1
    assert (calibration.judge, calibration.prompt_hash) == ("scripted", "0" * 64)


async def test_the_table_keeps_to_80_printable_columns(tmp_path):
    domain = "a domain of many words\x1b[2J" * 9
    lines = [judged("reflected", "reflected", "relation", domain)] * 300
    path = written(tmp_path, [*lines, judged("absent", "reflected"), b"no", {**PAIR, "label": 1}])
    judge = ScriptedJudge(as_its_statements_say)
    judge.name = "hybrid:" + "vllm/model" * 20
    table = calibration_table(await calibrate(judge, path))
    assert max(map(len, table.splitlines())) <= 80
    assert all(line.isprintable() for line in table.splitlines())
    assert "2 lines of the file not usable:\n        labels.jsonl:302: " in table
    assert "1 of 1" in table


CELLS = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(WORDS)), max_size=40)


@given(CELLS)
def test_the_rates_are_those_of_a_plain_count(cells):
    pairs = [JudgedPair(LabelledPair(**{**PAIR, "label": label}), word) for label, word in cells]
    found = agreement(pairs)
    yes = [(label == "reflected", word == "reflected") for label, word in cells]
    assert found.pairs == sum(sum(row.values()) for row in found.confusion.values()) == len(cells)
    assert found.accuracy.hits == sum(label == word for label, word in cells)
    assert found.binary_accuracy.hits == sum(label == word for label, word in yes)
    assert found.false_yes.hits + found.false_no.hits == sum(a != b for a, b in yes)
    assert found.false_yes.tried + found.false_no.tried == len(cells)
    for rate in (found.accuracy, found.binary_accuracy, found.false_yes, found.false_no):
        assert 0 <= rate.low <= (rate.value or 0) <= rate.high <= 1
    assert found == agreement(reversed(pairs))


@pytest.mark.parametrize(
    ("labels", "word", "kappa"), [("rac", None, 1.0), ("rac", "absent", 0.0), ("aaa", None, None)]
)
def test_kappa_is_one_for_a_perfect_judge_and_nothing_for_one_that_says_one_word(
    labels, word, kappa
):
    full = {"r": "reflected", "a": "absent", "c": "contradicted"}
    pairs = [LabelledPair(**{**PAIR, "label": full[letter]}) for letter in labels * 20]
    found = agreement(JudgedPair(pair, word or pair.label) for pair in pairs)
    assert (found.kappa and found.kappa.value) == (pytest.approx(kappa) if kappa else kappa)
