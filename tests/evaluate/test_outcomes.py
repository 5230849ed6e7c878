"""What may stand in a file of outcomes, and what is said of the rest."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pr1.evaluate.outcomes import read_outcomes
from pr1.schemas.errors import InputError, Pr1Error, UsageError


def jsonl(tmp_path, *lines, name="a.jsonl"):
    path = tmp_path / name
    path.write_text(
        "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    )
    return path


def csv_file(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("value", "samples"),
    [
        *((1, (1,)), (0, (0,)), (True, (1,)), (False, (0,)), (1.0, (1,)), (0.0, (0,))),
        *(("1", (1,)), ("true", (1,)), (" False ", (0,)), ("1.0", (1,))),
        *(([1], (1,)), ([True, 0, "1"], (1, 0, 1)), ("[1, 0]", (1, 0)), ("[True, False]", (1, 0))),
        *((None, ()), ("", ()), ([], ()), ([1, None, 0], (1, 0)), ([None], ())),
    ],
)
def test_what_correct_may_be(tmp_path, value, samples):
    path = jsonl(tmp_path, {"id": "a", "correct": value})
    assert read_outcomes(path)["a"].samples == samples


@pytest.mark.parametrize(
    "value", [2, -1, 0.5, "yes", "B", "nan", float("nan"), {"x": 1}, [1, 2], [[1]], "[1, 2", 10**40]
)
def test_what_is_not_binary_is_named_with_its_line(tmp_path, value):
    path = jsonl(tmp_path, {"id": "a", "correct": 1}, "", {"id": "b", "correct": value})
    with pytest.raises(
        InputError, match=r"a\.jsonl:3: 'correct' is .*0, 1, true or false"
    ) as error:
        read_outcomes(path)
    assert error.value.code == "not_binary"
    assert len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("value", "perception"),
    [(0.25, 0.25), (1, 1.0), ("0.5", 0.5), (None, None), ("", None), ([0, 1, None], 0.5)],
)
def test_what_perception_may_be(tmp_path, value, perception):
    path = jsonl(tmp_path, {"id": "a", "correct": 1, "perception": value})
    assert read_outcomes(path)["a"].perception == perception


@pytest.mark.parametrize("value", [1.01, -0.1, "high", True, float("nan"), {}, [0.5, 7]])
def test_a_perception_outside_its_range_is_named(tmp_path, value):
    path = jsonl(tmp_path, {"id": "a", "correct": 1, "perception": value})
    with pytest.raises(InputError, match=r"a\.jsonl:1: 'perception' is .*between 0 and 1"):
        read_outcomes(path)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["{"], r":1: is no JSON"),
        (["[1, 2]"], r":1: is no JSON object"),
        (["[" * 100_000], r":1: is no JSON"),
        ([{"id": "a"}], r":1: has no 'correct' \(it has 'id'\)"),
        ([{"correct": 1, "index": 7}], r":1: has no 'id' \(it has 'correct', 'index'\)"),
        ([{"id": None, "correct": 1}], r":1: 'id' is None"),
        ([{"id": " ", "correct": 1}], r":1: 'id' is None"),
        ([{"id": True, "correct": 1}], r":1: 'id' is True"),
        ([{"id": 1.5, "correct": 1}], r":1: 'id' is 1.5"),
        (
            [{"id": 7, "correct": 1}, {"id": "7", "correct": 0}],
            r":2: id '7' stands in .*:1 already",
        ),
    ],
)
def test_a_broken_line_is_named(tmp_path, lines, message):
    with pytest.raises(InputError, match=message):
        read_outcomes(jsonl(tmp_path, *lines))


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("id,correct\n1,0\n2,1\n", ["1", "2"]),
        ("\ufeffid,correct\r\n1,0\r\n", ["1"]),
        (",id,correct\n0,x,1\n", ["x"]),  # pandas writes its index without a name
        ('id,correct,question\n1,0,"two\nlines"\n2,1,z\n', ["1", "2"]),
        ('id,correct\n1,"[1, 0, 1]"\n', ["1"]),
    ],
)
def test_csv_as_programs_write_it(tmp_path, text, ids):
    assert list(read_outcomes(csv_file(tmp_path, text))) == ids


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,correct\n1\n", r"a\.csv:2: has not as many cells"),
        ("id,correct\n1,0,9\n", r"a\.csv:2: has not as many cells"),
        ('id,correct\n1,"0\n', r"a\.csv: the row after line 1 is broken \(unexpected end"),
        ("id;correct\n1;0\n", r"a\.csv:2: has no 'id' \(it has 'id;correct'\)"),
        ('id,correct\n1,0\n2,"[1, 2]"\n', r"a\.csv:3: 'correct' is 2"),
    ],
)
def test_a_broken_row_is_named(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        read_outcomes(csv_file(tmp_path, text))


def test_text_that_is_no_utf8_is_said(tmp_path):
    with pytest.raises(InputError, match="UTF-8"):
        read_outcomes(csv_file(tmp_path, "id,correct\né,1\n", encoding="latin-1"))


@pytest.mark.parametrize("text", ["", "\n\n", "id,correct\n"])
def test_an_empty_file_holds_no_outcomes(tmp_path, text):
    path = tmp_path / ("a.csv" if "id" in text else "a.jsonl")
    path.write_text(text)
    with pytest.raises(UsageError, match="holds no outcomes"):
        read_outcomes(path)


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        read_outcomes(tmp_path / "nowhere.jsonl")
    with pytest.raises(UsageError, match="is a folder"):
        read_outcomes(tmp_path)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    path = jsonl(tmp_path, {"id": 1, "correct": 1})

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(UsageError, match=r"a\.jsonl: cannot be read \(Permission denied\)"):
        read_outcomes(path)


def test_the_other_columns_are_kept_for_grouping(tmp_path):
    path = jsonl(tmp_path, {"id": "a", "correct": 1, "perception": 1, "subject": "angles"})
    assert read_outcomes(path)["a"].columns == {"subject": "angles"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "correct"), JSON))))
def test_whatever_a_line_holds_it_is_read_or_named(tmp_path_factory, rows):
    path = jsonl(tmp_path_factory.mktemp("any"), *rows)
    try:
        outcomes = read_outcomes(path)
    except Pr1Error as error:
        assert path.name in str(error)  # noqa: PT017
    else:
        assert all(set(outcome.samples) <= {0, 1} for outcome in outcomes.values())
