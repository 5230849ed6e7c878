"""What a run was asked to do: one model for each command that makes a folder.

A configuration has two halves. *Identity* decides the result (inputs, models, sampling, selection);
*execution* does not (concurrency, retries), and is free to change when a run is resumed.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

from pydantic import Field

from .records import Bucket, NonEmpty, Record

SourceFormat = Literal["columns", "geometry3k", "perception-r1", "llava-cot"]


class Execution(Record):
    """How a run proceeds, without any effect on its result.

    Attributes:
        concurrency: chat requests under way at once.
        max_retries: times that one request is sent again after a transient error.
        max_content_retries: times that it is sent again after a malformed or truncated answer.
        timeout_s: seconds until one request is given up.
        max_failures: share of the input records that may fail before the run counts as failed.
        rpm: requests per minute at most; None leaves it to what the service says.
        tpm: tokens per minute at most, prompts and answers together.
        max_cost_usd: what all runs over one output folder may cost together, in US dollars.
        max_tokens_total: what they may consume together, prompts and answers.
        prices: YAML file whose prices go before those that pr1 knows.
        batch: send through the provider's batch API: half the price, within a day.
    """

    concurrency: int = Field(default=32, ge=1, le=4096)
    max_retries: int = Field(default=6, ge=0, le=100)
    max_content_retries: int = Field(default=2, ge=0, le=10)
    timeout_s: float = Field(default=300.0, gt=0)
    max_failures: float = Field(default=0.01, ge=0, le=1)
    rpm: int | None = Field(default=None, ge=1)
    tpm: int | None = Field(default=None, ge=1)
    max_cost_usd: float | None = Field(default=None, ge=0)
    max_tokens_total: int | None = Field(default=None, ge=0)
    prices: str | None = None
    batch: bool = False


class RunConfig(Record):
    """What every run has.

    Attributes:
        seed: of everything random in the run, recorded in the manifest.
        limit: read at most this many problems of the source.
    """

    seed: int = 0
    limit: int | None = Field(default=None, ge=1)
    execution: Execution = Execution()

    def identity(self) -> dict[str, Any]:
        """The half that decides the result, as JSON values."""
        return self.model_dump(mode="json", exclude={"execution"})


class SourceConfig(Record):
    """Where problems come from.

    Attributes:
        path: a JSONL or Parquet file, a folder, or a hub id (`owner/name`).
        columns: pr1's column name -> the source's, where they differ.
        format: a preset for a published layout; `columns` reads plain columns.
        split: the split to read of a hub id or a dataset folder.
    """

    path: NonEmpty
    columns: dict[str, str] = {}
    format: SourceFormat = "columns"
    split: str = "train"


class ModelConfig(Record):
    """A model, named `provider/model`, `embedded` or `rules`.

    Attributes:
        base_url: of an OpenAI-compatible server, e.g. `http://localhost:8000/v1`.
        revision: the model's version where the name does not tell; part of the store's key.
    """

    name: NonEmpty
    base_url: str | None = None
    revision: str | None = None

    @property
    def provider(self) -> str:
        """The part of the name before the first slash; the whole of `embedded` and `rules`."""
        return self.name.partition("/")[0]

    @property
    def model(self) -> str:
        """The part of the name behind the first slash; empty for `embedded` and `rules`."""
        return self.name.partition("/")[2]


class CollectConfig(RunConfig):
    """`pr1 collect`: sample trajectories from a strong multimodal model.

    Attributes:
        samples: trajectories for each problem.
        temperature: of the sampling, 0..2.
        max_tokens: token limit of one trajectory.
        max_pixels: pictures above it are scaled down before they are sent.
    """

    source: SourceConfig
    model: ModelConfig
    samples: int = Field(default=4, ge=1)
    temperature: float = Field(default=1.0, ge=0, le=2)
    max_tokens: int = Field(default=4096, ge=1)
    max_pixels: int = Field(default=1_806_336, ge=1)


class AnnotateConfig(RunConfig):
    """`pr1 annotate`: extract and validate visual annotations.

    Attributes:
        keep_wrong: annotate trajectories whose answer is wrong, too.
        min_support: how many trajectories must state a fact.
    """

    source: SourceConfig
    model: ModelConfig
    keep_wrong: bool = False
    min_support: int = Field(default=1, ge=1)


class PolicyConfig(Record):
    """The policy that `pr1 filter` rolls out: which problems does it fail for misreading a picture?

    Attributes:
        model: the policy that is to be trained.
        rollouts: of each problem under each condition (K).
        max_rollouts: to which they are topped up while a condition is undetermined.
        temperature: of the sampling, the trainer's; above 0, since rollouts have to differ.
        max_tokens: token limit of one completion; the trainer's.
        max_pixels: pictures above it are scaled down before they are sent; the trainer's.
        blind: roll out without the picture as well.
        keep: the buckets that may become training rows, those to be preferred first.
        by_score: where `size` leaves out a part of a bucket, keep the problems that the annotations
            help most; else the choice is by seed alone.
    """

    model: ModelConfig
    rollouts: int = Field(default=8, ge=1)
    max_rollouts: int = Field(default=32, ge=1)
    temperature: float = Field(default=1.0, gt=0, le=2)
    max_tokens: int = Field(default=4096, ge=1)
    max_pixels: int = Field(default=1_806_336, ge=1)
    blind: bool = False
    keep: list[Bucket] = ["perception-limited", "undetermined"]
    by_score: bool = False


class FilterConfig(RunConfig):
    """`pr1 filter`: choose the training set.

    Attributes:
        annotated: the folder that `pr1 annotate` wrote.
        min_annotations: the least number of annotations that the reward can ask for.
        size: at most this many rows, by a seeded, stratified selection; None keeps all.
        decontaminate: files or folders of evaluation problems that must not be trained on.
        min_pixels, max_pixels: bounds of a picture's width times height.
        policy: whom the paired difficulty pass asks; None leaves it out.
    """

    annotated: NonEmpty
    min_annotations: int = Field(default=1, ge=0)
    size: int | None = Field(default=None, ge=1)
    decontaminate: list[str] = []
    min_pixels: int = Field(default=3_136, ge=1)
    max_pixels: int = Field(default=16_777_216, ge=1)
    policy: PolicyConfig | None = None


class JudgeRunConfig(RunConfig):
    """`pr1 judge`: which annotations do completions that are there already reflect?

    Attributes:
        completions: a JSONL or Parquet file, or a folder that `pr1 judge` wrote.
        model: `rules`, `embedded`, or a chat model as `provider/model`.
        is_hybrid: rules decide what they decide safely, and the model the rest.
        contradiction_penalty: hits that one contradicted annotation takes back; the paper: 0.
    """

    completions: NonEmpty
    model: ModelConfig
    is_hybrid: bool = False
    contradiction_penalty: float = Field(default=1.0, ge=0, le=1000, allow_inf_nan=False)


def config_hash(values: dict[str, Any]) -> str:
    """Sha256 of the values as canonical JSON."""
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
