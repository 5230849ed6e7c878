"""What becomes of a batch's results: answers into the store, errors into the ledger."""

from __future__ import annotations

import logging

from pydantic import BaseModel

from ...schemas.config import Execution
from ...schemas.errors import (
    BadRequest,
    Malformed,
    ModelError,
    Refused,
    RunStopped,
    ServiceDown,
    Truncated,
    Unauthorised,
)
from ...schemas.manifest import Usage
from ..chat import ChatRequest, ChatResponse, Purpose
from ..prices import Price
from ..sending import asked_again, read_answer
from ..store import ResponseStore
from .ledger import Chunk, Entry, EntryState, Ledger
from .service import BatchResult, BatchState

log = logging.getLogger(__name__)


class Taking:
    """Takes results; the same limits of retries hold as online.

    An unusable answer is asked for again in a next batch, changed as online, `max_content_retries`
    times; what the service failed or let expire, unchanged, `max_retries` times.

    Attributes:
        answered: answers stored so far, refusals included.
        failed: requests that failed for good so far.
        stop: why no further batch is to be made, once there is a reason.
    """

    def __init__(
        self, store: ResponseStore, ledger: Ledger, execution: Execution, price: Price | None
    ) -> None:
        self.answered = self.failed = 0
        self.stop: RunStopped | None = None
        self._store = store
        self._ledger = ledger
        self._execution = execution
        self._price = price
        self._forms: dict[str, type[BaseModel]] = {}

    def form_of(self, request: ChatRequest) -> str | None:
        """The name of the form that the request's answer must have; its class is remembered."""
        form = request.response_model
        if form is None:
            return None
        name = f"{form.__module__}.{form.__qualname__}"
        self._forms[name] = form
        return name

    def holds(self, key: str, form: str | None) -> bool:
        """Whether the store has an answer that is valid under this form, or a refusal."""
        response = self._store.get(key)
        if response is None:
            return False
        try:
            read_answer(response, self._forms.get(form or ""))
        except Refused:
            return True
        except (Malformed, Truncated):  # the form's own checks have become stricter
            return False
        return True

    def take(self, result: BatchResult) -> bool:
        """Keep what became of a request; whether it was one of ours."""
        entry = self._ledger.entry(result.key)
        if entry is None:
            return self.holds(result.key, None)
        if entry.state != "sent":
            return True
        if self.holds(entry.key, entry.form):  # stored just before the last run was killed
            self._ledger.answered(entry.key)
            return True
        error = result.error
        if result.response is not None:
            error = self.keep(entry.key, entry.purpose, entry.form, result.response)
        if error is not None:
            self._note(entry, error, result.response)
        return True

    def keep(
        self,
        key: str,
        purpose: Purpose,
        form: str | None,
        response: ChatResponse,
        *,
        is_batch: bool = True,
    ) -> ModelError | None:
        """Store an answer that is usable; else count what it cost and say what is wrong with it."""
        usage = self._usage_of(response, is_batch)
        try:
            read_answer(response, self._forms.get(form or ""))
        except Refused:
            pass
        except (Malformed, Truncated) as error:
            self._store.spend(usage)
            return error
        self._store.put(key, purpose, response, usage)
        self._ledger.answered(key)
        self.answered += 1
        return None

    def end(self, chunk: Chunk, state: BatchState) -> None:
        """Take the chunk to its end, whose results have all been taken."""
        if state.is_cancelled:
            self.stop = RunStopped(
                f"batch {chunk.batch_id} was cancelled at the service. What it had answered is "
                "kept; the same command sends the rest again."
            )
        else:
            error = Malformed(f"batch {chunk.batch_id} has no readable result of the request")
            self._note_waiting(chunk, error)
        self._ledger.dissolve(chunk.number)

    def reject(self, chunk: Chunk, state: BatchState) -> None:
        """Take the chunk to its end, which the service rejected as a whole."""
        first = state.problems[0]
        said = f"the service rejected batch {chunk.batch_id}: {first.code}: {first.message}"
        for problem in state.problems:
            if problem.line is None:
                self.stop = ServiceDown(f"{said}. None of it was run. Correct that and run again.")
            elif (entry := self._ledger.entry_at(chunk.number, problem.line)) is not None:
                self._note(entry, BadRequest(f"{problem.code}: {problem.message}"))
        if self.stop is None:
            self._note_waiting(chunk, BadRequest(said))
        self._ledger.dissolve(chunk.number)

    def _note_waiting(self, chunk: Chunk, error: ModelError) -> None:
        """Note a fault of each request that the batch left without a result."""
        for key in self._ledger.waiting_in(chunk.number):
            if (entry := self._ledger.entry(key)) is not None:
                self._note_fault(entry, error)

    def _note(self, entry: Entry, error: ModelError, response: ChatResponse | None = None) -> None:
        if isinstance(error, Unauthorised):
            self.stop = ServiceDown(
                f"{str(error).rstrip('.')}. What was answered is kept; the same command sends the "
                "rest again."
            )
            self._ledger.note(entry._replace(state="again"))
        elif isinstance(error, Malformed | Truncated):
            unusable = (*entry.unusable, response)
            is_last = len(unusable) > self._execution.max_content_retries
            self._keep_error(entry._replace(unusable=unusable), error, is_last)
        elif error.is_transient:
            self._note_fault(entry, error)
        elif entry.unusable:
            # A larger token limit may be more than the model takes: the cut is the real cause.
            self._keep(entry._replace(state="failed"))
        else:
            self._keep_error(entry, error, is_last=True)

    def _note_fault(self, entry: Entry, error: ModelError) -> None:
        faults = entry.faults + 1
        is_last = faults > self._execution.max_retries
        self._keep_error(entry._replace(faults=faults), error, is_last)

    def _keep_error(self, entry: Entry, error: ModelError, is_last: bool) -> None:
        tries = len(entry.unusable) + entry.faults
        after = f" (after {tries} batches)" if tries > 1 else ""
        message = f"{str(error).rstrip('.')}{after}"
        state: EntryState = "failed" if is_last else "again"
        self._keep(entry._replace(state=state, code=error.code, message=message))

    def _keep(self, entry: Entry) -> None:
        self._ledger.note(entry)
        self.failed += entry.state == "failed"

    def _usage_of(self, response: ChatResponse, is_batch: bool) -> Usage:
        cost_usd = self._price.cost_usd(response.usage, is_batch) if self._price else None
        return response.usage.model_copy(update={"cost_usd": cost_usd})


def as_sent_again(request: ChatRequest, entry: Entry) -> ChatRequest:
    """The request, changed for each unusable answer that it has had, as it is online."""
    asked = request
    for response in entry.unusable:
        asked = asked_again(asked, request, response, _fault_of(response, request))
    return asked


def _fault_of(response: ChatResponse | None, request: ChatRequest) -> ModelError:
    error: ModelError = Malformed("no chat answer")
    if response is not None:
        try:
            read_answer(response, request.response_model)
        except ModelError as fault:
            error = fault
    return error
