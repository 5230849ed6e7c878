"""What `pr1 train --dry-run` prints: the resolved recipe, what it comes to, and what is wrong.

Nothing is trained, sent or written. What cannot be known here (the model is not on this machine, or
there is no GPU) is an inconsistency of the plan and does not end it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib import resources
from typing import TYPE_CHECKING, Any

from ..judge.judge import JudgeTask
from ..judge.opening import asking_of, check_judge
from ..llm.tokens import RULE, estimated_tokens_in
from ..outputs.provenance import publishable
from ..schemas.errors import Pr1Error
from ..schemas.records import TrainRow
from ..schemas.training import Recipe
from .machine import machine_problems
from .memory import memory_estimate, model_size
from .pictures import check_bounds, picture_grid
from .schedule import Schedule, schedule, setting
from .split import SplitRows, most_prompt_tokens, split_rows

if TYPE_CHECKING:
    from collections.abc import Callable


JUDGING_S = 30.0
"""Seconds in which a batch should be judged; the GPUs wait meanwhile."""
VERDICT_TOKENS = 2


class Plan:
    """Collects a plan's figures, and what is wrong with it."""

    def __init__(self) -> None:
        self.inconsistencies: list[str] = []

    def attempt(self, work: Callable[[], Any]) -> Any:
        """What the work returns, or None, and its error noted."""
        try:
            return work()
        except Pr1Error as error:
            self.inconsistencies.append(str(error))
            return None


def plan(recipe: Recipe, dataset: str) -> dict[str, Any]:
    """The plan, as JSON values; `inconsistencies` is empty where a run can start here.

    Raises:
        UsageError: the dataset cannot be used.
    """
    from .trainer import quiet_libraries

    with quiet_libraries():
        return _plan(recipe, dataset)


def _plan(recipe: Recipe, dataset: str) -> dict[str, Any]:
    from .policy import load_config, load_processor

    found = Plan()
    found.inconsistencies += [str(problem) for problem in machine_problems(recipe)]
    found.attempt(lambda: check_judge(recipe.judge))
    is_here = found.attempt(lambda: load_config(recipe.model)) is not None
    processor = found.attempt(lambda: load_processor(recipe.model)) if is_here else None
    most = found.attempt(lambda: most_prompt_tokens(recipe)) if is_here else None
    if processor is not None:
        found.attempt(lambda: check_bounds(recipe.pixels, picture_grid(processor)))

    def split_of(recipe: Recipe) -> SplitRows:
        return split_rows(recipe, dataset, processor, max_prompt_tokens=most, is_scaled=False)

    without = recipe.model_copy(update={"evaluation": None})
    split = found.attempt(lambda: split_of(recipe)) or split_of(without)
    prepared = split.prepared
    found.attempt(lambda: prepared.require_rows(dataset))
    if recipe.reward.visual:
        found.attempt(lambda: prepared.require_annotations(dataset))
    tokens = prepared.prompt_tokens
    if too_long := sum(one.reason == "prompt_too_long" for one in prepared.dropped):
        found.inconsistencies.append(
            f"{too_long} of {prepared.read} prompts have more than {most} tokens and are left out. "
            "Lower pixels.max or grpo.max_completion_length."
        )
    steps = found.attempt(lambda: schedule(recipe.grpo, recipe.processes, len(split.train)))
    size = found.attempt(lambda: model_size(recipe)) if is_here else None
    return {
        "recipe": publishable(recipe.model_dump(mode="json")),
        "rows": {
            "read": prepared.read,
            "trained_on": len(split.train),
            "held_out": len(split.held_out),
            "dropped_by_reason": dict(Counter(one.reason for one in prepared.dropped)),
            "failed_by_error": dict(Counter(one.error for one in prepared.failures)),
            "without_annotations": sum(not row.annotations for row in split.train),
        },
        "prompt_tokens": _spread(tokens),
        "schedule": steps and _schedule(recipe, steps, tokens),
        "judge": steps and _judging(recipe, steps, split.train),
        "evaluation": steps and _evaluations(recipe, steps, len(split.held_out)),
        "memory": size
        and {
            "parameters": size.parameters,
            "of_the_vision_tower": size.vision,
            **memory_estimate(recipe, size, max(tokens, default=0)),
            "estimated": "roughly, from the model's shapes; without fragmentation and buffers",
        },
        "launch": launch_command(recipe),
        "inconsistencies": found.inconsistencies,
    }


