"""`pr1 train`: a recipe and a training set in, a trained model and its account out.

The trainer is TRL's `GRPOTrainer`, and nothing of it is rewritten. What is pr1's own stands around
it: rows that are checked, pictures in their final size, one reward function, callbacks that stop a
run where it can go on from, and a folder that says what happened.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ..garbage import rare_collections
from ..judge.opening import opened_judge
from ..schemas.errors import RunStopped
from ..schemas.manifest import Dropped, Failure, Manifest
from ..schemas.progress import OnProgress, ignore_progress
from ..schemas.training import Recipe
from .checkpoints import is_disk_full, last_checkpoint, remove_broken_checkpoints, step_of
from .completion_log import CompletionLog, forget_completions_from
from .folder import TrainFolder
from .machine import check_machine
from .outcomes import evaluation_facts, read_outcomes
from .pictures import check_bounds, picture_grid
from .processes import on_first
from .report import write_report
from .rewards import PerceptionReward
from .rows import as_dataset, training_order
from .schedule import Schedule, schedule
from .split import most_prompt_tokens, split_rows
from .trainer import make_trainer, quiet_libraries, trainer_arguments

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import ProcessorMixin
    from trl import GRPOConfig, GRPOTrainer

    from .stopping import StopAtBoundary


class Inputs(NamedTuple):
    """What a run trains on, and what it left out.

    Attributes:
        rows: rows trained on.
        held_out: rows of the same set that are evaluated on.
        dropped, failures: rows of the training set that are used for neither.
        facts: figures for the manifest.
    """

    rows: int
    held_out: int
    dropped: list[Dropped]
    failures: list[Failure]
    facts: dict[str, Any]


def train(
    recipe: Recipe,
    dataset: str | Path,
    out: Path,
    *,
    overwrite: bool = False,
    on_progress: OnProgress = ignore_progress,
) -> Manifest:
    """The manifest of the trained model's folder.

    Runs in every process of an `accelerate launch`; the first one writes. The same call over an
    unfinished folder goes on from its last checkpoint, bit by bit as if it had not stopped.

    Args:
        recipe: as `load_recipe` gives it.
        dataset: a folder of `pr1 filter`, or a hub id.
        out: the folder to write.
        overwrite: make a finished folder anew, or one that an unfinished run of another recipe
            left.
        on_progress: told after each optimiser step.

    Raises:
        UsageError: the recipe, the dataset, the model or the folder cannot be used.
        RunStopped: the loss is no number, the judge fails too often, or the disk is full; what is
            saved is whole, and the message says how to go on.
        KeyboardInterrupt: Ctrl-C or SIGTERM; a checkpoint is saved.
    """
    check_machine(recipe)
    folder = TrainFolder(out)
    with quiet_libraries():
        args = trainer_arguments(recipe, folder.checkpoints)
        try:
            on_first(args, lambda: folder.claim(recipe, str(dataset), overwrite=overwrite))
            return _train(recipe, str(dataset), folder, args, on_progress)
        finally:
            folder.close()


def _train(
    recipe: Recipe, dataset: str, folder: TrainFolder, args: GRPOConfig, on_progress: OnProgress
) -> Manifest:
    from .policy import end_token_ids, load_processor

    processor = load_processor(recipe.model)
    inputs = on_first(args, lambda: _prepare(recipe, dataset, folder, processor))
    plan = schedule(recipe.grpo, args.world_size, inputs.rows)
    args.max_steps = plan.steps
    is_alone = args.world_size == 1
    log = CompletionLog(folder.completions, None if is_alone else args.process_index)
    with PerceptionReward(
        recipe.reward,
        partial(opened_judge, recipe.judge, folder.store_path(args.process_index)),
        max_completion_length=args.max_completion_length,
        end_ids=end_token_ids(recipe.model, processor),
        on_scored=log,
    ) as reward:
        on_first(args, reward.check_judge)
        trainer = make_trainer(recipe, args, processor, reward, _order(folder, plan, recipe))
        stop = _add_callbacks(trainer, recipe, folder, log, reward, on_progress)
        checkpoint = on_first(args, lambda: _rewind(folder))
        with stop.heeding_signals(), rare_collections():
            _run(trainer, checkpoint, folder)
        log.flush()
        _raise_if_stopped(stop.reason, folder)
    _save_model(trainer, folder)
    return on_first(args, lambda: _finish(recipe, dataset, folder, inputs, trainer))


def _prepare(
    recipe: Recipe, dataset: str, folder: TrainFolder, processor: ProcessorMixin
) -> Inputs:
    check_bounds(recipe.pixels, picture_grid(processor))
    prepared, rows, held, other = split_rows(
        recipe, dataset, processor, max_prompt_tokens=most_prompt_tokens(recipe)
    )
    prepared.require_rows(dataset)
    if recipe.reward.visual:
        prepared.require_annotations(dataset)
    as_dataset(rows).save_to_disk(folder.rows / "train")
    if held:
        as_dataset(held).save_to_disk(folder.rows / "held_out")
    folder.account(prepared.dropped, prepared.failures)
    facts = {"rows_without_annotations": sum(not row.annotations for row in rows)}
    if other is not None:
        facts["evaluation_rows_left_out"] = other.read - len(held)
    own = len(held) if other is None else 0
    return Inputs(len(rows), own, prepared.dropped, prepared.failures, facts)


def _order(folder: TrainFolder, plan: Schedule, recipe: Recipe) -> Dataset:
    from datasets import load_from_disk

    rows = load_from_disk(folder.rows / "train")
    seed = recipe.seed if recipe.grpo.get("shuffle_dataset", True) else None
    order = training_order(len(rows), plan.prompts_per_batch, plan.passes, seed)
    # No row more than the run takes: a run that was killed behind its last step has none left.
    return rows.select(order[: plan.batches * plan.prompts_per_batch])


def _add_callbacks(
    trainer: GRPOTrainer,
    recipe: Recipe,
    folder: TrainFolder,
    log: CompletionLog,
    reward: PerceptionReward,
    on_progress: OnProgress,
) -> StopAtBoundary:
    from datasets import load_from_disk

    from .evaluation import Evaluation
    from .metrics_log import MetricsLog
    from .stopping import StopAtBoundary, StopAtNan

    if recipe.evaluation is not None:
        rows, every = load_from_disk(folder.rows / "held_out"), recipe.evaluation.every
        trainer.add_callback(Evaluation(trainer, rows, reward, log, folder.evaluation, every))
    stop = StopAtBoundary(lambda: reward.stop_reason)
    # In this order: the log has completions written once it is known that a checkpoint follows.
    for callback in (stop, StopAtNan(trainer), MetricsLog(folder.metrics, log, on_progress)):
        trainer.add_callback(callback)
    return stop


def _rewind(folder: TrainFolder) -> str | None:
    """The checkpoint to go on from; what was written behind it is forgotten."""
    checkpoint = last_checkpoint(folder.checkpoints)
    step = step_of(checkpoint) if checkpoint else 0
    from .metrics_log import forget_metrics_after

    forget_metrics_after(folder.metrics, step)
    forget_completions_from(folder.completions, step)
    return str(checkpoint) if checkpoint else None


def _run(trainer: GRPOTrainer, checkpoint: str | None, folder: TrainFolder) -> None:
    from .stopping import not_a_number

    try:
        trainer.train(resume_from_checkpoint=checkpoint)
    except RunStopped as error:
        raise RunStopped(f"{error} {_kept(folder)}") from error
    except Exception as error:
        if "probability tensor contains" in str(error):  # what torch.multinomial says of NaN
            stopped = not_a_number("probability of a token", trainer.state.global_step + 1)
            raise RunStopped(f"{stopped} {_kept(folder)}") from error
        if not is_disk_full(error):
            raise
        remove_broken_checkpoints(folder.checkpoints)
        raise RunStopped(
            f"{folder.checkpoints} has no room for a checkpoint. {_kept(folder)} Make room, or "
            "lower grpo.save_total_limit, and run the same command again."
        ) from error


def _save_model(trainer: GRPOTrainer, folder: TrainFolder) -> None:
    trainer.save_model(str(folder.model))
    if trainer.args.should_save:
        # A pickle, with this machine's folders in it. The manifest says what it says.
        (folder.model / "training_args.bin").unlink(missing_ok=True)


def _raise_if_stopped(reason: str | None, folder: TrainFolder) -> None:
    from .stopping import INTERRUPTED

    if reason == INTERRUPTED:
        raise KeyboardInterrupt
    if reason is not None:
        raise RunStopped(f"{reason} {_kept(folder)} The same command goes on from it.")


def _kept(folder: TrainFolder) -> str:
    checkpoint = last_checkpoint(folder.checkpoints)
    if checkpoint is None:
        return "No checkpoint was saved yet."
    return f"Kept: {checkpoint}."


def _finish(
    recipe: Recipe,
    dataset: str,
    folder: TrainFolder,
    inputs: Inputs,
    trainer: GRPOTrainer,
) -> Manifest:
    facts = {**inputs.facts, "steps": trainer.state.global_step}
    facts |= evaluation_facts(read_outcomes(folder.evaluation))
    manifest = folder.manifest(
        recipe,
        dataset,
        rows=inputs.rows,
        held_out=inputs.held_out,
        dropped=inputs.dropped,
        failures=inputs.failures,
        facts=facts,
    )
    write_report(folder, manifest)
    folder.finish(manifest)
    return manifest
