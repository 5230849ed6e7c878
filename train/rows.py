"""The dataset as the trainer reads it: what `pr1 filter` wrote, checked row by row.

A row that nothing could be learnt from is left out here, with the reason, and not found out about
in the middle of a run.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from ..images import check_image
from ..schemas.errors import InputError, UsageError
from ..schemas.manifest import Dropped, Failure
from ..schemas.policy_prompt import policy_prompt
from ..schemas.records import TrainRow
from ..schemas.training import PixelBounds
from .pictures import PictureGrid, picture_grid, picture_tokens, sized, sized_picture
from .reading import MAKE_ANNOTATIONS, read_train_rows
from .scoring import has_usable_reference

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import ProcessorMixin


class PreparedRows(NamedTuple):
    """What became of a dataset's rows.

    Attributes:
        rows: those that are used, pictures in the size in which the policy sees them.
        prompt_tokens: of each of them; empty where the processor does not tell.
        read: how many there were; each is in `rows`, `dropped` or `failures`.
    """

    rows: list[TrainRow]
    prompt_tokens: list[int]
    dropped: list[Dropped]
    failures: list[Failure]
    read: int

    def require_rows(self, dataset: str) -> None:
        """Returns where there is a row to use.

        Raises:
            UsageError: there is none; the message says why the first is left out.
        """
        if not self.rows:
            raise UsageError(f"{dataset}: none of its {self.read} rows can be used. {_first(self)}")

    def require_annotations(self, dataset: str) -> None:
        """Returns where some row could earn the visual reward.

        Raises:
            UsageError: no row has an annotation.
        """
        if self.rows and not any(row.annotations for row in self.rows):
            raise UsageError(
                f"{dataset}: none of its rows has a visual annotation, so that the visual reward "
                f"would have nothing to ask for. {MAKE_ANNOTATIONS} To train without it, take the "
                "recipe answer-only."
            )


def prepare_rows(
    dataset: str,
    processor: ProcessorMixin | None,
    *,
    pixels: PixelBounds,
    max_prompt_tokens: int | None,
    limit: int | None,
    is_scaled: bool = True,
) -> PreparedRows:
    """The dataset's rows, scaled, counted, and rid of those that cannot be used.

    Args:
        dataset: a folder of `pr1 filter`, or a hub id.
        processor: of the policy; None where only the rows themselves are looked at.
        pixels: bounds of a picture.
        max_prompt_tokens: a row with a longer prompt is left out; None where there is no limit.
        limit: read at most this many rows.
        is_scaled: have the pictures scaled; else they are measured alone.

    Raises:
        UsageError: there is no such set, or it is not what `pr1 filter` writes.
    """
    prepared = PreparedRows([], [], [], [], 0)
    read = 0
    for row in islice(read_train_rows(dataset), limit):
        read += 1
        try:
            sizes = _sizes(row, pixels, processor)
            if is_scaled and processor is not None:
                row = _scaled(row, pixels, processor)
        except InputError as error:
            prepared.failures.append(
                Failure(id=row.id, stage="train", error=error.code, message=error.message)
            )
            continue
        tokens = None if processor is None else prompt_tokens(row, sizes, processor)
        reason = _reason_to_drop(row, tokens, max_prompt_tokens)
        if reason:
            prepared.dropped.append(
                Dropped(id=row.id, stage="train", reason=reason[0], detail=reason[1])
            )
            continue
        prepared.rows.append(row)
        if tokens is not None:
            prepared.prompt_tokens.append(tokens)
    return prepared._replace(read=read)


def held_out(
    rows: Sequence[TrainRow], count: int, seed: int
) -> tuple[list[TrainRow], list[TrainRow]]:
    """The rows to train on and those to evaluate on, in the dataset's order.

    Raises:
        UsageError: nothing would be left to train on.
    """
    if count >= len(rows):
        raise UsageError(
            f"evaluation.rows {count} would hold out all {len(rows)} rows. Lower it, or name "
            "another set with evaluation.dataset."
        )
    chosen = set(random.Random(seed).sample(range(len(rows)), count))
    train = [row for n, row in enumerate(rows) if n not in chosen]
    return train, [rows[n] for n in sorted(chosen)]


def conversation(row: TrainRow) -> list[dict[str, Any]]:
    """The prompt: one user turn, whose pictures the trainer puts before its text."""
    return [{"role": "user", "content": policy_prompt(row.question, row.choices)}]


def as_dataset(rows: Iterable[TrainRow]) -> Dataset:
    """The rows with the columns that the trainer and the reward read."""
    from datasets import Dataset, Features, Image, List, Value

    text, number = Value("string"), Value("int64")
    annotation = {"id": number, "statement": text, "kind": text, "weight": Value("float64")}
    features = Features(
        {
            "prompt": List({"role": text, "content": text}),
            "images": List(Image()),
            "id": text,
            "question": text,
            "choices": List(text),
            "answer": text,
            "annotations": List(annotation),
        }
    )
    return Dataset.from_list([_columns(row) for row in rows], features=features)


def training_order(rows: int, prompts_per_step: int, passes: int, seed: int | None) -> list[int]:
    """The rows in the order in which they are trained on, over all passes.

    Each pass is a permutation of its own, of which the rest that would not fill a step is left
    out. TRL draws the permutations itself, from a generator that a resumed run begins anew: its
    second pass would repeat the first. An order that is written down is the same for both.

    Args:
        rows: how many there are.
        prompts_per_step: prompts that one generation batch takes.
        passes: over the rows, 1 or more.
        seed: None leaves the rows in their order.
    """
    used = rows // prompts_per_step * prompts_per_step
    order: list[int] = []
    for number in range(passes):
        permuted = list(range(rows))
        if seed is not None:
            random.Random(f"{seed} {number}").shuffle(permuted)
        order += permuted[:used]
    return order


def prompt_tokens(
    row: TrainRow, sizes: Sequence[tuple[int, int]], processor: ProcessorMixin
) -> int | None:
    """How many tokens the row's prompt has, its pictures of these sizes included.

    None where the processor does not tell how many a picture has.
    """
    content = [
        *({"type": "image"} for _ in row.images),
        {"type": "text", "text": policy_prompt(row.question, row.choices)},
    ]
    text = processor.apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
    )
    count = len(processor.tokenizer(text, add_special_tokens=False)["input_ids"]) - len(row.images)
    for size in sizes:
        tokens = picture_tokens(processor, size)
        if tokens is None:
            return None
        count += tokens
    return count


def _sizes(
    row: TrainRow, pixels: PixelBounds, processor: ProcessorMixin | None
) -> list[tuple[int, int]]:
    """Of the row's pictures, as the policy sees them; one that is turned may have them swapped."""
    grid = PictureGrid(1, None, None) if processor is None else picture_grid(processor)
    stored = [check_image(image.bytes, row.id) for image in row.images]
    return [sized((size.width, size.height), pixels, grid, row.id) for size in stored]


