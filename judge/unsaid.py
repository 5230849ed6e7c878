"""By which words a text shows that it names a fact without stating it.

Lists of data. Those of `NO_STATEMENT` make a whole sentence say nothing; each comes with triggers,
parts of words of which one is in whatever it matches: most texts hold few of them, and need not be
searched for the rest.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Wording(NamedTuple):
    """A way of putting things.

    Attributes:
        triggers: one of them is in every sentence that the pattern matches.
        pattern: of a part of a sentence in small letters.
    """

    triggers: tuple[str, ...]
    pattern: re.Pattern[str]


_SAID_BY_OTHERS = (
    r"(?:wrote|says?|said|claims?|claimed|thinks?|got|found|answered|believes?|states?)"
)
NO_STATEMENT = tuple(
    Wording(tuple(triggers.split()), re.compile(pattern, re.DOTALL))
    for triggers, pattern in (
        # It speaks to the judge, or of the judging.
        (
            "judge grade grading evaluator verdict calibration",
            r"\b(?:judges?|graders?|evaluators?|verdicts?|graded|grading|calibration item)\b",
        ),
        (
            "annotation fact statement",
            r"\b(?:annotations?|facts?|statements?)\b.{0,60}"
            r"\b(?:reflected|stated|mentioned|found|verified|true)\b",
        ),
        (
            "reflected",
            r"\breflected\b.{0,40}\b(?:reflected|annotations?|facts?)\b"
            r"|\d\s?[:=.]\s?[\"']?reflected|(?:>|→|:|=)\s?reflected",
        ),
        (
            "statement annotation claim r:",
            r"\b(?:statement|annotation|claim)s?(?: \d+)?(?: were)?"
            r" ?:|\d ?r ?:",
        ),
        ("question: answer:", r"\b(?:question|answer): ?(?:is|are|does|do|yes|no)\b"),
        # It leaves a place for the fact.
        ("insert fill { ___", r"\b(?:insert|fill in)\b|\{\w+\}|___"),
        # Others say it.
        (
            "claim believe thinks thought wrote guessed",
            r"(?<!\bi )(?<!\bwe )"
            r"\b(?:claims?|claimed|believes?|believed|thinks|thought|wrote|guessed)\b",
        ),
        (
            "model student solver person author solution",
            r"\b(?:another|the other|some other|an?|previous|wrong) "
            rf"(?:model|student|solver|person|author|solution)\b.{{0,40}}\b{_SAID_BY_OTHERS}\b",
        ),
        (
            "someone somebody people others they friend rumor rumour",
            r"\b(?:some(?:one|body)|people|others|they|friend|rumou?r)\b.{0,20}"
            rf"\b(?:{_SAID_BY_OTHERS}|has it)\b",
        ),
        ("says said", r"\b(?:her|his|my|their|your) \w+ (?:says|said)\b|\bit is said\b"),
        (
            "key hint teacher textbook rival competitor internet reference prompt previous manual",
            r"\b(?:answer key|hint|teacher|textbook|rival|competitor|internet|reference|prompt"
            r"|previous answer|wrong answer|solution manual)\b.{0,20}"
            rf"\b(?:{_SAID_BY_OTHERS}|gives?|gave|has)\b",
        ),
        ("allegedly supposedly", r"\b(?:allegedly|supposedly)\b"),
        (
            "according",
            r"\baccording to (?:him|her|them|some|the (?:wrong|other|previous|official|answer))\b",
        ),
        (
            "repeat rephrase restate copy quote",
            r"\b(?:repeat|rephrase|restate|copy|quote)\b.{0,20}\b(?:question|problem|task)\b",
        ),
        # It is wrong, or might be said.
        (
            "lies mistake error wrong false incorrect untrue",
            r"\blies(?: when|\s?[:;,.])"
            r"|\b(?:mistake|error|wrong|false|incorrect|untrue) to \w+",
        ),
        ("anything", r"\banything but\b"),
        (
            "could might may would",
            r"\b(?:could|might|may|would like to) (?:write|say|read|claim|state|put)\b",
        ),
        ("were had should", r"^\s*(?:were|had|should)\b"),
        ("only iff", r"\b(?:only if|iff)\b"),
        ("let", r"\blet (?:∠ ?)?\w{1,4} ?= ?\d(?!.{0,200}\bread\b)"),
        # It is one of several, or as one likes.
        (
            "chance probabilit odds likelihood likely certainty weight bet worlds cases time fifty",
            r"\b(?:chances?|probabilit\w+|odds|likelihoods?|likely|fifty-fifty)\b"
            r"|\b(?:i bet|(?:weight|certainty|p) ?=? ?[.\d]|\d ?% certain"
            r"|in (?:half|some|most|\w+) of (?:the |\w+ )?(?:cases|worlds|times)|times? in \w+)\b",
        ),
        ("confiden p", r"\bconfiden(?:t|ce)\b|\bp ?\([^)]{0,20}=|\bp ?= ?0?\.\d"),
        ("on e[", r"\bon average\b|\be\["),
        (
            "depend whichever you whatever",
            r"\b(?:it depends|depending on|whichever|whatever|your pick)\b"
            r"|\byou (?:like|prefer|choose|want)\b",
        ),
        ("any", r"\bany of\b|\bin any\b|\bany (?:one|value|number|unit|colou?r)\b"),
        (
            "case",
            r"\b(?:first|second|third|other|one|this|that|best|worst) case\b|\bcase (?:\d|[a-d]\b)"
            r"|\bin case\b",
        ),
        ("plausible plausibly thereabouts give", r"\b(?:plausibl[ey]|thereabouts|give or take)\b"),
        ("minus", r"\bplus or minus\b"),
        (
            "could might may can conceivabl presumabl possibl perhaps maybe question reckon guess",
            r"\b(?:could|might)\b(?! (?:also )?(?:see|read|note))|\bmay (?:well )?(?:be|have)\b"
            r"|\bcan (?:put|take|set|assume|confirm|say)\b|\b(?:conceivably|presumably)\b"
            r"|\bout of the question\b|\b(?:i|we) (?:would |'d |can only )?(?:reckon|guess|bet)\b",
        ),
        # It is supposed, or a goal.
        (
            "hypothes conjectur postulat premise granted granting positing suppos assum given",
            r"\b(?:hypothes\w+|conjectur\w+|postulat\w+|premises?|grant(?:ed|ing)|posit(?:ing)?"
            r"|on the assumption|presuming|presume)\b",
        ),
        (
            "unless not when whenever once long event taking take say let for with",
            r"^\W*(?:when|whenever|once|as long as|in the event)\b"
            r"(?! (?:i|we|the) (?!.{1,80},))"
            r"(?=.{0,60}(?:[=∥⊥∠]|\b(?:is|are|be|reads|stand)\b))"
            r"|^\W*(?:taking|let|say)\b(?! (?:us see|me))(?=.{0,60}(?:[=∥⊥∠]|\b(?:is|are|be)\b))"
            r"(?!.{0,200}\bread\b)|\bonly when\b|\bunless\b|\bif not\b"
            r"|^\W*for \w+ ?= ?\d|\btake the .{1,60} to be\b|\bwe (?:put|take|set)\b",
        ),
        (
            "to be find want prove show check",
            r"\bto (?:be )?(?:find|found|prove|proven|show|shown|check|checked|verified|verify"
            r"|determined|confirm)\s?:|\bwe want to know\b|\bfind\s?:|\bwe are asked\b",
        ),
        (
            "wonder unclear nobody doubt unknown tell confirm whether open true",
            r"\b(?:i wonder|unclear|nobody knows|no one knows|doubtful|doubt|unknown"
            r"|tell me|remains open|true or false|yes or no|or not|who says)\b",
        ),
        (
            "could is are does do did has might can should",
            r"^\W*(?:is|are|does|do|did|has|have|could|might|can|should|would|was|were)\b",
        ),
        ("(?) ?? ?)", r"\(\?\)|\?\?|= ?\?"),
        (
            "verify prove show confirm check count picture fancy give pretend you",
            r"^\W*(?:please )?(?:verify|prove|show|confirm|check|count|picture|fancy|give"
            r"|pretending)"
            r"\b(?: \w+)? (?:that|whether|this|for|the)\b|\byou (?:should|must|need|shall|ought)\b",
        ),
        ("would", r"\bwould\b"),
        (
            "rule used case way instead",
            r"\brule out\b|\bused to be\b|\bnot (?:the case|so) that\b|\bno way\b|\bhalf (?:open"
            r"|closed)\b",
        ),
        (
            "credit truth reference matching opinion heard sure remember record recall",
            r"\bcredit\b|\bground truth\b|\breference (?:answer|solution)|\bmatching purpose"
            r"|\bin the opinion of\b|\bi (?:have heard|was told)\b|\btokens?\b"
            r"|\b(?!i )\w+ (?:(?:was|were|is|are) (?:sure|certain|convinced)|remembers?|records?"
            r"|recalls?)"
            r" that\b",
        ),
        # It is an example, a list of words, or a record of marks.
        (
            "e.g example such sample input output keywords decoded backwards default todo tbd",
            r"\be\.g\b|\bexamples?\b|\bsuch as\b|\bsample\b|\b(?:input|output|keywords|decoded"
            r"|default)\s?:|\bbackwards\b|\b(?:todo|tbd)\b",
        ),
        (
            "mark point credit item accept deem award bonus satisf covered checklist score present",
            r"\b\d+ marks?\b|\b(?:full|a|one|half) (?:marks?|credit|point) for\b|\bmarking scheme\b"
            r"|\bfull (?:marks|credit)\b|\bitem\b|\baccept(?:ed)?\b|\bdeem(?:ed)?\b"
            r"|\baward\b|\bbonus\b|\bchecklist\b|\bscore\s?:?\s?\d+ ?/"
            r"|: (?:present|yes|true|pass|ok|r|hit)\b|= hit\b",
        ),
        (
            "believing believe pretend treat examiner assessor referee checker system admin"
            " override",
            r"\b(?:believing that|believe me|treat the following|examiner|assessor"
            r"|referee|checker|override|admin|maintenance mode|system message)\b",
        ),
        # Others say it, whoever they are; the picture, its parts and the writer may say things.
        (
            "say said tell told report reckon insist swear assert maintain argue suggest mention"
            " note"
            " confirmed rumour rumor attest view opinion version copy per notes state gives reads",
            r"\b(?:told (?:me|us)|has been (?:suggested|said|claimed|reported)|one reads|have it"
            r"|in (?:his|her|their|the \w+'s) (?:view|opinion|copy|version|eyes|words)"
            r"|in the (?:old|older|earlier|wrong|other) (?:version|copy|edition)"
            r"|per the \w+|according to (?:an?|my|his|her|its|\w+'s)|as stated in|the user has"
            r"|some (?:maintain|say|argue|hold|think)|many (?:will |would )?(?:maintain|say"
            r"|argue|think)"
            r"|(?:observer|viewer|reader)s? (?:would|will|may|might))\b",
        ),
        (
            "say report reckon insist swear assert maintain argue suggest mention note state want"
            " claim give told have has",
            r"\b(?!(?:figure|picture|image|diagram|chart|graph|plot|map|table|sign|label|title"
            r"|legend"
            r"|axis|scale|gauge|clock|i|we|it|this|that|which|text|caption|sketch|photo|marking"
            r"|mark"
            r"|drawing|also|and|heading|header|column|row|key|arrow|poster|board|display|screen"
            r"|tag|bar"
            r"|line|then|now|here|can|problem|question)\b)"
            r"\w+ (?:reckons?|reported|reports|insists?|swears?|swore|asserts?|asserted|maintains?"
            r"|argues?|argued|suggests?|suggested|mentions?|mentioned|states?|stated|told"
            r"|has it|claims|gives that|attests?)\b",
        ),
        (
            "problem question task exercise",
            r"\b(?:problem|question|task|exercise) (?:says|mentions|gives|states|asks|wants) that\b"
            r"(?=.{0,200}\b(?:and wants|so be it|and asks)\b|.{0,200}\.\s*$)",
        ),
        ("she he bob alice they q a: him her", r"^\W*(?:she|he|they|bob|alice|tom|ann|q|a)\s?[:>]"),
        # It is wrong, and the text says so.
        (
            "myth typo misprint nonsense joke error erroneous mistaken outdated misread lie",
            r"\b(?:myth|typo|misprint|nonsense|joke|erroneous(?:ly)?|mistaken(?:ly)?|outdated|error"
            r"|fiction|fake|hoax|made up)\b",
        ),
        (
            "far near except lack fail ceased other than short differ hardly means exceed ain't"
            " non un"
            " isnt doesnt arent dont wasnt",
            r"\b(?:far from|nowhere near|except|lacks?|lack of|fail(?:s|ed)? to|ceased?|other than"
            r"|falls? short|differs? from|hardly|scarcely|barely|by no means|exceeds?|ain't|isnt"
            r"|arent"
            r"|doesnt|dont|wasnt|werent|non-\w+|off-\w+)\b",
        ),
        (
            "placeholder appropriate bracket replace",
            r"\b(?:placeholder|delete as|as appropriate|replace the|to be verified)\b",
        ),
        # It is in a language of which the rules know no words.
        (
            "que que' che dat dass ist est wenn falls oder nicht niet nie kein sei nehmen"
            " angenommen"
            " supp supo stel niech założ ani değil eğer misal andai salah bukan falsch faux falso"
            " ou alors non sono della ein eine der die das und les des los las una het een jest czy"
            " albo lub jika atau bu ise veya om eller inte är ikke og att och se pas por para con",
            r"\b(?:que|che|dat|dass|daß|ist|est|sei|wenn|falls|oder|nicht|niet|nie|kein|keine"
            r"|nehmen"
            r"|angenommen|suppos(?:ons|ez|é|iamo)|supon\w+|stel|niech|załóżmy|że|değil|eğer"
            r"|misalkan"
            r"|andaikan|salah|bukan|falsch|faux|falso|alors|ein|eine|der|die|das|und|les|des|los"
            r"|las"
            r"|una|het|een|jest|czy|albo|lub|jika|atau|veya|ise|eller|inte|ikke|och|att|della"
            r"|sono|pas"
            r"|então|não|è|é|är|caso|seja|hvis|jos|tai|eli|ei|ili|nebo|vagy|ha|nem|sau|dacă|nu)\b",
        ),
        (
            "也许 大概 可能 未必 假 如 若 设 不 错 有人 据 非 没 或 吗 "
            "もし ない 仮 또 가 아 만약 か",
            r"未必|假[设如定]|如果|若|不是|不对|不等|不平|不成|错|有人|据说|并非|没有|或者?|吗"
            r"|可能|也许|大概"
            r"|もし|ない|仮|なら|または|가정|아니|만약|또는",
        ),
    )
)

_OTHER_SCRIPT = r"[\u0400-\u052f\u0530-\u07ff\u0900-\u0fff\u10a0-\u10ff\uac00-\ud7ff]{2,}"
UNREAD_WORD = re.compile(
    rf"{_OTHER_SCRIPT}|[A-Za-z][ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο\u0400-\u058f]"
    r"|[ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο\u0400-\u058f][a-z]|\b[a-z]+[01345][a-z]+\b"
)
"""A word in letters of which no word is known, or in letters of two alphabets."""

ASKS = re.compile(
    r"[?？]\s*$"
    r"|[,，] ?(?:then )?(?:find|determine|calculate|compute|what(?: i|')s|how (?:long|many|much))\b"
)

OPTIONS = re.compile(
    r"\b(?:[Oo]ptions?|[Cc]hoices|[Cc]andidates?)\b[^.\n]{0,30}:"
    r"(?:(?!(?<!\b[A-J])\.\s+[A-Z][a-z])[^\n])*"
)
TASK = re.compile(
    r"\b(?:Question|Problem|Task|Exercise)\s*:(?:(?!\b(?:Answer|Solution)\b)[^\n]){0,2000}"
    r"|\bGiven\s*:[^\n]{0,400}?\b(?:Find|Determine|Prove)\s*:"
)
