"""Choose the real trajectories that are labelled by hand: 60 for the headline, others to tune on.

Usage: python bench/labels/choose.py PATH/TO/trajectories.jsonl

Prints one JSON line per chosen record, `{"set", "record_id", "response_sha256"}`. The choice
depends on the file and on SEED alone. No problem is chosen twice, within a set or across the two.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

SEED = 20250607
MIN_CHARS, MAX_CHARS = 80, 2500


class Quota(NamedTuple):
    """How many trajectories of one model on one benchmark go into each set."""

    benchmark: str
    model: str
    headline: int
    dev: int
    more: int


QUOTAS = (
    Quota("GeoQA test (Geo170K)", "G-LLaVA-7B", 6, 3, 11),
    Quota("GeoQA test (Geo170K)", "Qwen2-VL-7B-Instruct", 6, 3, 11),
    Quota("GeoQA test (Geo170K)", "Qwen2-VL-7B-GRPO-2epochs (R1-V)", 6, 3, 11),
    Quota("MathVision test", "gemini-pro-vision", 5, 3, 9),
    Quota("MathVision test", "qwen-vl-max", 5, 2, 9),
    Quota("MathVision test", "InternLM-XComposer2-VL", 2, 1, 4),
    Quota("MathVista testmini", "Bard (multimodal)", 6, 3, 12),
    Quota("MathVista testmini", "LLaVA-LLaMA-2-13B", 4, 2, 6),
    Quota("VisOnlyQA Eval-Real", "gpt-4o-2024-08-06", 3, 1, 6),
    Quota("VisOnlyQA Eval-Real", "claude-3-5-sonnet-20240620", 3, 1, 6),
    Quota("VisOnlyQA Eval-Real", "gemini-1.5-pro-002", 2, 1, 5),
    Quota("VisOnlyQA Eval-Real", "Qwen2-VL-72B-Instruct", 2, 1, 4),
    Quota("VisOnlyQA Eval-Real", "Qwen2-VL-7B-Instruct", 1, 1, 3),
    Quota("EMMA-mini Math", "Gemini-2.0-Flash-Thinking-1219 (CoT)", 1, 0, 1),
    Quota("EMMA-mini Math", "GPT-4o (CoT)", 2, 1, 4),
    Quota("EMMA-mini Math", "Qwen2.5-VL-72B (CoT)", 2, 1, 4),
    Quota("EMMA-mini Math", "Claude-3.5-Sonnet (CoT)", 2, 2, 4),
    Quota("MMMU-Pro standard (10 options)", "GPT-4o (CoT)", 2, 1, 6),
)


def main(path: Path) -> None:
    """Print the chosen records of the file, headline first."""
    with path.open(encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    for line in sorted(choose(records), key=lambda line: line["set"], reverse=True):
        print(json.dumps(line))


def choose(records: list[dict[str, Any]]) -> Iterator[dict[str, str]]:
    """The chosen records, each with its set and the hash of its response.

    `more` is chosen after the two others, so that it leaves them as they were.
    """
    rng = random.Random(SEED)
    used: set[str] = set()
    task_uses: Counter[str] = Counter()
    for sets in (("headline", "dev"), ("more",)):
        for quota in QUOTAS:
            pool = [record for record in records if _is_eligible(record, quota)]
            rng.shuffle(pool)
            for which in [name for name in sets for _ in range(getattr(quota, name))]:
                free = [record for record in pool if used.isdisjoint(_marks(record))]
                if not free:
                    break
                chosen = min(free, key=lambda record: task_uses[_task(record)])
                used.update(_marks(chosen))
                task_uses[_task(chosen)] += 1
                digest = hashlib.sha256(chosen["response"].encode()).hexdigest()
                yield {"set": which, "record_id": chosen["id"], "response_sha256": digest}


def _is_eligible(record: dict[str, Any], quota: Quota) -> bool:
    # MMMU-Pro comes without pictures; elsewhere a picture is there to check a reading against.
    has_what_it_needs = record["image"] is not None or quota.benchmark.startswith("MMMU-Pro")
    return (
        (record["benchmark"], record["model"]) == (quota.benchmark, quota.model)
        and has_what_it_needs
        and MIN_CHARS <= len(record["response"]) <= MAX_CHARS
    )


def _marks(record: dict[str, Any]) -> set[str]:
    """What makes two records one problem: its id, or its picture (EMMA borrows MathVision's)."""
    return {mark for mark in (record["problem_id"], record["image"]) if mark is not None}


def _task(record: dict[str, Any]) -> str:
    """VisOnlyQA's task (its ids end in a hash), so that no task crowds out the others."""
    is_visonly = record["benchmark"].startswith("VisOnlyQA")
    return str(record["problem_id"].rsplit("-", 1)[0]) if is_visonly else ""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
