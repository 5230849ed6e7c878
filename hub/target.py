"""Where to push: a repository of the hub, and a branch of it."""

from __future__ import annotations

import os
from typing import NamedTuple

from ..outputs.provenance import without_secrets
from ..schemas.errors import UsageError
from .records import Kind

_DEFAULT_ENDPOINT = "https://huggingface.co"


class Target(NamedTuple):
    """Where to push.

    Attributes:
        revision: a branch, made where it does not exist; None is the main one.
        create_pr: propose the commit to the repository's owner in place of making it.
    """

    repo_id: str
    kind: Kind
    private: bool
    revision: str | None
    create_pr: bool

    @property
    def url(self) -> str:
        """Of the repository's page."""
        room = "datasets/" if self.kind == "dataset" else ""
        return f"{without_secrets(endpoint())}/{room}{self.repo_id}"


def endpoint() -> str:
    """The hub's address: `HF_ENDPOINT`, or the public one."""
    return (os.environ.get("HF_ENDPOINT") or _DEFAULT_ENDPOINT).rstrip("/")


def check_target(target: Target) -> None:
    """Returns when the hub could have such a repository and take such a push.

    Raises:
        UsageError: the id is none, or the options contradict each other.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(target.repo_id)
    except HFValidationError as error:
        raise UsageError(
            f"{target.repo_id!r} is no repository id of the hub. Give it as owner/name, with "
            "letters, digits, '-', '_' and '.' only."
        ) from error
    if "/" not in target.repo_id:
        raise UsageError(
            f"{target.repo_id!r} names no owner. Give it as owner/name, where owner is your name "
            "on the hub or an organisation's."
        )
    if target.create_pr and target.revision:
        raise UsageError(
            "--create-pr proposes a commit to the main branch; leave out --revision, or push to "
            "the branch without --create-pr."
        )
