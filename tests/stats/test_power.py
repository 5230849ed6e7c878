"""Power against counting all outcomes; the sizes that follow from it."""

import itertools
import math

import pytest

from pr1.stats import (
    detectable_difference,
    detectable_mean,
    mcnemar_exact,
    mcnemar_midp,
    mcnemar_power,
    mcnemar_problems,
    mean_problems,
)

RATES = [(0.02, 0.1), (0.1, 0.02), (0.0, 0.4), (0.3, 0.3), (0.2, 0.8), (0.05, 0.6)]


def by_counting(problems, rate_lost, rate_gained, test, level):
    rejected = 0.0
    for lost, gained in itertools.product(range(problems + 1), repeat=2):
        same = problems - lost - gained
        if same < 0 or test(lost, gained) > level:
            continue
        ways = math.comb(problems, lost) * math.comb(problems - lost, gained)
        rest = max(0.0, 1 - rate_lost - rate_gained)
        rejected += ways * rate_lost**lost * rate_gained**gained * rest**same
    return rejected


@pytest.mark.parametrize("problems", [0, 1, 5, 6, 11, 17])
@pytest.mark.parametrize(("rate_lost", "rate_gained"), RATES)
@pytest.mark.parametrize("level", [0.05, 0.2])
def test_power_by_counting_all_outcomes(problems, rate_lost, rate_gained, level):
    for is_midp, test in [(False, mcnemar_exact), (True, mcnemar_midp)]:
        expected = by_counting(problems, rate_lost, rate_gained, test, level)
        power = mcnemar_power(problems, rate_lost, rate_gained, level=level, is_midp=is_midp)
        assert power == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("problems", "exact", "midp"), [(50, 0.20, 0.31), (200, 0.91, 0.93)], ids=["paper", "four-fold"]
)
def test_the_power_of_the_papers_test(problems, exact, midp):
    assert round(mcnemar_power(problems, 0.02, 0.10), 2) == exact
    assert round(mcnemar_power(problems, 0.02, 0.10, is_midp=True), 2) == midp


def test_equal_rates_are_rejected_no_more_often_than_the_level():
    for problems, rate in itertools.product((5, 20, 100, 500), (0.01, 0.1, 0.5)):
        assert mcnemar_power(problems, rate, rate) <= 0.05


@pytest.mark.parametrize(("rate_lost", "rate_gained"), [(0.02, 0.1), (0.1, 0.2), (0.3, 0.5)])
@pytest.mark.parametrize("is_midp", [False, True])
def test_the_needed_number_is_the_least(rate_lost, rate_gained, is_midp):
    needed = mcnemar_problems(0.8, rate_lost, rate_gained, is_midp=is_midp)
    powers = [
        mcnemar_power(problems, rate_lost, rate_gained, is_midp=is_midp)
        for problems in range(1, needed + 20)
    ]
    assert next(i for i, power in enumerate(powers, 1) if power >= 0.8) == needed
    assert min(powers[needed - 1 :]) >= 0.8


@pytest.mark.parametrize("rates", [(0.1, 0.1), (0.0, 0.0), (0.1, 0.1000001)])
def test_equal_rates_need_more_problems_than_there_are(rates):
    with pytest.raises(ValueError, match="too little"):
        mcnemar_problems(0.8, *rates)


@pytest.mark.parametrize("rates", [(-0.1, 0.2), (0.6, 0.5)])
def test_rates_outside_their_range_are_a_bug_of_the_caller(rates):
    with pytest.raises(ValueError, match="rates"):
        mcnemar_power(50, *rates)


@pytest.mark.parametrize(("problems", "discordant"), [(50, 0.12), (200, 0.12), (1000, 0.4)])
def test_the_detectable_difference_has_the_power_it_says(problems, discordant):
    difference = detectable_difference(problems, discordant)
    lost = max(0.0, (discordant - difference) / 2)
    assert mcnemar_power(problems, lost, lost + difference) == pytest.approx(0.8, abs=1e-3)


def test_five_problems_detect_nothing():
    assert detectable_difference(5, 0.0) == math.inf


def test_the_detectable_mean_is_the_one_of_the_textbook():
    # z(.975) + z(.8) = 1.960 + 0.842
    assert detectable_mean(100, 1.0) == pytest.approx(0.2802, abs=1e-4)


@pytest.mark.parametrize("difference", [0.05, -0.1, 0.3])
def test_so_many_problems_detect_the_mean_difference_and_one_fewer_does_not(difference):
    problems = mean_problems(0.8, difference, 0.4)
    assert detectable_mean(problems, 0.4) <= abs(difference) < detectable_mean(problems - 1, 0.4)
