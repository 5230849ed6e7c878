"""The experiment of `bench/learned_filter.py`: its candidates, and that it learns what is there."""

import pytest
from filter_candidates import Case, follows
from labelled import Fact, Labelled
from learned_filter import by_problem, tallies
from matching import Span, Stated

from pr1.schemas.records import Problem

TEXT = "The bar for Rome is at 40. The bar for Oslo is at 25. So Rome has 15 more."
OF_OSLO = "The bar for Oslo is at 25"


def case(number: int) -> Case:
    """A case in which a reader takes only the words about Oslo for a fact."""
    problem = Problem(id=str(number), question="How many more?", choices=None, answer="15")
    start = TEXT.index(OF_OSLO)
    stated = Stated(OF_OSLO, (Span(start, start + len(OF_OSLO)),))
    fact = Fact(stated, "value", in_question=False, equals_answer=False)
    return Case(Labelled(str(number), "terse", problem, TEXT, [fact]), "ours")


@pytest.mark.parametrize(
    ("number", "earlier", "does_follow"),
    [
        (15, {40, 25}, True),
        (70, {50, 60}, True),  # the third angle
        (20, {40}, True),
        (40, {40}, False),
        (7, {40, 25}, False),
        (7, set(), False),
    ],
)
def test_a_number_follows_from_one_or_two_others(number, earlier, does_follow):
    assert follows(number, earlier) is does_follow


def test_candidates_are_also_what_the_validation_rejects():
    one = case(0)
    assert one.reasons == [None, None, "conclusion"]
    assert [fact.statement for fact in one.facts].count(OF_OSLO) == 1
    assert (one.now.hit, one.now.found) == (1, 2)
    assert (one.best.hit, one.best.found, one.best.labelled) == (1, 1, 1)


def test_what_tells_right_from_wrong_in_other_problems_is_learned():
    cases = [case(number) for number in range(24)]
    learned = list(tallies(by_problem(cases, 3, "outer")))
    assert {one.one.id for one, _ in learned} == {one.one.id for one in cases}
    assert all((tally.hit, tally.found) == (1, 1) for _, tally in learned)
