"""What the rules propose, and what of it stands: clauses, chains, tables, Chinese."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pr1.annotate.extraction.clauses import clauses
from pr1.annotate.extraction.phrases import said_by_the_way
from pr1.annotate.extraction.rules import LONGEST_STATEMENT, propose_by_rules
from pr1.annotate.extraction.several import each_by_itself
from pr1.annotate.extraction.stance import Stances, sentences
from pr1.annotate.validation.merge import merge_facts
from pr1.annotate.validation.validate import validate
from pr1.notation import to_plain
from pr1.schemas.records import Problem, Trajectory


def facts(text: str, question: str = "What is asked?", answer: str = "77") -> list[str]:
    """The statements of the annotations that the rules find in a trajectory."""
    trajectory = Trajectory(id="t", problem_id="p", text=text)
    plain = to_plain(text)
    problem = Problem(id="p", question=question, answer=answer)
    part = validate(propose_by_rules(plain), trajectory, plain, problem)
    annotations, _ = merge_facts([part], 1)
    for annotation in annotations:
        assert text[annotation.start : annotation.end] == annotation.quote
        assert annotation.extractor == "rules"
        assert annotation.prompt_hash is None
    return [annotation.statement for annotation in annotations]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("So the answer is 5.", []),
        ("AB = 5.", ["AB = 5"]),
        ("AB = 5 and BC = 7.", ["AB = 5", "BC = 7"]),
        ("AB = 5, BC = 7, and AB ∥ CD.", ["AB = 5", "BC = 7", "AB ∥ CD"]),
        ("AB = BC = 5.", ["AB = 5", "BC = 5"]),
        (
            "GE = 10, and GE is perpendicular to DF at E.",
            ["GE = 10", "GE is perpendicular to DF at E"],
        ),
        ("AB and CD are parallel.", ["AB and CD are parallel"]),
        ("Since AB is a diameter, angle ACB is 90.", ["AB is a diameter"]),
        ("Given that AB ∥ CD, we get AB = 40.", ["AB ∥ CD"]),
        ("Apple has 12, Pear has 8.", ["Apple has 12", "Pear has 8"]),
        ("- AB = 5\n- BC = 7\n", ["AB = 5", "BC = 7"]),
        ("### Given\n1. AB = 5\n2. BC = 7\n", ["AB = 5", "BC = 7"]),
        (r"$\overline{AB} = 5$ and $\angle ABC = 40^\circ$.", ["AB = 5", "∠ABC = 40°"]),
        ("We can see that AB = 5.", ["AB = 5"]),
        ("AB = 5. AB = 5. BA = 5.", ["AB = 5"]),
        ("There is no segment from E to D.", ["There is no segment from E to D"]),
        ("AB = 5, so DE = 5 and EF = 6.", ["AB = 5"]),
        ("<CAPTION>AB = 5.</CAPTION><CONCLUSION>AC = 77</CONCLUSION>", ["AB = 5"]),
        ("因为AB是直径，所以∠ACB=90°。", ["AB是直径"]),
        ("由图可知，AB=5，BC=7。", ["AB=5", "BC=7"]),
        ("图中有3个红球。所以答案是3。", ["有3个红球"]),
        ("AB＝５，ＣＤ∥EF。", ["AB=5", "CD∥EF"]),
        ("∵ AB ∥ CD，∴ ∠1 = ∠2。", ["AB ∥ CD"]),
        # What a verb, a subject or a pronoun stands for, is in the clause before.
        ("The ladder is long. It leans on a wall.", ["The ladder leans on a wall"]),
        ("Oslo has 3, Rome 4.", ["Oslo has 3", "Rome 4"]),
        ("The line starts at 3 and ends at 9.", ["The line starts at 3", "The line ends at 9"]),
        (
            "The block sits on a ramp whose angle is 30 degrees.",
            ["The block sits on a ramp", "ramp's angle is 30 degrees"],
        ),
        (
            "Three points A, B and C lie on the circle.",
            ["Three points A, B and C lie on the circle"],
        ),
        ("I read 12 at 8:00. I read 21 at 12:00.", ["12 at 8:00", "21 at 12:00"]),
        ("- Anna – 7\n- Ben – 5", ["Anna - 7", "Ben - 5"]),
        ("1. tea: 40 kg\n2. milk: 5 kg", ["tea: 40 kg", "milk: 5 kg"]),
        ("由表格可知：星期四有120人。", ["星期四有120人"]),
    ],
)
def test_facts_of_a_text(text, found):
    assert facts(text) == found


TABLE = "| City | 2001 | 2002 |\n|---|:-:|---:|\n| Oslo | 3 | 4 |\n| Rome | - | 6 |\n"


@pytest.mark.parametrize("before", ["", "The table reads:\n\n", "Intro.\n"])
def test_each_cell_of_a_table_is_a_fact_with_its_row_and_column(before):
    assert facts(before + TABLE) == ["Oslo, 2001: 3", "Oslo, 2002: 4", "Rome, 2002: 6"]


@pytest.mark.parametrize(
    "table",
    [
        "| | |\n| | |",
        "|1|2|3",
        "| a | b |\n| 1 | 2 | 3 | 4 |",
        "||||\n||||",
        "| a | b |\n|---|---|\n| \\| 1 | 2 |",
        "|" * 500,
    ],
)
def test_a_broken_table_raises_nothing(table):
    facts(table)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        # Guide, "What is one", 2: one fact each.
        pytest.param(
            "The bars are 3, 4 and 6 for 2001, 2002 and 2003.",
            ["2001: 3", "2002: 4", "2003: 6"],
        ),
        # Guide, "What is one", 5: only the corrected reading.
        pytest.param(
            "The bar for Spain is at 40, wait, it is at 45.",
            ["it is at 45"],
        ),
        ("The bar for 2004 is at 2.2.", ["The bar for 2004 is at 2.2"]),
        ("The sides are labelled 5, 6 and 7.", ["The sides are labelled 5, 6 and 7"]),
    ],
)
def test_how_many_facts_a_text_has(text, found):
    assert len(facts(text)) == len(found)


@pytest.mark.parametrize(
    ("statement", "each"),
    [
        ("AB = 5", ["AB = 5"]),
        ("AB = BC = 5", ["AB = 5", "BC = 5"]),
        ("AB = BC = CD = 5 cm", ["AB = 5 cm", "BC = 5 cm", "CD = 5 cm"]),
        ("∠ABC = ∠ACB = 40°", ["∠ABC = 40°", "∠ACB = 40°"]),
        ("AB and CD are five units each", ["AB = five units", "CD = five units"]),
        ("AB, BC and CD have lengths of 5", ["AB = 5", "BC = 5", "CD = 5"]),
        ("AB = CD", ["AB = CD"]),
        ("AB and CD are parallel", ["AB and CD are parallel"]),
        ("AB and CD have one tick each", ["AB and CD have one tick each"]),
        ("A is joined to B, C and D", ["A is joined to B", "A is joined to C", "A is joined to D"]),
        ("C and D are on the circle", ["C is on the circle", "D is on the circle"]),
        ("", [""]),
    ],
)
def test_names_that_share_a_value_each_get_it(statement, each):
    assert each_by_itself(statement) == each


PIECES = [
    *"AB CD ∠ABC is are red so since let wait answer a the 12 3.5 2010: - = ∥ ?".split(),
    *"图中 有 是 因为 ， 。 ？".split(),
    *(" and ", ", ", ". ", "; ", ": ", "\n", "\n\n", "| ", "|", "- ", "* ", "# ", "1. ", "(", ")"),
    *("= 5", "In March, ", "<CAPTION>", "</CAPTION>", "$", r"\frac{1}{2}"),
]
TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(PIECES)).map("".join))


@pytest.mark.parametrize(
    ("clause", "statements"),
    [
        ("a white cat sits under the table", ["the cat is white"]),
        ("the white cat sits under the table", []),
        ("the purple bar, Cherry", ["the bar for Cherry is purple"]),
        ("Rent (blue): 35%", ["Rent is blue"]),
        ("a wall on the left", ["the wall is on the left"]),
        ("a 6 V battery supplies it", ["the battery has 6 V"]),
        ("Dog: 1 (centre)", ["Dog: centre"]),
        ('read from the first column of the table "Train 417"', ['the title is "Train 417"']),
        ("there is a red one", []),
        ("", []),
    ],
)
def test_what_a_clause_states_by_the_way(clause, statements):
    assert list(said_by_the_way(clause)) == statements


@given(TEXTS)
def test_clauses_lie_in_the_text_and_in_order(text):
    found = list(clauses(text, sentences(text)))
    assert all(0 <= one.start <= one.end <= len(text) for one in found)
    ends = [one.end for one in found]
    assert ends == sorted(ends)


@given(TEXTS)
def test_sentences_follow_each_other(text):
    found = sentences(text)
    places = [place for sentence in found for place in sentence]
    assert places == sorted(places)
    assert all(text[slice(*sentence)].strip() for sentence in found)


@given(TEXTS, st.integers(0, 300))
def test_every_place_has_a_stance(text, place):
    stances = Stances(text)
    assert stances.at(place) in stances.over(place, place + 1)


@given(TEXTS)
def test_a_proposal_is_the_words_of_its_clause(text):
    plain = to_plain(text)
    for proposal in propose_by_rules(plain):
        assert proposal.start is not None
        assert plain.text[proposal.start :].startswith(proposal.quote)
        assert 0 < len(proposal.statement) <= LONGEST_STATEMENT


@given(TEXTS)
def test_the_rules_never_raise(text):
    facts(text)


@pytest.mark.parametrize(
    "unit", ["AB, ", "x: y ", "the angles of ", "∠", "A'", "5 ", ",111", "| 5 "]
)
def test_a_long_line_without_a_full_stop_is_read(unit):
    """In time that grows with the length: 100,000 characters are the work of a second or two."""
    facts((unit * 100_000)[:100_000])


def test_a_text_of_a_thousand_facts_keeps_them_all():
    lines = [f"A{'BCDEFGHIJK'[n % 10]} = {n}." for n in range(1000)]
    assert len(facts("\n".join(lines))) == len(lines)
