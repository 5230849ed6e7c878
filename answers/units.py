"""Units of measurement: what each is a multiple of.

Two amounts are converted only when both state a unit. A unit that stands in no table is a word like
any other and decides nothing.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple


class Unit(NamedTuple):
    """A multiple of its dimension's base unit; units of two dimensions are never equal."""

    dimension: str
    factor: Fraction


def _table() -> dict[str, Unit]:
    lengths = {
        "1/1000": "mm millimeter millimeters millimetre millimetres 毫米",
        "1/100": "cm centimeter centimeters centimetre centimetres 厘米",
        "1/10": "dm decimeter decimeters decimetre decimetres 分米",
        "1": "m meter meters metre metres 米",
        "1000": "km kilometer kilometers kilometre kilometres 千米 公里",
        "1852": "海里 nmi",
        "127/5000": "in inch inches 英寸",
        "381/1250": "ft foot feet 英尺",
        "1143/1250": "yd yard yards",
        "1609344/1000": "mi mile miles 英里",
    }
    others = {
        ("mass", "1/1000"): "mg milligram milligrams 毫克",
        ("mass", "1"): "g gram grams 克",
        ("mass", "1000"): "kg kilogram kilograms 千克 公斤",
        ("mass", "1000000"): "ton tons tonne tonnes 吨",
        ("time", "1/1000"): "ms millisecond milliseconds 毫秒",
        ("time", "1"): "s sec secs second seconds 秒 秒钟",
        ("time", "60"): "min mins minute minutes 分钟",
        ("time", "3600"): "hr hrs hour hours 小时",
        ("time", "86400"): "day days 天",
        ("angle", "1"): "° degree degrees deg 度",
        ("radian", "1"): "rad radian radians 弧度",
        ("money_usd", "1"): "＄ dollar dollars usd 美元",
        ("money_usd", "1/100"): "cent cents ¢ 美分",
        ("money_eur", "1"): "€ euro euros eur 欧元",
        ("money_gbp", "1"): "£ pound pounds gbp 英镑",
        ("money_cny", "1"): "¥ 元 yuan rmb cny 人民币",
        ("volume", "1/1000"): "L liter liters litre litres 升",
        ("volume", "1/1000000"): "ml milliliter milliliters millilitre millilitres 毫升",
        ("temperature_c", "1"): "°c ℃ 摄氏度",
        ("temperature_f", "1"): "°f ℉ 华氏度",
        ("speed", "1"): "m/s 米/秒 mps",
        ("speed", "5/18"): "km/h 千米/时 千米/小时 kmh kph",
        ("speed", "1397/3125"): "mph",
        ("acceleration", "1"): "m/s^2 m/s2 米/秒^2",
        ("force", "1"): "N newton newtons 牛 牛顿",
        ("force", "1000"): "kn kilonewton kilonewtons",
        ("energy", "1"): "J joule joules 焦耳 焦",
        ("energy", "1000"): "kj kilojoule kilojoules",
        ("pressure", "1"): "pa pascal pascals",
        ("pressure", "1000"): "kpa kilopascal kilopascals",
        ("current", "1"): "A amp amps ampere amperes 安",
        ("current", "1/1000"): "ma milliamp milliamps",
        ("voltage", "1"): "V volt volts 伏",
        ("resistance", "1"): "Ω ω ohm ohms 欧姆 欧",
        ("resistance", "1000"): "kΩ kω kohm kohms",
        ("power", "1"): "W watt watts 瓦",
        ("power", "1000"): "kw kilowatt kilowatts",
        ("frequency", "1"): "hz hertz",
        ("frequency", "1000"): "khz",
    }
    table: dict[str, Unit] = {}
    for factor, names in lengths.items():
        for name in names.split():
            size = Fraction(factor)
            table[name] = Unit("length", size)
            squares = (f"{name}^2", f"{name}2", f"sq {name}", f"square {name}", f"平方{name}")
            cubes = (f"{name}^3", f"{name}3", f"cubic {name}", f"立方{name}")
            table |= dict.fromkeys((*squares, f"{name} squared"), Unit("area", size**2))
            table |= dict.fromkeys((*cubes, f"{name} cubed"), Unit("volume", size**3))
    for (dimension, factor), names in others.items():
        table |= dict.fromkeys(names.split(), Unit(dimension, Fraction(factor)))
    return table


_UNITS = _table()
_LENGTHS = {
    end: sorted({len(name) for name in _UNITS if name[-1].lower() == end}, reverse=True)
    for end in {name[-1].lower() for name in _UNITS}
}
"""How long the units are that end in a character, the longest first."""
_SPELLING = re.compile(r"\^\{\s*([23])\s*\}|\s*\^\s*([23])")


class Measured(NamedTuple):
    """An amount's text and the unit that stood behind or, for money, before it."""

    amount: str
    unit: Unit | None


def split_unit(text: str) -> Measured:
    """The text without the known unit at its end (or the currency at its start), and that unit."""
    spelled = _SPELLING.sub(lambda m: "^" + (m.group(1) or m.group(2)), text).rstrip()
    bare = spelled.lstrip("-").lstrip()
    if bare.startswith(("＄", "€", "£", "¥")):
        minus = "-" if spelled.startswith("-") else ""
        return Measured(minus + bare[1:].strip(), _UNITS[bare[0]])
    for length in _LENGTHS.get(spelled[-1:].lower(), ()):
        name, amount = spelled[-length:], spelled[:-length]
        unit = _UNITS.get(name if len(name) == 1 else name.casefold())
        if unit and amount and not (name[0].isalpha() and _is_letter(amount[-1])):
            return Measured(amount.rstrip().removesuffix(" per"), unit)
    return Measured(spelled, None)


def _is_letter(character: str) -> bool:
    return character.isascii() and character.isalpha()
