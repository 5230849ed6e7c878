"""Finished folders to publish: training sets as `pr1 filter` writes them, models as `pr1 train`."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

from pr1.outputs.folder import StageFolder
from pr1.schemas.config import FilterConfig
from pr1.schemas.manifest import Counts, Dropped, Failure, Manifest, Usage
from pr1.schemas.records import ProblemImage, TrainAnnotation, TrainRow
from pr1.schemas.training import Recipe


def picture(colour: str = "red") -> ProblemImage:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(buffer, "PNG")
    return ProblemImage(bytes=buffer.getvalue(), path="picture.png")


def train_row(number: int = 0, **changes: Any) -> TrainRow:
    values: dict[str, Any] = {
        "id": f"row-{number}",
        "question": f"How high is bar {number}?",
        "answer": "3",
        "images": [picture()],
        "annotations": [TrainAnnotation(id=1, statement=f"bar {number} is 3", kind="value")],
        "source": "own bars",
        "license": "MIT",
    }
    return TrainRow(**values | changes)


def train_set(out: Path, *rows: TrainRow, history: list[Manifest] | None = None) -> Path:
    with StageFolder.start(
        out,
        stage="filter",
        config=FilterConfig(annotated="bars"),
        parents={"bars": "a" * 64},
        prompts={},
        history=history or [],
        overwrite=True,
        row_model=TrainRow,
        command="pr1 filter bars",
    ) as folder:
        written = rows or (train_row(0), train_row(1))
        for row in written:
            folder.write_row(row)
        folder.drop(Dropped(id="d", stage="filter", reason="a_decision", detail="secret-drop"))
        folder.fail(Failure(id="f", stage="read", error="e", message="secret-failure"))
        folder.store_path.write_bytes(b"secret-store")
        folder.finish(read=len(written) + 2)
    (out / "notes.txt").write_text("secret-notes")
    (out / "data" / "other.csv").write_text("secret-csv")
    return out


def train_manifest(**changes: Any) -> Manifest:
    recipe = Recipe.model_validate(
        {
            "model": {"path": "Qwen/Qwen2.5-VL-7B-Instruct", "revision": "main"},
            "judge": {"model": {"name": "vllm/judge"}},
            "evaluation": {"rows": 100},
            "grpo": {"learning_rate": 1e-6},
        }
    )
    values: dict[str, Any] = {
        "stage": "train",
        "command": "pr1 train bars",
        "config": {"dataset": "lab/bars", **recipe.model_dump(mode="json")},
        "identity_hash": "0123456789abcdef",
        "execution_hash": "b",
        "seed": 7,
        "versions": {"pr1": "0.1.0", "trl": "1.16.0"},
        "counts": Counts(read=1_100, in_rows=1_100, dropped=0, failed=0, rows=1_000),
        "usage": Usage(),
        "usage_in_all": Usage(requests=5_000, tokens_in=900_000, tokens_out=1_000, cost_usd=2.5),
        "facts": {
            "steps": 250,
            "evaluation": {
                "0": {"problems": 100, "accuracy": 0.4, "perception": 0.5, "all_reflected": 0.2},
                "250": {"problems": 100, "accuracy": 0.5, "perception": 0.8, "all_reflected": 0.6},
            },
            "against_the_starting_model": {
                "accuracy": {
                    "problems": 100,
                    "before": 40,
                    "after": 50,
                    "lost": 5,
                    "gained": 15,
                    "p_value": 0.0414,
                },
            },
        },
        "started_at": "2026-01-01T00:00:00+00:00",
        "wall_s": 7_200.0,
    }
    return Manifest(**values | changes)


def trained_model(out: Path, manifest: Manifest | None = None) -> Path:
    """A model's folder with everything that a run leaves, most of which must stay."""
    files = {
        "model/config.json": json.dumps({"model_type": "idefics3"}),
        "model/model.safetensors": "weights",
        "model/tokenizer.json": "{}",
        "model/chat_template.jinja": "{{ messages }}",
        "model/README.md": "secret-card-of-a-library",
        "model/training_args.bin": "secret-pickle",
        "model/optimizer.pt": "secret-optimizer",
        "model/trainer_state.json": '"secret-state"',
        "curves/evaluation.png": "picture",
        "evaluation/step-000000.jsonl": "secret-completion",
        "completions/steps-000000-000001.parquet": "secret-completion",
        "checkpoints/checkpoint-2/optimizer.pt": "secret-optimizer",
        "checkpoints/checkpoint-2/model.safetensors": "secret-weights",
        "metrics.jsonl": "secret-metrics",
        "report.html": "secret-report",
        "dropped.jsonl": "secret-drop",
        "failures.jsonl": "secret-failure",
        ".pr1/responses.sqlite": "secret-store",
        "manifest.json": (manifest or train_manifest()).model_dump_json(indent=2),
    }
    for name, content in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return out
