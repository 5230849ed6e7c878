"""What a push is about to send, and what came of it."""

from __future__ import annotations

from typing import Literal

from ..schemas.records import Record

Kind = Literal["dataset", "model"]
Layout = Literal["pr1", "perception-r1"]


class SentFile(Record):
    """A file: its path in the repository and its size in bytes."""

    path: str
    size: int


class SourceUse(Record):
    """A source of the rows, and what its terms mean for publishing them.

    Attributes:
        name: as the data states it, on one line; `(not stated)` where it does not.
        license: as the data states it, or as it is known; None where neither.
        rows: how many rows are of it; None where the rows are not at hand.
        refusal: why publishing would break its terms; empty where it would not.
        warning: what a person should know before publishing.
        url: where its terms are stated, when that is known.
    """

    name: str
    license: str | None
    rows: int | None
    refusal: str = ""
    warning: str = ""
    url: str | None = None


class Finding(Record):
    """A text that should not be published as it is.

    Attributes:
        kind: `secret`: what is, or looks like, a credential; `local path`: a folder of a machine.
        what: which form of it was recognised.
        file: the path in the repository.
        place: the row and the column, or the line.
        excerpt: the words around it; the secret itself, and a user's name, are masked.
    """

    kind: Literal["secret", "local path"]
    what: str
    file: str
    place: str
    excerpt: str


class Findings(Record):
    """All of them counted, and the first of each kind shown."""

    secrets: int = 0
    local_paths: int = 0
    shown: list[Finding] = []


class Plan(Record):
    """What would be sent where.

    Attributes:
        made_by: the stage that wrote the folder.
        rows: of a dataset.
        private: make a private repository; one that exists keeps its visibility.
        left: files of the folder that stay on this machine.
        license: identifiers of the card's front matter; `other` with what it is called there.
    """

    kind: Kind
    made_by: str
    folder: str
    repo_id: str | None
    url: str | None
    private: bool
    revision: str | None
    create_pr: bool
    rows: int
    files: list[SentFile]
    left: list[str]
    license: list[str]
    sources: list[SourceUse]
    findings: Findings


class PushResult(Record):
    """What was sent where, or, after a dry run, what would be.

    Attributes:
        url: of the repository's page.
        is_sent: something was sent; False after a dry run, and where everything was there already.
        commit: page of the commit that holds this content; None after a dry run.
        pull_request: its page, where one was asked for.
    """

    plan: Plan
    url: str
    is_sent: bool
    commit: str | None = None
    pull_request: str | None = None
