"""Looking for what should not be published: secrets, and folders of somebody's machine.

Every text is looked at that would be sent: each text column of the rows, however deep, and each
text file. Pictures and weights are not. Parquet is read a batch at a time, without its pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pyarrow.parquet as pq

from ..outputs.provenance import secrets_of_environment
from .records import Finding, Findings

SHOWN = 20
AROUND = 30
FAR = 10_000  # so far a neighbour is masked that reaches into the words around
ROWS_AT_A_TIME = 256
TEXT_ENDINGS = {".json", ".jinja", ".md", ".txt", ".jsonl", ".yaml"}
_MASK = "***"


class _Form(NamedTuple):
    """One form of a secret or of a path.

    Attributes:
        signs: texts without any of these words hold none of it. Looking for a word takes a
            hundredth of the time that the pattern takes, so whole batches are looked through.
        whole: the pattern.
    """

    what: str
    signs: tuple[str, ...]
    whole: re.Pattern[str]


def _form(what: str, signs: str, whole: str) -> _Form:
    return _Form(what, tuple(signs.split()), re.compile(whole))


# A key has a digit, and words with hyphens rarely do: `sk-learn-compatible-estimators` is none.
_KEY = r"(?=[\w-]*\d)[\w-]"
SECRETS = [
    _form("an OpenAI, Anthropic or OpenRouter key", "sk-", rf"\bsk-{_KEY}{{20,}}"),
    _form("a Stripe key", "k_live_", r"\b[sr]k_live_\w{16,}"),
    _form("a Hugging Face token", "hf_", r"\bhf_[A-Za-z0-9]{30,}"),
    _form("a GitHub token", "gh github_pat_", r"\b(?:gh[pousr]_|github_pat_)\w{30,}"),
    _form("a GitLab token", "glpat-", rf"\bglpat-{_KEY}{{18,}}"),
    _form("an AWS key", "AKIA ASIA", r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    _form("a Google key", "AIza ya29.", r"\b(?:AIza[\w-]{30,}|ya29\.[\w-]{20,})"),
    _form("a Groq key", "gsk_", r"\bgsk_\w{20,}"),
    _form("an xAI or NVIDIA key", "xai- nvapi-", rf"\b(?:xai|nvapi)-{_KEY}{{20,}}"),
    _form("a Replicate or Perplexity key", "r8_ pplx-", rf"\b(?:r8_|pplx-){_KEY}{{20,}}"),
    _form("a Slack token", "xox", rf"\bxox[abeprs]-{_KEY}{{10,}}"),
    _form("a PyPI or npm token", "pypi- npm_", rf"\b(?:pypi-|npm_){_KEY}{{20,}}"),
    _form("a Docker token", "dckr_pat_", rf"\bdckr_pat_{_KEY}{{20,}}"),
    _form("a private key", "-----BEGIN", r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    _form("a signed web token", "eyJ", r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    _form("a login in an address", "://", r"://[^/\s:@]{1,200}:[^/\s@]{1,200}@"),
    _form(
        "a key in an address",
        "key= Key= KEY= token= Token= TOKEN= signature= Signature= sig= Sig=",
        r"[?&](?:(?i:api[-_]?)?(?:key|Key|KEY)|(?i:access[-_])?(?:token|Token|TOKEN)"
        r"|(?i:x-amz-)?[Ss]ignature|[Ss]ig)=[^&#\s]{16,}",
    ),
]
# Not within an address of the web: https://example.org/home/page/ is none.
_ALONE, _REST = r"(?<![\w./:-])", r"[^\s\"'<>]"
PATHS = [
    _form("a home folder", "/home/ /Users/", rf"{_ALONE}/(?:home|Users)/[^/\s\"'<>]+/{_REST}*"),
    _form("root's folder", "/root/", rf"{_ALONE}/root/{_REST}+"),
    _form(
        "a Windows folder",
        "Users",
        rf"(?<![A-Za-z])[A-Za-z]:[\\/]+Users[\\/]+{_REST}+",
    ),
    _form("an address of a file", "file://", rf"\bfile://{_REST}+"),
]


class _Text(NamedTuple):
    """A text, and where in its file it stands."""

    place: str
    text: str


def scan(files: Mapping[str, Path]) -> Findings:
    """What should not be published among the files: path in the repository -> the file."""
    sought = _Sought()
    shown: dict[str, list[Finding]] = {"secret": [], "local path": []}
    counts = dict.fromkeys(shown, 0)
    for name, path in files.items():
        for batch in _texts(path):
            for kind, form, place, match in sought.matches(batch):
                counts[kind] += 1
                if len(shown[kind]) < SHOWN:
                    excerpt = sought.excerpt(match)
                    finding = Finding(
                        kind=kind, what=form.what, file=name, place=place, excerpt=excerpt
                    )
                    shown[kind].append(finding)
    return Findings(
        secrets=counts["secret"],
        local_paths=counts["local path"],
        shown=[*shown["secret"], *shown["local path"]],
    )


class _Sought:
    """All forms, what this machine's environment holds among them."""

    def __init__(self) -> None:
        own = tuple(secrets_of_environment())
        pattern = re.compile("|".join(map(re.escape, own)))
        machine = [_Form("a credential of this machine", own, pattern)] if own else []
        self.forms: list[tuple[Literal["secret", "local path"], _Form]] = [
            *(("secret", form) for form in (*machine, *SECRETS)),
            *(("local path", form) for form in PATHS),
        ]

    def matches(
        self, batch: Sequence[_Text]
    ) -> Iterator[tuple[Literal["secret", "local path"], _Form, str, re.Match[str]]]:
        """Whatever the texts hold, with its place."""
        together = "\n".join(one.text for one in batch)
        for kind, form in self.forms:
            if any(sign in together for sign in form.signs):
                for one in batch:
                    for match in form.whole.finditer(one.text):
                        yield kind, form, one.place, match

    def excerpt(self, match: re.Match[str]) -> str:
        """The words around it on one line; it and its neighbours are masked."""
        text, (start, end) = match.string, match.span()
        before = self._masked(text[max(0, start - FAR) : start])[-AROUND:]
        after = self._masked(text[end : end + FAR])[:AROUND]
        shown = f"{before}{_hint(match[0])}{after}"
        return " ".join("".join(c if c.isprintable() else " " for c in shown).split())

    def _masked(self, text: str) -> str:
        for _, form in self.forms:
            text = form.whole.sub(_MASK, text)
        return text