def launch_command(recipe: Recipe) -> str:
    """How a run of this recipe is started."""
    if recipe.processes == 1:
        return "pr1 train DATASET --config RECIPE -o OUT"
    config = resources.files("pr1.train.launch") / "zero3.yaml"
    return (
        f"accelerate launch --config_file {config} --num_processes {recipe.processes} "
        "-m pr1 train DATASET --config RECIPE -o OUT"
    )


def _schedule(recipe: Recipe, steps: Schedule, tokens: Sequence[int]) -> dict[str, Any]:
    most = int(setting(recipe.grpo, "max_completion_length"))
    mean = sum(tokens) / len(tokens) if tokens else None
    return {
        "steps": steps.steps,
        "passes_over_the_rows": steps.passes,
        "prompts_per_batch": steps.prompts_per_batch,
        "completions_per_batch": steps.completions_per_batch,
        "optimiser_steps_per_batch": steps.steps_per_batch,
        "completions": steps.completions,
        "completion_tokens_at_most": steps.completions * most,
        "prompt_tokens": mean and round(steps.completions * mean),
    }


def _judging(recipe: Recipe, steps: Schedule, rows: Sequence[TrainRow]) -> dict[str, Any]:
    """The judge's load, with completions of full length: more than there will be."""
    annotated = [row for row in rows if row.annotations]
    share = len(annotated) / len(rows)
    judged = share * steps.completions
    per_row = sum(len(row.annotations) for row in annotated) / max(1, len(annotated))
    name = recipe.judge.model.name
    if name == "rules" or not annotated:
        return {"judge": name, "requests": 0, "verdicts": round(judged * per_row)}
    rest = "The line is long. " * (int(setting(recipe.grpo, "max_completion_length")) // 5)
    asking = asking_of(recipe.judge)
    sample = annotated[:20]
    requests = [
        asking.requests(JudgeTask(row.id, tuple(row.annotations), _stating(row) + rest))
        for row in sample
    ]
    each = sum(len(one) for one in requests) / len(sample)
    tokens_in = sum(estimated_tokens_in(it) for one in requests for it in one) / len(sample)
    at_once = share * steps.completions_per_batch
    return {
        "judge": name,
        "requests": round(judged * each),
        "verdicts": round(judged * per_row),
        "tokens_in": round(judged * tokens_in),
        "tokens_out": round(judged * per_row * VERDICT_TOKENS),
        "is_upper_bound": "hybrid: rules decide a part" if recipe.judge.is_hybrid else "",
        f"to_judge_a_batch_in_{JUDGING_S:.0f}_s": {
            "requests_per_s": round(at_once * each / JUDGING_S, 2),
            "tokens_in_per_s": round(at_once * tokens_in / JUDGING_S),
            "tokens_out_per_s": round(at_once * per_row * VERDICT_TOKENS / JUDGING_S),
        },
        "estimated": RULE,
    }


def _stating(row: TrainRow) -> str:
    """A completion that states all that is asked: a small model is asked only about what may be."""
    return "".join(f"{annotation.statement}. " for annotation in row.annotations)


def _evaluations(recipe: Recipe, steps: Schedule, held_out: int) -> dict[str, Any] | None:
    if recipe.evaluation is None:
        return None
    every = recipe.evaluation.every
    times = 1 + steps.steps // every + bool(steps.steps % every)
    return {"times": times, "completions": times * held_out}


def _spread(tokens: Sequence[int]) -> dict[str, Any] | None:
    if not tokens:
        return None
    return {"mean": round(sum(tokens) / len(tokens), 1), "most": max(tokens)}
