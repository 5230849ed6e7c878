"""`local/PATH`: a folder of transformers as a chat model in this process, without a server.

Requests wait in a queue; one worker thread takes those that can be computed together, up to
`BATCH`, and answers them. For a large model on many GPUs a vLLM server is faster; this one needs
nothing but the folder, and the miniature runs on it in seconds.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from ..schemas.errors import BadRequest, InputError, ModelError
from .chat import ChatRequest, ChatResponse, ModelIdentity
from .local_folder import folder_identity, local_folder
from .local_model import LocalModel, Row, images_of

BATCH = 32
"""Requests computed at once. A batch that does not fit the memory is halved until it does."""

GATHERING_S = 0.02
"""Pause before a batch that is not full: requests that are sent together arrive one by one."""

Waiting = tuple[ChatRequest, "Future[ChatResponse]"]


def open_local(path_text: str) -> LocalClient:
    """The client of the model in a folder, loaded: seconds to minutes.

    Args:
        path_text: what follows `local/`.

    Raises:
        MissingExtra: torch or transformers is not installed.
        UsageError: the folder holds no vision-language model that can be loaded.
    """
    folder = local_folder(path_text)
    return LocalClient(LocalModel(folder), folder_identity(path_text))


class LocalClient:
    """A `ChatClient` that computes its answers here, in batches."""

    def __init__(self, model: LocalModel, identity: ModelIdentity) -> None:
        self._model: LocalModel | None = model
        self._identity = identity
        self._waiting: list[Waiting] = []
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pr1-local")

    @property
    def identity(self) -> ModelIdentity:
        """The folder's name, and a hash of what it holds."""
        return self._identity

    async def complete(self, request: ChatRequest) -> ChatResponse:
        """The answer, computed together with others that wait.

        Raises:
            BadRequest: the answer is to have a form, a picture cannot be read, the prompt is too
                long, or the model cannot compute it. Remedy: as the message says.
        """
        if request.response_model is not None:
            raise BadRequest(
                "a local model writes free text, and the answer is to have a form. Use --model "
                "embedded, or a server: vllm/NAME with --base-url"
            )
        answer: Future[ChatResponse] = Future()
        with self._lock:
            self._waiting.append((request, answer))
        # One call for each request; those that find it answered already return at once.
        self._worker.submit(self._work)
        return await asyncio.wrap_future(answer)

    async def aclose(self) -> None:
        """Free the model's memory, once the batch under way has ended."""
        await asyncio.get_running_loop().run_in_executor(self._worker, self._unload)
        self._worker.shutdown()

    def _work(self) -> None:
        """Answer one batch of what is waiting."""
        with self._lock:
            is_gathering = 0 < len(self._waiting) < BATCH
        if is_gathering:
            time.sleep(GATHERING_S)
        with self._lock:
            batch = _first_batch(self._waiting)
            taken = {id(answer) for _, answer in batch}
            self._waiting = [entry for entry in self._waiting if id(entry[1]) not in taken]
        self._answer([entry for entry in batch if not entry[1].cancelled()])

    def _answer(self, batch: Sequence[Waiting]) -> None:
        """Answer all; where that fails, halve the batch until only the one at fault fails."""
        if not batch or self._model is None:
            return
        rows = [Row(request, answer.cancelled) for request, answer in batch]
        try:
            responses = self._model.answer(rows)
        except Exception as error:  # whatever a model raises must reach the one who asked
            if len(batch) == 1:
                _settle(batch[0][1], _model_error(error))
                return
        else:
            for (_, answer), response in zip(batch, responses, strict=True):
                _settle(answer, response)
            return
        # Outside of the handler, whose traceback would hold on to the memory of the failed batch.
        middle = len(batch) // 2
        self._answer(batch[:middle])
        self._answer(batch[middle:])

    def _unload(self) -> None:
        self._model = None


def _first_batch(waiting: Sequence[Waiting]) -> list[Waiting]:
    """The one that has waited longest, and those that can be computed with it.

    Equal token limits, so that no short answer waits for a long one; equal numbers of pictures,
    since processors do not pad those alike.
    """

    def key(entry: Waiting) -> tuple[int, int]:
        return entry[0].max_tokens, len(images_of(entry[0]))

    return [entry for entry in waiting if key(entry) == key(waiting[0])][:BATCH]


def _settle(answer: Future[ChatResponse], outcome: ChatResponse | ModelError) -> None:
    if not answer.set_running_or_notify_cancel():
        return
    if isinstance(outcome, ModelError):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)


def _model_error(error: Exception) -> ModelError:
    if isinstance(error, ModelError):
        return error
    if isinstance(error, InputError):
        return BadRequest(str(error))
    first_line = str(error).strip().partition("\n")[0]
    return BadRequest(
        f"the local model cannot answer the request ({type(error).__name__}: {first_line})"
    )
