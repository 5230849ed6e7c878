"""What the hub's refusals and the connection's failures mean to a person, and what to do."""

from __future__ import annotations

from ..outputs.provenance import without_secrets
from ..schemas.errors import Pr1Error, ServiceDown, UsageError
from .target import Target

_REJECTED_CARD = "Invalid metadata in README.md."


def meaning_of(error: Exception, target: Target) -> Pr1Error:
    """What the client's error means to a person.

    Args:
        error: what the client raised.
        target: where the push was to go.
    """
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError):
        return _refusal(error, target)
    cause = error.__cause__ or error  # the client wraps a failed upload's own error
    if _REJECTED_CARD in str(error):
        reason = one_line(error).replace(f"{_REJECTED_CARD} ", "").removeprefix("- ")
        return UsageError(
            f"The hub rejects the card ({reason}). Nothing was sent. Mend the front matter of "
            "README.md, or make the folder again, and push again."
        )
    if isinstance(cause, HfHubHTTPError):
        return _refusal(cause, target)
    return ServiceDown(
        f"{target.repo_id} was not pushed: {one_line(cause)}. Check the connection and run the "
        "command again; what arrived is not sent twice."
    )


def _refusal(error: OSError, target: Target) -> Pr1Error:
    """What the hub's answer means; `error` is an `HfHubHTTPError`, which carries the response."""
    status = error.response.status_code  # type: ignore[attr-defined]
    repo_id = target.repo_id
    if status == 401:
        return UsageError(
            f"The hub does not accept the token (401). Log in anew with `hf auth login`, or set "
            f"HF_TOKEN to a valid token with write access, to push to {repo_id}."
        )
    if status == 403:
        return UsageError(
            f"The token may not write to {repo_id} (403). Use a token with write access to it, or "
            "an owner that is you or an organisation of yours; --create-pr proposes a change to "
            "somebody else's."
        )
    if status == 404 and target.create_pr:
        return UsageError(
            f"There is no {target.kind} {repo_id} that this token may see, so nothing can be "
            "proposed to it (404). Check the name, or push without --create-pr to make it."
        )
    if status in {409, 412}:
        return ServiceDown(
            f"Somebody else changed {repo_id} while it was pushed ({status}). Nothing was "
            "overwritten. Look at what is there, and run the command again."
        )
    if status < 500 and status not in {408, 429}:
        return UsageError(f"The hub refused {repo_id} ({status}): {one_line(error)}.")
    return ServiceDown(
        f"The hub could not take {repo_id} ({status}). Run the command again in a while; "
        "what arrived is not sent twice."
    )


def one_line(error: BaseException) -> str:
    """What an error says, short and without secrets."""
    text = " ".join(without_secrets(str(error)).split())
    return text[:300].rstrip(". ") or type(error).__name__
