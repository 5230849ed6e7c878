"""What is sent under each condition, and how the control's hints are chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from annotated_sets import fact, picture, problem, told
from hypothesis import given
from hypothesis import strategies as st

from pr1.answers import check_answer
from pr1.filter.paired.conditions import Rollout, Wanted, rollouts, shuffled
from pr1.filter.paired.donors import Donor, Donors
from pr1.filter.paired.run import facts_of, first_round
from pr1.images import load_image, perceptual_hash
from pr1.llm.chat import ChatImage
from pr1.schemas.config import ModelConfig, PolicyConfig
from pr1.schemas.errors import InputError
from pr1.schemas.policy_prompt import policy_prompt
from pr1.schemas.records import AnnotatedProblem, Condition, Problem, ProblemImage

POLICY = PolicyConfig(model=ModelConfig(name="vllm/m"), rollouts=3, blind=True, max_tokens=50)


def asked(
    of: AnnotatedProblem, wanted: Mapping[Condition, Wanted] | None = None, **changes: Any
) -> list[Rollout]:
    policy = POLICY.model_copy(update=changes)
    return list(rollouts(of, wanted or first_round(of, policy), policy, seed=5))


def text_of(rollout: Rollout) -> str:
    (message,) = rollout.request.messages
    text = message.parts[-1]
    assert isinstance(text, str)
    return text


def pictures_of(rollout: Rollout) -> list[ChatImage]:
    (message,) = rollout.request.messages
    return [part for part in message.parts if isinstance(part, ChatImage)]


def test_conditions_differ_in_the_facts_and_the_picture_only() -> None:
    one = problem(
        1,
        choices=["3", "4", "5"],
        answer="B",
        images=[picture(1), picture(2)],
        annotations=[
            fact(1, statement="AB = 3"),
            fact(2, statement="AC = 4", equals_answer=True),
            fact(3, statement="BC = 5", in_question=True),
            fact(4, statement="BC is red"),
        ],
    )
    wanted: dict[Condition, Wanted] = {
        **first_round(one, POLICY),
        "s": Wanted("control", range(2), ["DE = 9"]),
    }
    found = asked(one, wanted)
    assert [rollout.condition for rollout in found] == ["a"] * 3 + ["b"] * 3 + ["blind"] * 3 + [
        "s"
    ] * 2
    told_facts = ["AB = 3", "BC is red"]
    assert facts_of(one) == told_facts
    assert {text_of(r) for r in found if r.condition == "a"} == {
        policy_prompt(one.question, one.choices)
    }
    assert {text_of(r) for r in found if r.condition == "b"} == {
        policy_prompt(one.question, one.choices, told_facts)
    }
    assert {text_of(r) for r in found if r.condition == "s"} == {
        policy_prompt(one.question, one.choices, ["DE = 9"])
    }
    for rollout in found:
        if rollout.condition == "blind":
            assert pictures_of(rollout) == []
            assert text_of(rollout) == policy_prompt(one.question, rollout.shown.choices)
        else:
            assert [image.data for image in pictures_of(rollout)] == [i.bytes for i in one.images]
            assert rollout.shown == (one.choices, "B")


def test_pictures_are_encoded_once_for_all_requests() -> None:
    found = [rollout for rollout in asked(told(1)) if rollout.condition != "blind"]
    assert len({id(pictures_of(rollout)[0]) for rollout in found}) == 1


def test_samples_have_seeds_and_purposes_of_their_own() -> None:
    wanted: dict[Condition, Wanted] = {
        **first_round(told(1), POLICY),
        "s": Wanted("control", range(3), ["x"]),
    }
    fresh: dict[Condition, Wanted] = {
        "a": Wanted("confirm", range(3)),
        "b": Wanted("confirm", range(3), ["y"]),
    }
    one = [*asked(told(1), wanted), *asked(told(1), fresh)]
    two = asked(told(2), wanted)
    seeds = {rollout.request.seed for rollout in [*one, *two]}
    assert len(seeds) == len(one) + len(two), "fresh rollouts would else be the old ones"
    assert [r.request.sample_index for r in one[:3]] == [0, 1, 2]
    assert {r.request.purpose for r in one if r.condition in ("a", "b")} == {"select", "confirm"}
    assert {r.request.purpose for r in one if r.condition == "s"} == {"control"}
    assert one[0].request.max_tokens == 50
    assert one[0].request.temperature == 1.0
    again = asked(told(1), wanted)
    assert [r.request for r in again] == [r.request for r in one[: len(again)]]


def test_a_topped_up_problem_is_asked_for_new_samples_only() -> None:
    first = {r.request.seed for r in asked(told(1), {"a": Wanted("select", range(8))})}
    more = {r.request.seed for r in asked(told(1), {"a": Wanted("select", range(8, 16))})}
    assert len(first | more) == 16


def test_pictures_are_scaled_as_the_trainer_scales_them() -> None:
    large = told(1, images=[picture(1, (400, 300))])
    (sent,) = {pictures_of(r)[0].data for r in asked(large, max_pixels=3_000) if r.condition == "a"}
    assert load_image(sent, "here").size == (63, 47)


def test_a_picture_that_cannot_be_sent_says_which() -> None:
    broken = told(1, images=[picture(1), ProblemImage(bytes=b"<html>")])
    with pytest.raises(InputError, match="problem p1: picture 2"):
        asked(broken)


CHOICES = st.lists(
    st.sampled_from(["3", "4.5", "12 cm", "a red bar", "none of them", "x^2", "twice AB", "7"]),
    min_size=2,
    max_size=6,
    unique=True,
)


@given(CHOICES, st.integers(0, 2**31), st.data())
def test_a_shuffled_problem_has_the_same_right_answer(
    choices: list[str], seed: int, data: st.DataObject
) -> None:
    right = data.draw(st.integers(0, len(choices) - 1))
    reference = data.draw(
        st.sampled_from(["ABCDEF"[right], choices[right], f"({'ABCDEF'[right]})"])
    )
    shown = shuffled(Problem(id="p", question="Which?", choices=choices, answer=reference), seed)
    assert shown.choices is not None
    assert sorted(shown.choices) == sorted(choices)
    for position, text in enumerate(shown.choices):
        for said in (f"\\boxed{{{'ABCDEF'[position]}}}", f"\\boxed{{{text}}}"):
            check = check_answer(said, shown.answer, choices=shown.choices, question="Which?")
            assert check.is_correct is (text == choices[right]), (said, shown)


def test_shuffling_moves_the_right_letter_from_sample_to_sample() -> None:
    four = problem(1, choices=["10", "20", "30", "40"], answer="C")
    letters = {
        rollout.shown.answer for rollout in asked(four, rollouts=30) if rollout.condition == "blind"
    }
    assert letters == {"A", "B", "C", "D"}


@pytest.mark.parametrize(
    ("choices", "answer", "expected"),
    [
        (["A. 3", "B. 4"], "B", [["3", "4"], ["4", "3"]]),
        (["3", "3", "4"], "3", None),
        (["red", "blue", "green"], "A, C", None),
        (["3", "4", "all of the above"], "C", [["3", "4", "all of the above"]]),
        (["x", "y", "both A and B"], "C", [["x", "y", "both A and B"]]),
        (["A", "B", "C"], "C", [["A", "B", "C"]]),
        ([str(n) for n in range(30)], "7", [[str(n) for n in range(30)]]),
    ],
)
def test_options_that_cannot_be_moved_stay(
    choices: list[str], answer: str, expected: list[list[str]] | None
) -> None:
    of = Problem(id="p", question="Which?", choices=choices, answer=answer)
    for seed in range(12):
        shown = shuffled(of, seed)
        assert expected is None or shown.choices in expected
        if shown.choices == choices:
            assert shown.answer.strip("()") in (answer, "A, C")
        if answer == "A, C":
            assert shown.choices is not None
            meant = {shown.choices["ABC".index(letter)] for letter in shown.answer.split(", ")}
            assert meant == {"red", "green"}


def test_a_problem_without_choices_is_shown_as_it_is() -> None:
    of = Problem(id="p", question="How long?", answer="4")
    assert shuffled(of, 3) == (None, "4")


def donor(number: int, *facts: str, pictures: tuple[int, ...] | None = None) -> Donor:
    hashes = pictures or (perceptual_hash(load_image(picture(number).bytes, "here")),)
    return Donor(f"p{number}", facts, hashes)


def test_a_donor_has_another_picture_no_fact_in_common_and_about_as_many() -> None:
    mine = donor(0, "AB = 3", "BC is red", pictures=(0b1111,))
    others = [
        mine,
        donor(1, "ab=3", "D is blue"),
        donor(2, "D is blue", "E = 2", pictures=(0b1110,)),
        donor(3, "only one"),
        donor(4, *(f"fact {n}" for n in range(9))),
    ]
    donors = Donors()
    for other in others:
        donors.add(other)
    assert donors.find(mine, seed=0) == others[3]
    donors.add(donor(5, "F = 1", "G = 1"))
    assert {donors.find(mine, seed).id for seed in range(20)} == {"p5"}  # type: ignore[union-attr]


def test_nobody_lends_to_a_problem_alone() -> None:
    donors = Donors()
    assert donors.find(donor(0, "AB = 3"), seed=0) is None
    donors.add(donor(0, "AB = 3"))
    assert donors.find(donor(0, "AB = 3"), seed=0) is None


def test_the_choice_of_a_donor_depends_on_the_seed_and_is_repeatable() -> None:
    donors = Donors()
    all_of_them = [donor(n, f"fact {n}") for n in range(30)]
    for one in all_of_them:
        donors.add(one)
    chosen = [donors.find(all_of_them[0], seed) for seed in range(20)]
    assert chosen == [donors.find(all_of_them[0], seed) for seed in range(20)]
    assert len({one.id for one in chosen if one}) > 5
