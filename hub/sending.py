"""One commit on the hub: what is there already is not sent, and what the hub says is understood.

The client uploads large files before it commits, and the hub keeps them: a push that was cut sends
only what is missing. The commit names its parent, so that two pushes at once cannot mix.
"""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..outputs.provenance import file_digest
from ..schemas.errors import Pr1Error, UsageError
from .refusals import meaning_of, one_line
from .target import Target, endpoint

if TYPE_CHECKING:
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoSibling

_LOGGER = logging.getLogger("pr1.hub")


class _There(NamedTuple):
    """What a branch of the repository holds."""

    private: bool | None
    sha: str | None
    files: list[RepoSibling]


class Sent(NamedTuple):
    """What came of it; `is_new` is False where everything was there already."""

    commit: str | None
    pull_request: str | None
    is_new: bool


def send(
    target: Target, files: Mapping[str, Path], replaced: tuple[str, ...], message: str
) -> Sent:
    """The commit that holds the files, made unless it is there already.

    Args:
        target: where to.
        files: path in the repository -> the file.
        replaced: patterns of files that are removed unless they are among `files`.
        message: of the commit.

    Raises:
        UsageError: there is no token, the hub refuses it or the card, the repository is public and
            was to be private, or it is not ours.
        ServiceDown: the hub cannot be reached or failed, or somebody pushed at the same time.
            Remedy: run the command again; what arrived is not sent twice.
    """
    from huggingface_hub import HfApi, errors, get_token

    token = get_token()
    if not token:
        raise UsageError(
            "There is no token for the Hugging Face hub. Log in with `hf auth login`, or set "
            "HF_TOKEN to a token with write access (https://huggingface.co/settings/tokens)."
        )
    api = HfApi(endpoint=endpoint(), token=token, library_name="pr1")
    try:
        with _warnings_logged():
            return _Push(api, target, files, replaced, message).run()
    except Pr1Error:
        raise
    except (errors.HTTPError, OSError, RuntimeError, ValueError) as error:  # type: ignore[attr-defined]
        raise meaning_of(error, target) from error


class _Push(NamedTuple):
    """One push, step by step."""

    api: HfApi
    target: Target
    files: Mapping[str, Path]
    replaced: tuple[str, ...]
    message: str

    def run(self) -> Sent:
        self._make_repository()
        there = self._there(self.target.revision)
        if self.target.private and there.private is False:
            raise UsageError(
                f"{self.target.repo_id} exists and is public, so its new files would be, too. "
                "Nothing was sent. Give --public if that is meant, or another id."
            )
        new, stale = self._changes(there.files)
        if not new and not stale:
            return Sent(self._commit_url(there.sha), None, is_new=False)
        if self.target.create_pr and (proposed := self._proposed()):
            return Sent(None, proposed, is_new=False)
        return self._commit(new, stale, there.sha)

    def _make_repository(self) -> None:
        target = self.target
        if target.create_pr:  # a repository to propose something to is somebody's already
            return
        self.api.create_repo(
            target.repo_id, repo_type=target.kind, private=target.private, exist_ok=True
        )
        if target.revision:
            self.api.create_branch(
                target.repo_id, branch=target.revision, repo_type=target.kind, exist_ok=True
            )

    def _there(self, revision: str | None) -> _There:
        ask = self.api.dataset_info if self.target.kind == "dataset" else self.api.model_info
        info = ask(self.target.repo_id, revision=revision, files_metadata=True)
        return _There(info.private, info.sha, info.siblings or [])

    def _changes(self, siblings: list[RepoSibling]) -> tuple[dict[str, Path], list[str]]:
        """The files that are not there as they are here, and those there that are to go."""
        there = {file.rfilename: file for file in siblings}
        new = {
            name: path
            for name, path in self.files.items()
            if name not in there or not _is_same(path, there[name])
        }
        stale = [
            name
            for name in there
            if name not in self.files and any(fnmatch(name, one) for one in self.replaced)
        ]
        return new, stale

    def _proposed(self) -> str | None:
        """The page of an open pull request of ours that holds just this content."""
        for one in self.api.get_repo_discussions(
            self.target.repo_id,
            repo_type=self.target.kind,
            discussion_type="pull_request",
            discussion_status="open",
        ):
            if one.title == self.message:
                there = self._there(one.git_reference)
                if self._changes(there.files) == ({}, []):
                    return str(one.url)
        return None

    def _commit(self, new: dict[str, Path], stale: list[str], parent: str | None) -> Sent:
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        commit = self.api.create_commit(
            self.target.repo_id,
            [
                *(CommitOperationAdd(name, path) for name, path in new.items()),
                *(CommitOperationDelete(name) for name in stale),
            ],
            commit_message=self.message,
            repo_type=self.target.kind,
            revision=self.target.revision,
            create_pr=self.target.create_pr,
            parent_commit=parent,
        )
        arrived = self._there(commit.pr_revision or self.target.revision).files
        if left_out := new.keys() - {file.rfilename for file in arrived}:
            raise UsageError(
                f"The hub left out {', '.join(sorted(left_out))}, for a .gitignore of "
                f"{self.target.repo_id} names them. Take the lines out of it, and push again."
            )
        return Sent(str(commit.commit_url), commit.pr_url, is_new=True)

    def _commit_url(self, sha: str | None) -> str | None:
        return f"{self.target.url}/commit/{sha}" if sha else None


def _is_same(path: Path, there: RepoSibling) -> bool:
    if there.lfs is not None:
        return there.lfs.sha256 == file_digest(path)
    size = path.stat().st_size
    if there.size != size:
        return False
    blob = hashlib.sha1(f"blob {size}\0".encode() + path.read_bytes(), usedforsecurity=False)
    return there.blob_id == blob.hexdigest()


@contextmanager
def _warnings_logged() -> Iterator[None]:
    """What the hub finds odd in a card is said, and stops nothing."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        yield
    for warning in caught:
        if issubclass(warning.category, UserWarning):
            _LOGGER.warning("%s", one_line(warning.message))  # type: ignore[arg-type]
