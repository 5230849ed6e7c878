"""Problems that are not trained on, answered greedily while training goes on.

The trainer's own generation writes the completions, with sampling turned off, so that what is
measured is the model as it stands, sharded, adapted or served by vLLM as the recipe says. The
training reward scores them: the same answer check, the same judge.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import GenerationConfig, TrainerCallback, TrainerControl, TrainerState
from trl import GRPOConfig, GRPOTrainer
from trl.data_utils import prepare_multimodal_messages

from .completion_log import CompletionLog
from .outcomes import Outcome, summary, write_outcomes
from .rewards import PerceptionReward
from .scoring import ScoredCompletion
from .trl_columns import COLUMNS


class Evaluation(TrainerCallback):  # type: ignore[misc]
    """Evaluates before the first step, after every n-th, and at the end.

    Args:
        rows: the problems, as `as_dataset` lays them out.
        every: optimiser steps between two evaluations.
        folder: takes `step-000000.jsonl`, ...
    """

    def __init__(
        self,
        trainer: GRPOTrainer,
        rows: Dataset,
        reward: PerceptionReward,
        log: CompletionLog,
        folder: Path,
        every: int,
    ) -> None:
        self._trainer = trainer
        self._rows = rows
        self._reward = reward
        self._log = log
        self._folder = folder
        self._every = every

    def on_train_begin(
        self, args: GRPOConfig, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Evaluate the starting model, unless the run goes on from a checkpoint."""
        if state.global_step == 0:
            self._evaluate(args, state, control)

    def on_step_end(
        self, args: GRPOConfig, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Evaluate after every n-th step, and after the last."""
        if state.global_step % self._every == 0 or state.global_step == state.max_steps:
            self._evaluate(args, state, control)

    def _evaluate(self, args: GRPOConfig, state: TrainerState, control: TrainerControl) -> None:
        model, should_log = self._trainer.model, control.should_log
        model.eval()
        try:
            with greedy(self._trainer):
                outcomes = self._outcomes(args)
            if args.process_index == 0:
                write_outcomes(self._folder, state.global_step, outcomes)
            # In evaluation mode, so that the step's own metrics keep waiting for the step's log.
            figures = {f"evaluation/{name}": value for name, value in summary(outcomes).items()}
            self._trainer.log(figures)
        finally:
            model.train()
        control.should_log = should_log  # a log, any log, takes it back

    def _outcomes(self, args: GRPOConfig) -> list[Outcome]:
        """Of all rows, in their order, in every process."""
        size, world = args.per_device_eval_batch_size, args.world_size
        places = list(range(len(self._rows)))
        # Every process generates equally often: they may hold a share of the weights each.
        places += places[:1] * (-len(places) % world)
        own = places[args.process_index :: world]
        batches = [own[start : start + size] for start in range(0, len(own), size)]
        outcomes = [
            (n, one) for batch in batches for n, one in zip(batch, self._answer(batch), strict=True)
        ]
        if world > 1:
            from accelerate.utils import gather_object

            outcomes = gather_object(outcomes)
        by_place = dict(outcomes)
        return [by_place[n] for n in range(len(self._rows))]

    def _answer(self, places: Sequence[int]) -> list[Outcome]:
        rows = [self._rows[n] for n in places]
        prompts = [prepare_multimodal_messages(row["prompt"], row["images"]) for row in rows]
        with torch.no_grad():
            prompt_ids, images, fields = self._trainer._tokenize_prompts(prompts)
            ids, _ = self._trainer._generate_single_turn(prompt_ids, images, fields, 1)
        texts = self._trainer.processing_class.batch_decode(ids, skip_special_tokens=True)
        columns: dict[str, Any] = {name: [row[name] for row in rows] for name in COLUMNS}
        with self._log.set_aside() as scored:
            work = self._reward(
                completions=texts,
                completion_ids=ids,
                trainer_state=self._trainer.state,
                **columns,
            )
            asyncio.run_coroutine_threadsafe(work, self._trainer.async_loop).result()
        return [_outcome(one) for one in scored]


@contextmanager
def greedy(trainer: GRPOTrainer) -> Iterator[None]:
    """The trainer's generation takes the likeliest token, in the block."""
    if trainer.use_vllm:
        served = trainer.vllm_generation
        before = (served.temperature, served.top_p, served.top_k, served.min_p)
        served.temperature, served.top_p, served.top_k, served.min_p = 0.0, 1.0, 0, None
        try:
            yield
        finally:
            served.temperature, served.top_p, served.top_k, served.min_p = before
        return
    sampling, kwargs = trainer.generation_config, trainer.generation_kwargs
    sampled_by = ("do_sample", "temperature", "top_p", "top_k", "min_p")
    kept = {name: value for name, value in kwargs.items() if name not in sampled_by}
    trainer.generation_kwargs = {**kept, "do_sample": False}
    trainer.generation_config = GenerationConfig(**trainer.generation_kwargs, disable_compile=True)
    try:
        yield
    finally:
        trainer.generation_config, trainer.generation_kwargs = sampling, kwargs


def _outcome(one: ScoredCompletion) -> Outcome:
    accuracy = one.breakdown.accuracy
    return Outcome(
        one.completion.problem_id,
        None if accuracy is None else int(accuracy),
        one.breakdown.visual,
        one.completion.text,
    )
