from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pr1.filter.selection import Candidate, allocate, select, select_in_order

counts = st.dictionaries(st.text(max_size=3), st.integers(0, 50), max_size=8)


@given(counts, st.none() | st.integers(1, 400))
def test_shares_are_in_proportion_and_add_up(available: dict[str, int], size: int | None) -> None:
    quotas = allocate(available, size)
    total = sum(available.values())
    wanted = total if size is None else min(size, total)
    assert sum(quotas.values()) == wanted
    for stratum, count in available.items():
        assert 0 <= quotas[stratum] <= count
        assert abs(quotas[stratum] - (count * wanted / total if total else 0)) < 1


@given(
    st.lists(st.integers(0, 10**6), unique=True, max_size=60),
    st.integers(1, 80),
    st.integers(0, 5),
    st.randoms(use_true_random=False),
)
def test_a_selection_depends_on_ids_and_seed_and_not_on_order(
    numbers: list[int], size: int, seed: int, order: object
) -> None:
    candidates = [Candidate(str(number), f"s{number % 3}") for number in numbers]
    shuffled = list(candidates)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    chosen = select(candidates, size, seed)
    assert chosen == select(shuffled, size, seed)
    assert len(chosen) == min(size, len(candidates))


def test_seeds_select_differently() -> None:
    candidates = [Candidate(str(number), "s") for number in range(100)]
    assert select(candidates, 10, 0) != select(candidates, 10, 1)


@pytest.mark.parametrize(
    ("available", "size", "expected"),
    [
        ({}, 5, {}),
        ({"a": 1}, 5, {"a": 1}),
        ({"a": 999, "b": 1}, 10, {"a": 10, "b": 0}),
        ({"a": 1, "b": 1, "c": 1}, 2, {"a": 1, "b": 1, "c": 0}),
        ({"a": 70, "b": 20, "c": 10}, 11, {"a": 8, "b": 2, "c": 1}),
    ],
)
def test_largest_remainders_are_rounded_up(
    available: dict[str, int], size: int, expected: dict[str, int]
) -> None:
    assert allocate(available, size) == expected


@given(
    st.lists(st.integers(0, 12), max_size=4),
    st.none() | st.integers(1, 40),
    st.integers(0, 5),
)
def test_a_group_gets_what_the_groups_before_it_leave(
    lengths: list[int], size: int | None, seed: int
) -> None:
    groups = [
        [Candidate(f"{number}-{one}", f"s{one % 2}") for one in range(length)]
        for number, length in enumerate(lengths)
    ]
    chosen = select_in_order(groups, size, seed)
    left = sum(lengths) if size is None else size
    for group in groups:
        taken = [candidate for candidate in group if candidate.id in chosen]
        assert len(taken) == min(len(group), left)
        left -= len(taken)


def test_a_higher_score_is_preferred_within_its_stratum() -> None:
    candidates = [
        Candidate(f"{stratum}{n}", stratum, n / 10) for stratum in "xy" for n in range(10)
    ]
    assert select(candidates, 4, 0) == {"x9", "x8", "y9", "y8"}
