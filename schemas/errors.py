"""Every error that pr1 raises on purpose.

    Pr1Error                   shown as one line, never as a traceback
    ├── UsageError             the command cannot start as it was given   (exit 2)
    │   └── MissingExtra       an optional package is not installed
    ├── InputError             one record or file cannot be used          (a line of failures.jsonl)
    ├── NotSaved               a reviewer's decision did not reach the disk
    ├── RunStopped             a run ended before its end; it can resume  (exit 1)
    │   ├── TooManyFailures
    │   ├── BudgetSpent        --max-cost-usd or --max-tokens-total is reached
    │   └── ServiceDown
    └── ModelError             one chat request came to nothing
        ├── RateLimited        retried after `retry_after_s`
        ├── Overloaded         retried
        ├── TimedOut           retried
        ├── ConnectionLost     retried
        ├── Truncated          content; retried with a larger limit
        ├── Malformed          content; retried, a bounded number of times
        ├── Refused            the model declined: an outcome, stored and not retried
        ├── BadRequest         this request is at fault: not retried
        └── Unauthorised       the key is at fault: the run stops

A message says what was wrong with the value, where, and what to do about it.
"""

from __future__ import annotations


class Pr1Error(Exception):
    """Base of all errors that a user can act on."""

    exit_code = 1


class UsageError(Pr1Error):
    """The command cannot start as it was given. Remedy: as the message says."""

    exit_code = 2


class MissingExtra(UsageError, ImportError):
    """An optional dependency is missing. Remedy: install the extra that the message names."""


class InputError(Pr1Error, ValueError):
    """One record or one file cannot be used; the others go on.

    Attributes:
        code: the machine-readable reason, as `failures.jsonl` carries it, e.g. `unreadable_image`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message


class NotSaved(Pr1Error):
    """A decision could not be written, and does not count. Remedy: make room, and repeat it."""


class RunStopped(Pr1Error):
    """A run ended early; what was answered is kept. Remedy: the message says how to resume."""


class TooManyFailures(RunStopped):
    """More rows failed than `--max-failures` allows."""


class BudgetSpent(RunStopped):
    """The next request might break the run's budget. Remedy: run again with a larger one."""


class ServiceDown(RunStopped):
    """The model's service did not answer after all retries."""


class ModelError(Pr1Error):
    """One chat request came to nothing.

    Attributes:
        code: the machine-readable reason, as `failures.jsonl` carries it.
        is_transient: whether the same request may succeed when sent again.
    """

    code = "model_error"
    is_transient = False


class RateLimited(ModelError):
    """The service asked for a pause (429).

    Attributes:
        retry_after_s: the pause that the service asked for, in seconds, or None.
    """

    code = "rate_limited"
    is_transient = True

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message, retry_after_s)
        self.message = message
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return self.message


class Overloaded(RateLimited):
    """The service is overloaded or failed inside (408, 409, 425, 5xx, 529)."""

    code = "overloaded"


class TimedOut(ModelError, TimeoutError):
    """No answer came within the request's time limit."""

    code = "timed_out"
    is_transient = True


class ConnectionLost(ModelError, ConnectionError):
    """The connection could not be made, or broke before the answer was complete."""

    code = "connection_lost"
    is_transient = True


class Truncated(ModelError):
    """The answer was cut by its token limit before it was complete."""

    code = "truncated"


class Malformed(ModelError, ValueError):
    """The answer does not have the form that was asked for."""

    code = "malformed"


class Refused(ModelError):
    """The model declined to answer."""

    code = "refused"


class BadRequest(ModelError, ValueError):
    """The service rejects this request as such (400, 404, 413, 422)."""

    code = "bad_request"


class Unauthorised(ModelError, PermissionError):
    """The key is missing, wrong, out of money, or not allowed to use the model (401, 402, 403)."""

    code = "unauthorised"