def _hint(found: str) -> str:
    """So much of it that a person finds it again, and nobody can use it."""
    if found.startswith(("/", "file:")) or found[1:2] == ":":
        root = re.match(r"/\w+/|file:/+|[A-Za-z]:[\\/]+\w+[\\/]+", found)
        return f"{root[0] if root else ''}{_MASK}"
    return f"{found[:4].partition(':')[0]}{_MASK}"


def _texts(path: Path) -> Iterator[list[_Text]]:
    """The texts of the file, so many at a time."""
    if path.suffix == ".parquet":
        yield from _row_texts(path)
    elif path.suffix in TEXT_ENDINGS:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        yield [_Text(f"line {number:,}", line) for number, line in enumerate(lines, 1)]


def _row_texts(path: Path) -> Iterator[list[_Text]]:
    number = 0
    with pq.ParquetFile(path) as file:
        columns = _text_columns(file)
        for batch in file.iter_batches(batch_size=ROWS_AT_A_TIME, columns=columns):
            texts = []
            for row in batch.to_pylist():
                number += 1
                called = ascii(row["id"]) if row.get("id") else f"{number:,}"
                texts += [_Text(f"row {called}, column {name}", it) for name, it in _walk(row, "")]
            yield texts


def _text_columns(file: pq.ParquetFile) -> list[str]:
    """The leaves that hold text; a picture's bytes are none."""
    leaves = [file.schema.column(number) for number in range(len(file.schema))]
    return [leaf.path for leaf in leaves if str(leaf.logical_type.type).upper() == "STRING"]


def _walk(value: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(inner, f"{where}.{key}" if where else key)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _walk(inner, f"{where}[{number}]")
