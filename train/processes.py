"""One run in several processes, as `accelerate launch` starts them: who writes, and who agrees."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ..schemas.errors import Pr1Error

if TYPE_CHECKING:
    from trl import GRPOConfig

T = TypeVar("T")


def is_first_process() -> bool:
    """Whether this is the process that writes and reports, as `accelerate launch` numbers them."""
    return int(os.environ.get("RANK", "0")) == 0


def on_first(args: GRPOConfig, work: Callable[[], T]) -> T:
    """What the first process's work returns, in every process; its error is every process's."""
    if args.world_size == 1:
        return work()
    from accelerate.utils import broadcast_object_list

    outcome: list[Any] = [None, None]
    if args.process_index == 0:
        try:
            outcome[0] = work()
        except Pr1Error as error:
            outcome[1] = error
    broadcast_object_list(outcome)
    if outcome[1] is not None:
        raise outcome[1]
    return outcome[0]  # type: ignore[no-any-return]


def agreed(own: str | None, args: GRPOConfig) -> str | None:
    """The first reason that any process has, the same in all of them; None where none has one."""
    if args.world_size == 1:
        return own
    from accelerate.utils import gather_object

    return next((reason for reason in gather_object([own]) if reason is not None), None)
