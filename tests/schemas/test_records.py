"""The records: they round-trip, are immutable, and know no field but their own."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pr1.schemas import errors
from pr1.schemas.config import AnnotateConfig, ModelConfig, SourceConfig, config_hash
from pr1.schemas.manifest import Usage
from pr1.schemas.outcomes import JudgeFailure, Judgement, Verdict
from pr1.schemas.records import AnnotatedProblem, Problem, Trajectory, VisualAnnotation

names = st.text(min_size=1).filter(str.strip).map(str.strip)
trajectories = st.builds(
    Trajectory,
    id=names,
    problem_id=names,
    text=st.text(),
    model=st.none() | st.text(),
    sampling=st.none() | st.dictionaries(st.text(), st.integers() | st.text()),
    answer=st.none() | st.text(),
    is_correct=st.none() | st.booleans(),
    finish=st.sampled_from([None, "stop", "length"]),
)
annotations = st.builds(
    VisualAnnotation,
    id=st.integers(1, 9),
    statement=names,
    kind=st.sampled_from(["length", "value"]),
    quote=st.text(),
    trajectory_id=st.text(),
    start=st.integers(0, 9),
    end=st.integers(0, 9),
    support=st.integers(1, 9),
    in_question=st.booleans(),
    equals_answer=st.booleans(),
    extractor=names,
    prompt_hash=st.none() | names,
)
problems = st.builds(
    AnnotatedProblem,
    id=names,
    question=st.text(),
    choices=st.none() | st.lists(st.text()),
    answer=names,
    metadata=st.dictionaries(st.text(), st.text()),
    source=st.none() | st.text(),
    license=st.none() | st.text(),
    trajectories=st.lists(trajectories, max_size=2),
    annotations=st.lists(annotations, max_size=2),
)
counts = st.integers(0, 10**9)
usages = st.builds(
    Usage,
    tokens_in=counts,
    tokens_cached=counts,
    tokens_out=counts,
    cost_usd=st.none() | st.integers(0, 1000).map(float),
    requests=counts,
)


@given(problems)
def test_a_row_survives_json(problem):
    assert AnnotatedProblem.model_validate_json(problem.model_dump_json()) == problem


def test_a_record_is_immutable():
    problem = Problem(id="p", question="?", answer="3")
    with pytest.raises(ValidationError):
        problem.answer = "4"


def test_an_unknown_field_fails():
    with pytest.raises(ValidationError, match="anwser"):
        Problem(id="p", question="?", answer="3", anwser="3")


@pytest.mark.parametrize("answer", ["", "  \n"])
def test_an_empty_reference_answer_fails(answer):
    with pytest.raises(ValidationError, match="answer"):
        Problem(id="p", question="?", answer=answer)


@given(usages, usages, usages)
def test_usage_adds_up_in_any_order(a, b, c):
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + Usage() == a


def test_a_judgement_has_verdicts_or_a_failure():
    verdict = Verdict(annotation_id=1, verdict="absent")
    failure = JudgeFailure(reason="timed_out", attempts=3, cause="service")
    Judgement(completion_id="c", verdicts=[verdict], judge="rules")
    Judgement(completion_id="c", failure=failure, judge="rules")
    with pytest.raises(ValidationError, match="either verdicts or a failure"):
        Judgement(completion_id="c", judge="rules")
    with pytest.raises(ValidationError, match="either verdicts or a failure"):
        Judgement(completion_id="c", verdicts=[verdict], failure=failure, judge="rules")
    with pytest.raises(ValidationError, match="one verdict for each"):
        Judgement(completion_id="c", verdicts=[verdict, verdict], judge="rules")


def test_execution_is_no_part_of_a_runs_identity():
    def hash_of(**execution):
        config = AnnotateConfig(
            source=SourceConfig(path="x.jsonl"),
            model=ModelConfig(name="rules"),
            execution=execution,
        )
        return config_hash(config.identity())

    assert hash_of(concurrency=1) == hash_of(concurrency=64, timeout_s=1)


@pytest.mark.parametrize(
    ("name", "provider", "model"),
    [
        ("openai/gpt-5", "openai", "gpt-5"),
        ("vllm/Qwen/Qwen2.5-VL-7B-Instruct", "vllm", "Qwen/Qwen2.5-VL-7B-Instruct"),
        ("embedded", "embedded", ""),
    ],
)
def test_a_model_is_named_by_provider_and_model(name, provider, model):
    config = ModelConfig(name=name)
    assert (config.provider, config.model) == (provider, model)


@pytest.mark.parametrize(
    "error",
    [
        errors.InputError("no_image", "p1 has no image"),
        errors.RateLimited("slow down", 3.5),
        errors.Overloaded("busy"),
        errors.Truncated("cut"),
        errors.MissingExtra("install it"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_survives_pickling(error):
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
