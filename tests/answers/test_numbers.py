"""Reading numbers, and when two are the same."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

from pr1.answers.numbers import Rounding, parse_number, same_number
from pr1.answers.text import plain
from pr1.answers.units import _UNITS, split_unit

EXACT = {
    "40.000": Fraction(40),
    ".5": Fraction(1, 2),
    "-3": Fraction(-3),
    "1,234,567.5": Fraction(2469135, 2),
    "2.5e-3": Fraction(1, 400),
    r"1.5 \times 10^{-2}": Fraction(3, 200),
    r"\frac{1}{2} + \frac13": Fraction(5, 6),
    r"-\frac{3}{4}": Fraction(-3, 4),
    r"\sqrt{16}": Fraction(4),
    r"\sqrt[3]{\frac{8}{27}}": Fraction(2, 3),
    "2^{3^2}": Fraction(512),
    "(1+2)*3/4": Fraction(9, 4),
    "1 2/3": Fraction(5, 3),
    r"-2\frac{1}{2}": Fraction(-5, 2),
    "8:6": Fraction(4, 3),
    "3比4": Fraction(3, 4),
    "zero": Fraction(0),
    "nineteen": Fraction(19),
    "forty-two": Fraction(42),
    "二十三": Fraction(23),
    "两": Fraction(2),
    "approximately 7": Fraction(7),
    "约7": Fraction(7),
    "2.5 million": Fraction(2_500_000),
    "½": Fraction(1, 2),
}
NO_NUMBER = [
    "",
    "x",
    "3x",
    "3 4",
    "3, 4",
    "3 or 4",
    "1,23",
    "3.4.5",
    "1/0",
    "√{-1}",
    "2^",
    "(3",
    "3)",
    "12:30",
    "five six",
    "2 times the",
    "B",
    "-",
    "∞",
    "3 + x",
]


@pytest.mark.parametrize(("text", "value"), EXACT.items())
def test_reads_exactly(text: str, value: Fraction) -> None:
    number = parse_number(plain(text))
    assert number is not None
    assert number.value == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2√{221}", 2 * math.sqrt(221)),
        (r"\frac{\pi}{3}", math.pi / 3),
        ("10π+20", 10 * math.pi + 20),
        (r"\frac{3}{2}\sqrt{3}", 1.5 * math.sqrt(3)),
        ("7sqrt(2)", 7 * math.sqrt(2)),
    ],
)
def test_reads_roots_and_pi(text: str, value: float) -> None:
    number = parse_number(plain(text))
    assert number is not None
    assert number.value == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize("text", NO_NUMBER)
def test_reads_nothing_else(text: str) -> None:
    assert parse_number(plain(text)) is None


@pytest.mark.parametrize("text", ["10^{99999}", "1e9999", "2^2^2^2^2^2", "(10^60)^60"])
def test_what_is_too_large_equals_nothing(text: str) -> None:
    number = parse_number(plain(text))
    assert number is not None
    assert not same_number(number, number)


@pytest.mark.parametrize(
    ("found", "reference", "roundings"),
    [
        ("18.76", "4√22", {"forms", "choices", "asked"}),
        ("13.33", r"\frac{40}{3}", {"forms", "choices", "asked"}),
        ("2.54", "2.5", {"choices", "asked"}),
        ("18.79", "18.8", {"choices", "asked"}),
        ("18.8", "18.79", {"choices"}),
        ("2.6", "√7", {"choices"}),
        ("36.87", "37", {"asked"}),
        ("37", "36.87", set()),
        ("18.7", "18.79", set()),
        ("19", "18.79", set()),
        ("18.79", "4√22", set()),
    ],
)
def test_rounding(found: str, reference: str, roundings: set[Rounding]) -> None:
    one, other = parse_number(plain(found)), parse_number(plain(reference))
    assert one is not None
    assert other is not None
    ways: list[Rounding] = ["forms", "choices", "asked"]
    assert {way for way in ways if same_number(one, other, way)} == roundings


def test_every_unit_is_split_off():
    behind = {name: unit for name, unit in _UNITS.items() if name not in "＄€£¥"}
    assert {name: split_unit(f"5 {name}") for name in behind} == {
        name: ("5", unit) for name, unit in behind.items()
    }
