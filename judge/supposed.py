"""From which words on a sentence only supposes, or lists what might be."""

from __future__ import annotations

import re

FROM_HERE = re.compile(
    r"\b(?:whether|suppose|supposing|supposition|assume|assuming|imagine|pretend"
    r"|hypothetically|for example|for instance|options?|choices|candidates?"
    r"|(?:possible|potential) (?:values?|answers?|readings?)"
    r"|let us say|let's say|let us take|let's take|for the sake|as though|hypothes[ie]s"
    r"|in a world|scenario|not sure"
    r"|one of|some number in|would be|would have|were to|may be|might be|might have"
    r"|can't tell|cannot tell)\b(?! (?:way|at all))"
    r"|\([A-E]\)[^.]{1,80}\([A-E]\)|(?:^|\s)[a-e1]\)[^.]{1,80}\s[b-f2]\)",
    re.IGNORECASE,
)
"""From this word on a sentence only supposes, or lists."""

CONDITION = re.compile(
    r"\b(?:if|unless|provided (?!in\b|by\b|as\b|on\b)|in case|assuming)\b", re.IGNORECASE
)
"""The clause in which it stands is supposed, too."""
