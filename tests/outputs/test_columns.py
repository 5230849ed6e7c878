from __future__ import annotations

from pathlib import Path
from typing import get_args

import datasets
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pr1.outputs.columns import arrow_schema, from_columns, to_columns
from pr1.outputs.shards import ShardWriter
from pr1.schemas.errors import InputError
from pr1.schemas.records import (
    AnnotatedProblem,
    Bucket,
    Confirmation,
    PairedOutcome,
    ProblemImage,
    RejectedAnnotation,
    RejectionReason,
    Row,
    TrainAnnotation,
    TrainRow,
    Trajectory,
    VisualAnnotation,
)

# Every text that UTF-8 can hold, NUL, Chinese and right-to-left marks included.
texts = st.text(st.characters(codec="utf-8"), max_size=20)
names = texts.map(lambda text: f"n{text}x")
counts = st.integers(0, 2**62)
ids = st.integers(1, 2**62)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | texts | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
images = st.builds(ProblemImage, bytes=st.binary(max_size=20), path=st.none() | texts)
kinds = st.sampled_from(["length", "colour", "other"])
trajectories = st.builds(
    Trajectory,
    id=names,
    problem_id=names,
    text=texts,
    model=st.none() | texts,
    sampling=st.none() | st.dictionaries(texts, json_values, max_size=3),
    answer=st.none() | texts,
    is_correct=st.none() | st.booleans(),
    finish=st.sampled_from([None, "stop", "length"]),
)
annotations = st.builds(
    VisualAnnotation,
    id=ids,
    statement=names,
    kind=kinds,
    quote=texts,
    trajectory_id=texts,
    start=counts,
    end=counts,
    support=ids,
    in_question=st.booleans(),
    equals_answer=st.booleans(),
    extractor=texts,
    prompt_hash=st.none() | texts,
)
rejected = st.builds(
    RejectedAnnotation,
    statement=texts,
    quote=texts,
    trajectory_id=texts,
    reason=st.sampled_from(get_args(RejectionReason)),
    extractor=texts,
)
problems = st.builds(
    AnnotatedProblem,
    id=names,
    question=texts,
    choices=st.none() | st.lists(texts, max_size=3),
    answer=names,
    answer_origin=st.sampled_from(["given", "self"]),
    images=st.lists(images, max_size=2),
    source=st.none() | texts,
    license=st.none() | texts,
    metadata=st.dictionaries(texts, texts, max_size=3),
    trajectories=st.lists(trajectories, max_size=2),
    annotations=st.lists(annotations, max_size=2),
    rejected=st.lists(rejected, max_size=2),
)
conditions = st.sampled_from(["a", "b", "s", "blind"])
units = st.floats(0, 1)
by_condition = st.dictionaries(conditions, counts)
rollout_counts = dict.fromkeys(("solved", "tried", "cut", "unscored"), by_condition)
reals = st.floats(allow_nan=False, allow_infinity=False)
outcomes = st.builds(
    PairedOutcome,
    **rollout_counts,
    threshold=units,
    posterior=st.dictionaries(conditions, units),
    p_value=st.none() | units,
    q_value=st.none() | units,
    bucket=st.sampled_from(get_args(Bucket)),
    confirmation=st.none()
    | st.builds(
        Confirmation, **rollout_counts, p_value=units, q_value=units, is_confirmed=st.booleans()
    ),
    effect=st.none() | reals,
    effect_ci=st.none() | st.tuples(reals, reals),
)
train_rows = st.builds(
    TrainRow,
    id=names,
    question=texts,
    choices=st.none() | st.lists(texts, max_size=3),
    answer=names,
    images=st.lists(images, max_size=2),
    annotations=st.lists(
        st.builds(
            TrainAnnotation,
            id=ids,
            statement=names,
            kind=kinds,
            weight=st.floats(1e-300, 1e300),
        ),
        max_size=2,
    ),
    bucket=st.none() | texts,
    paired=st.none() | outcomes,
    source=st.none() | texts,
    license=st.none() | texts,
)


@given(problems | train_rows)
def test_a_row_comes_back_from_its_columns(row: Row) -> None:
    assert from_columns(to_columns(row), type(row)) == row


@settings(max_examples=30, deadline=None)
@given(st.lists(problems, max_size=5))
def test_rows_come_back_from_parquet(rows: list[AnnotatedProblem]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        writer = ShardWriter(Path(folder), AnnotatedProblem)
        for row in rows:
            writer.write(row)
        found = [
            from_columns(values, AnnotatedProblem)
            for path in writer.finish()
            for values in pq.read_table(path).to_pylist()
        ]
    assert found == rows


def test_a_dictionary_by_condition_is_a_column_for_each() -> None:
    features = datasets.Features.from_arrow_schema(arrow_schema(TrainRow))
    count = datasets.Value("int64")
    assert features["paired"]["solved"] == {"a": count, "b": count, "s": count, "blind": count}
    assert features["paired"]["effect_ci"] == datasets.List(datasets.Value("float64"))


@pytest.mark.parametrize("model", [AnnotatedProblem, TrainRow])
def test_the_schema_is_what_datasets_makes_of_its_features(model: type[Row]) -> None:
    schema = arrow_schema(model)
    features = datasets.Features.from_arrow_schema(schema)
    assert features["images"] == datasets.List(datasets.Image())
    assert features["choices"] == datasets.List(datasets.Value("string"))
    assert features["annotations"].feature["statement"] == datasets.Value("string")
    assert features.arrow_schema.remove_metadata().equals(schema.remove_metadata())


def test_a_number_too_large_for_its_column_is_a_failed_row_and_not_a_crash(tmp_path: Path) -> None:
    writer = ShardWriter(tmp_path, TrainRow)
    row = TrainRow(
        id="a",
        question="q",
        answer="1",
        images=[],
        annotations=[TrainAnnotation(id=2**63, statement="s", kind="other")],
    )
    with pytest.raises(InputError) as caught:
        writer.write(row)
    assert caught.value.code == "unencodable_value"


def test_half_a_surrogate_pair_is_named_and_costs_its_row_only(tmp_path: Path) -> None:
    writer = ShardWriter(tmp_path, TrainRow)
    good = TrainRow(id="b", question="q", answer="1", images=[], annotations=[])
    with pytest.raises(InputError, match=r"row 'a\\ud800'.*surrogate") as caught:
        writer.write(good.model_copy(update={"id": "a\ud800"}))
    assert caught.value.code == "unencodable_value"
    str(caught.value).encode()
    writer.write(good)
    (path,) = writer.finish()
    assert pq.read_table(path).column("id").to_pylist() == ["b"]


def test_row_groups_and_shards_stay_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pr1.outputs.shards.BYTES_PER_SHARD", 30_000)
    monkeypatch.setattr("pr1.outputs.shards.BYTES_PER_GROUP", 10_000)
    writer = ShardWriter(tmp_path, TrainRow)
    row = TrainRow(
        id="a",
        question="q",
        answer="1",
        images=[ProblemImage(bytes=bytes(4_000))],
        annotations=[],
    )
    for number in range(25):
        writer.write(row.model_copy(update={"id": str(number)}))
    paths = writer.finish()
    assert len(paths) == 3
    order = [value for path in paths for value in pq.read_table(path).column("id").to_pylist()]
    assert order == [str(number) for number in range(25)]
    for path in paths:
        about = pq.ParquetFile(path).metadata
        sizes = [about.row_group(group).num_rows for group in range(about.num_row_groups)]
        assert max(sizes) == 3
