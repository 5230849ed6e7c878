"""One statement for each of several facts that share their words: "AB = BC = 5" are two."""

from __future__ import annotations

import re

from .lexicon import shared_lists

_NUMBER = shared_lists()["number"]
_SEGMENT = r"(?:m?∠ ?)?(?<![A-Za-z])[A-Z]{1,3}(?![A-Za-z])"
_SEGMENTS = rf"{_SEGMENT}(?:, {_SEGMENT})*,? and {_SEGMENT}"
_NAME = re.compile(_SEGMENT)
_CHAIN = re.compile(rf"^(?P<names>{_SEGMENT}(?:\s?=\s?{_SEGMENT})+)\s?=\s?(?P<value>\d[\w.° ]*)$")
_SHARED = re.compile(
    rf"(?P<names>{_SEGMENTS}),? (?:are|have|measure|equal)\b(?: both| each)?(?: lengths? of)? "
    rf"(?P<value>(?:\d[\d.]*|(?:{_NUMBER})\b)(?! (?:tick|mark|arc))[\w° ]*?)(?: each)?$"
)
_LIST = r"[\w.%°-]+(?:, [\w.%°-]+)*,? and [\w.%°-]+"
_TWO_LISTS = re.compile(
    rf" (?:are|were|is|was|reach|show)(?: at)? (?P<values>(?=\d){_LIST}) "
    rf"(?P<of>for|in|at|on) (?P<labels>{_LIST})(?:,? respectively)?$"
)
_JOINED = re.compile(rf"^(?P<start>.* (?:joined|connected|linked) to )(?P<names>{_SEGMENTS})$")
_TOGETHER = re.compile(
    rf"^(?P<names>{_SEGMENTS}) are (?:both |all |each )?"
    r"(?:tangents? (?P<to>to .+?)|(?P<on>(?:on|inside|outside) .+?))(?:,? at .+)?$"
)
_COURSE = re.compile(
    r"^(?P<subject>.{2,60}? (?:runs?|goes|rises?|falls?|drops?|climbs?|grows?|increases?"
    r"|decreases?|up|down)(?: \w+)?) from (?P<start>\d[^,]{0,40}?) to (?P<end>\d[^,]{0,40})$"
)
_BETWEEN_ITEMS = re.compile(r",? and |, ")


def each_by_itself(statement: str) -> list[str]:
    """One statement for each of several names or values; else the statement itself.

    Example:
        >>> each_by_itself("AB = BC = 5")
        ['AB = 5', 'BC = 5']
        >>> each_by_itself("The upper sides, AB and BC, are five units each")
        ['AB = five units', 'BC = five units']
        >>> each_by_itself("The bars are 3, 4 and 6 for 2001, 2002 and 2003")
        ['The bars for 2001: 3', 'The bars for 2002: 4', 'The bars for 2003: 6']
        >>> each_by_itself("PA and PB are tangents to circle O")
        ['PA is tangent to circle O', 'PB is tangent to circle O']
        >>> each_by_itself("The scale runs from 0 to 100")
        ['The scale runs: 0', 'The scale runs: 100']
    """
    if lists := _TWO_LISTS.search(statement):
        values, labels = map(_BETWEEN_ITEMS.split, lists.group("values", "labels"))
        if len(values) == len(labels):
            subject = f"{statement[: lists.start()]} {lists['of']}"
            pairs = zip(labels, values, strict=True)
            return [f"{subject} {label}: {value}" for label, value in pairs]
    if joined := _JOINED.search(statement):
        return [f"{joined['start']}{name}" for name in _NAME.findall(joined["names"])]
    if together := _TOGETHER.search(statement):
        rest = f"tangent {together['to']}" if together["to"] else together["on"]
        return [f"{name} is {rest}" for name in _NAME.findall(together["names"])]
    if course := _COURSE.search(statement):
        return [f"{course['subject']}: {course['start']}", f"{course['subject']}: {course['end']}"]
    shared = _CHAIN.search(statement) or _SHARED.search(statement)
    if shared is None:
        return [statement]
    return [f"{name} = {shared['value'].strip()}" for name in _NAME.findall(shared["names"])]