def _scaled(row: TrainRow, pixels: PixelBounds, processor: ProcessorMixin) -> TrainRow:
    grid = picture_grid(processor)
    images = [sized_picture(image, pixels, grid, row.id) for image in row.images]
    return row.model_copy(update={"images": images})


def _reason_to_drop(
    row: TrainRow, tokens: int | None, max_prompt_tokens: int | None
) -> tuple[str, str] | None:
    if not row.images:
        return "no_image", ""
    if not has_usable_reference(row.answer, row.choices, row.question):
        return "unusable_reference", f"no completion can be compared with {row.answer!r}"
    if tokens is not None and max_prompt_tokens is not None and tokens > max_prompt_tokens:
        return "prompt_too_long", f"{tokens} tokens, of which {max_prompt_tokens} fit"
    return None


def _first(prepared: PreparedRows) -> str:
    for one in prepared.failures:
        return f"The first: {one.message}"
    for dropped in prepared.dropped:
        return f"The first, {dropped.id}: {dropped.reason} {dropped.detail}".rstrip() + "."
    return "It is empty."


def _columns(row: TrainRow) -> dict[str, Any]:
    return {
        "prompt": conversation(row),
        "images": [{"bytes": image.bytes, "path": None} for image in row.images],
        "id": row.id,
        "question": row.question,
        "choices": row.choices,
        "answer": row.answer,
        "annotations": [annotation.model_dump() for annotation in row.annotations],
    }
