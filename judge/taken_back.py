"""By which words a sentence takes back what stands before it."""

from __future__ import annotations

import re

TAKEN_BACK = re.compile(  # of a sentence in small letters
    r"\b(?:take|took) (?:all |everything |that |this |it )?(?:of )?(?:that |this |it )?back\b"
    r"|\b(?:all|every(?:thing| word)) (?:of )?(?:that|this|the above|above|it|these)\b"
    r".{0,40}\b(?:false|wrong|untrue|made up|invented|guess(?:es|work)?)\b"
    r"|\b(?:none|nothing) (?:of )?(?:that|this|the above|above|it|these)\b"
    r".{0,40}\b(?:true|right|correct|read|so|real|holds?)\b"
    r"|\bi (?:have )?(?:made .{0,20}\bup\b|invented (?:all|everything|that|this|it|them)\b)"
    r"|\b(?:disregard|ignore|forget) (?:(?:all|everything|what|of) ){0,2}"
    r"(?:that|this|it|the above|the previous|above|i (?:said|wrote))\b"
    r"|\b(?:scratch|strike) (?:that|all|this|everything)\b|\bmixed (?:.{1,12} )?up\b"
    r"|\b(?:wrong|another|different) (?:figure|picture|image|machine|problem|diagram|drawing)\b"
    r"|\b(?:both|all|these|those|they) (?:of (?:them|these|those|it) )?(?:are|were) (?:all )?"
    r"(?:wrong|false|incorrect|untrue|made up)\b"
    r"|\b(?:i (?:hereby )?(?:retract|withdraw|revoke|lied|disagree|was wrong|was joking)"
    r"|stand by|fabricated|the foregoing|all (?:untrue|false|wrong)|none of (?:it|this)|was faulty"
    r"|previous (?:two|three|few|\d) \w+|just kidding|april fools?|only a dream|the (?:opposite"
    r"|reverse|contrary) (?:holds|is true)"
    r"|neither (?:is|are|of (?:them|these|those|it))|(?:previous|above|earlier) (?:statements?"
    r"|lines?"
    r"|values?|claims?|sentences?) (?:do|does|are|is|were|was|must|should)|random guess(?:es)?"
    r"|value above must|never (?:looked|seen|saw)|(?:can't|cannot|can not) see|no picture"
    r"|distance myself|(?:for|from|of) (?:another|a different|the wrong) "
    r"(?:chart|page|table|graph|scene|photo))\b"
    r"|\bfalse in every\b|\b(?:above|that) (?:is|was) (?:all )?(?:false|untrue|made up|invented)\b"
)
"""Matches a sentence, in small letters, that takes back all that stands before it."""

TAKES_LAST_BACK = re.compile(
    r"^\W*(?:not(?: really| so| true)?|no|nonsense|wrong|false|untrue|incorrect|lies"
    r"|(?:that|this|it|which)(?:'s| is| was) (?:not|n't|wrong|a (?:mistake|joke|lie|typo"
    r"|misprint)|false"
    r"|incorrect|untrue|nonsense|an? error)\b[^,]{0,30}|the label is mistaken)\W*$"
)
"""Matches a sentence, in small letters, that takes back the one before it."""
