"""Publishing a finished dataset folder on the Hugging Face hub.

Exactly three things are sent: `README.md`, `data/train-*.parquet` and `manifest.json`, in one
commit, which also removes the parts of an earlier set that this one no longer has. The response
store, `dropped.jsonl` and `failures.jsonl` hold texts that nobody reviewed for publication; they
stay. What the manifest may say is decided where it is written (`outputs/provenance.py`).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .outputs.folder import CARD
from .outputs.provenance import without_secrets
from .outputs.rows import MANIFEST, count_rows, data_files, read_manifest
from .schemas.errors import Pr1Error, ServiceDown, UsageError
from .schemas.records import Record

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_DEFAULT_ENDPOINT = "https://huggingface.co"


class SentFile(Record):
    """A file of the dataset: its path in the repository and its size in bytes."""

    path: str
    size: int


class PushResult(Record):
    """What was sent where, or, after a dry run, what would be.

    Attributes:
        url: of the dataset's page.
        private: as asked for; a repository that was private before stays so.
        is_sent: False after a dry run.
        commit: the commit's page, or None after a dry run.
    """

    repo_id: str
    url: str
    private: bool
    files: list[SentFile]
    is_sent: bool
    commit: str | None = None


def push_dataset(
    folder: Path, repo_id: str, *, private: bool = True, dry_run: bool = False
) -> PushResult:
    """The dataset's place on the hub, after its files were sent there.

    Args:
        folder: the finished output folder of a stage.
        repo_id: `owner/name`; made when it does not exist.
        private: make a private repository, and refuse an existing public one.
        dry_run: send nothing and ask nothing of the hub; needs no token.

    Raises:
        UsageError: the folder is unfinished or damaged, the id is none, there is no token, the hub
            refuses it, or the repository is public and was to be private.
        ServiceDown: the hub cannot be reached or failed. Remedy: run the command again; what
            arrived is not sent twice.
    """
    _check_repo_id(repo_id)
    manifest = read_manifest(folder)
    paths = _published_files(folder, manifest.counts.rows)
    endpoint = (os.environ.get("HF_ENDPOINT") or _DEFAULT_ENDPOINT).rstrip("/")
    result = PushResult(
        repo_id=repo_id,
        url=f"{without_secrets(endpoint)}/datasets/{repo_id}",
        private=private,
        files=[SentFile(path=name, size=path.stat().st_size) for name, path in paths.items()],
        is_sent=False,
    )
    if dry_run:
        return result
    message = f"{manifest.counts.rows} rows of pr1 {manifest.stage}"
    commit = _send(endpoint, repo_id, paths, message, private=private)
    return result.model_copy(update={"is_sent": True, "commit": commit})


def _check_repo_id(repo_id: str) -> None:
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(repo_id)
    except HFValidationError as error:
        raise UsageError(
            f"{repo_id!r} is no repository id of the hub. Give it as owner/name, with letters, "
            "digits, '-', '_' and '.' only."
        ) from error
    if "/" not in repo_id:
        raise UsageError(
            f"{repo_id!r} names no owner. Give it as owner/name, where owner is your name on the "
            "hub or an organisation's."
        )


def _published_files(folder: Path, rows: int) -> dict[str, Path]:
    paths = {path.relative_to(folder).as_posix(): path for path in data_files(folder)}
    if count_rows(folder) != rows:
        raise UsageError(
            f"{folder}/data does not hold the {rows:,} rows that its manifest counts. "
            "Make the folder again, or restore its files."
        )
    if not (folder / CARD).is_file():
        raise UsageError(f"{folder} has lost its {CARD}. Make the folder again with --overwrite.")
    return {CARD: folder / CARD, **paths, MANIFEST: folder / MANIFEST}


def _send(
    endpoint: str, repo_id: str, paths: dict[str, Path], message: str, *, private: bool
) -> str:
    from huggingface_hub import HfApi, errors, get_token

    token = get_token()
    if not token:
        raise UsageError(
            "There is no token for the Hugging Face hub. Log in with `hf auth login`, or set "
            "HF_TOKEN to a token with write access (https://huggingface.co/settings/tokens)."
        )
    api = HfApi(endpoint=endpoint, token=token, library_name="pr1")
    try:
        return _commit(api, repo_id, paths, message, private=private)
    except Pr1Error:
        raise
    except errors.HfHubHTTPError as error:
        raise _refusal(error, repo_id) from error
    except (errors.HTTPError, OSError, RuntimeError, ValueError) as error:  # type: ignore[attr-defined]
        cause = error.__cause__ or error  # the client wraps a failed upload's own error
        if isinstance(cause, errors.HfHubHTTPError):
            raise _refusal(cause, repo_id) from error
        raise ServiceDown(
            f"{repo_id} was not pushed: {_reason(cause)}. None of its files is visible on the hub. "
            "Check the connection and run the command again."
        ) from error


def _commit(
    api: HfApi, repo_id: str, paths: dict[str, Path], message: str, *, private: bool
) -> str:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    api.create_repo(repo_id, repo_type="dataset", private=private, exist_ok=True)
    there = api.dataset_info(repo_id)
    if private and there.private is False:
        raise UsageError(
            f"{repo_id} exists and is public, so its new files would be, too. Nothing was sent. "
            "Give --public if that is meant, or another id."
        )
    stale = [
        file.rfilename
        for file in there.siblings or []
        if file.rfilename.startswith("data/train-")
        and file.rfilename.endswith(".parquet")
        and file.rfilename not in paths
    ]
    commit = api.create_commit(
        repo_id,
        [
            *(CommitOperationAdd(name, path) for name, path in paths.items()),
            *(CommitOperationDelete(name) for name in stale),
        ],
        commit_message=message,
        repo_type="dataset",
    )
    return str(commit.commit_url)


def _refusal(error: OSError, repo_id: str) -> Pr1Error:
    """What the hub's answer means; `error` is an `HfHubHTTPError`, which carries the response."""
    status = error.response.status_code  # type: ignore[attr-defined]
    if status == 401:
        return UsageError(
            f"The hub does not accept the token (401). Log in anew with `hf auth login`, or set "
            f"HF_TOKEN to a valid token with write access, to push to {repo_id}."
        )
    if status == 403:
        return UsageError(
            f"The token may not write to {repo_id} (403). Use a token with write access to it, or "
            "an owner that is you or an organisation of yours."
        )
    if status < 500 and status not in {408, 429}:
        return UsageError(f"The hub refused {repo_id} ({status}): {_reason(error)}.")
    return ServiceDown(
        f"The hub could not take {repo_id} ({status}). Run the command again in a while; "
        "what arrived is not sent twice."
    )


def _reason(error: BaseException) -> str:
    text = " ".join(without_secrets(str(error)).split())
    return text[:300].rstrip(". ") or type(error).__name__
