"""The words of the rules judge: numbers, units, one word for several, what excludes what.

Lists of data. A word that is missing here makes the rules unsure and never wrong: what they cannot
decide safely is a model's, where there is one.
"""

from __future__ import annotations

NUMBER_WORDS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen twenty".split()
    )
} | {
    word: 10 * tens
    for tens, word in enumerate("thirty forty fifty sixty seventy eighty ninety".split(), 3)
}

UNITS: dict[str, tuple[str, float]] = {
    spelling: (base, factor)
    for base, factor, spellings in (
        ("metre", 0.001, "mm millimetre millimetres millimeter millimeters"),
        ("metre", 0.01, "cm centimetre centimetres centimeter centimeters"),
        ("metre", 1.0, "m metre metres meter meters"),
        ("metre", 1000.0, "km kilometre kilometres kilometer kilometers"),
        ("metre", 0.0254, "inch inches"),
        ("metre", 0.3048, "ft foot feet"),
        ("metre", 1609.344, "mile miles"),
        ("gram", 1.0, "g gram grams"),
        ("gram", 1000.0, "kg kilogram kilograms"),
        ("second", 1.0, "s sec second seconds"),
        ("second", 60.0, "min minute minutes"),
        ("second", 3600.0, "h hour hours"),
        ("share", 1.0, "% percent"),
        ("degree", 1.0, "° degree degrees"),
        ("volt", 1.0, "v volt volts"),
        ("ampere", 1.0, "a amp amps ampere amperes"),
        ("ohm", 1.0, "ω ohm ohms omega"),
        ("newton", 1.0, "n newton newtons"),
        ("money", 1.0, "$ dollar dollars pound pounds euro euros"),
    )
    for spelling in spellings.split()
}
"""Spelling in small letters -> the unit that its kind is compared in, and how many of those."""

FILLER = frozenset(
    "a an the is are was were be been being of to in on at by it its with has have had there this "
    "that these those as for from and or equal measure length value given label labelled mark "
    "marked shown show read reading write written both each also which long about stand lie here "
    "still now only just do does we i see count make up around approximately roughly exactly say "
    "call called named contain hold cost point unit take you can their his her our my will drawn "
    "reach amount number object s they them".split()
)
"""Words that tell no subject from another."""

WEAK = frozenset(
    "bar table list column row axis line plot map pie total segment side chart figure graph "
    "picture image diagram".split()
)
"""Words that tell a subject where nothing else does: six bars, but the bar for May."""

TOGETHER = frozenset(
    "difference sum ratio average mean product gap total together range half twice double".split()
)
"""What is said of several things at once: the difference of May and April is 20."""

CONTINUES = frozenset("at is are with has reads which also measures".split())
"""What a part of a sentence may begin with that goes on about the subject before the comma."""

_SAME = (
    "height high altitude",
    "circle round",
    "radius radii",
    "centre center",
    "colour color",
    "grey gray",
    "person people",
    "sale sold",
    "win won",
    "loss lose lost losses",
    "draw drew",
    "january jan",
    "february feb",
    "march mar",
    "april apr",
    "june jun",
    "july jul",
    "august aug",
    "september sep sept",
    "october oct",
    "november nov",
    "december dec",
    "parallel ∥",
    "perpendicular ⊥",
    "trapezoid trapezium",
    "incline slope plane",
    "mass weigh weight",
    "biggest largest greatest",
    "top upper",
    "bottom lower",
    "fall drop decrease decline descend",
    "rise increase climb grow",
    "headed heading header",
    "slice sector",
    "title titled",
    "closed shut",
    "tallest highest",
    "shortest lowest",
    "sign tag",
    "series serial",
)
OTHER_UNITS = frozenset(
    "mv kv ma kw mw gon radian squared cubed psi bar kpa pixel dozen hundred thousand million "
    "billion tonne ton yard litre liter hz day week month year time of".split()
)
"""What behind a number makes it another quantity than the number alone."""

SAME_WORD = {word: words.split()[0] for words in _SAME for word in words.split()}

EXCLUSIVE = tuple(
    frozenset(group.split())
    for group in (
        "red blue green yellow orange purple pink brown black white grey cyan violet cream "
        "silver beige gold turquoise magenta",
        "triangle square rectangle rhombus parallelogram trapezoid kite pentagon hexagon heptagon "
        "octagon circle ellipse",
        "left right",
        "above below",
        "top bottom",
        "north south east west",
        "inside outside",
        "series parallel",
        "open closed",
        "rise fall",
        "tallest shortest",
        "biggest smallest",
        "dashed solid dotted",
        "striped plain checked",
        "acute obtuse right",
        "perpendicular parallel",
        "horizontal vertical",
        "full empty",
        "odd even",
        "first second third fourth fifth",
        "alternate corresponding same-side",
        "roman arabic",
    )
)
"""Of each group, one at most holds of one thing."""

RELATIONS = (
    ("parallel", r"∥|//|\bparallel\b|平行"),
    ("perpendicular", r"⊥|\bperpendicular\b|\bright angles? to\b|\bat right angles\b|垂直"),
    ("tangent", r"\btangent\b|切"),
    ("bisect", r"\bbisect(?:s|ed|ing|or)?\b|平分"),
    ("midpoint", r"\bmid-?points?\b|中点"),
    ("congruent", r"≅|≌|\bcongruent\b|全等"),
    ("similar", r"∼|\bsimilar\b|相似"),
    ("diameter", r"\bdiameters?\b|直径"),
    ("series", r"\bseries\b"),
    ("on", r"\b(?:lies?|is|are|point|located) on\b|∈|(?<=[A-Z]) on (?=[A-Z∠]|side|segment|line)"),
)

RIVALS = {
    "parallel": ("perpendicular", "series"),
    "perpendicular": ("parallel",),
    "series": ("parallel",),
}
"""Which relations a relation excludes between the same things."""

CORRECTIONS = frozenset("wait actually correction rather sorry misread recheck hmm".split())
"""What stands before a value that replaces an earlier one."""

DENIALS = frozenset(
    "not no never neither nor isn't aren't wasn't doesn't don't can't cannot without".split()
)

REFUTES = frozenset("≠ false wrong untrue incorrect impossible deny doubt nobody hardly".split())
