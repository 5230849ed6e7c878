"""Makes the sample: `python data/make_sample.py` draws and compiles everything beside this file.

    gold_source/*.yaml ─▶ sample/problems.jsonl    problems and trajectories: the pipeline's input
                      ├─▶ sample/images/*.png      the pictures, drawn from the `drawing` entries
                      └─▶ gold/tune.jsonl, gold/held_out.jsonl   the visual facts, with offsets

The source is written by hand; whatever in it cannot be true (a quote that is not in its
trajectory, an unknown fact, two values for one quantity) ends the run with the place and the
reason. README.md describes the source's form.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from string import ascii_lowercase
from typing import Any, get_args

import yaml
from canvas import Canvas, Spec
from charts import draw_bars, draw_dial, draw_lines, draw_table
from figures import draw_figure, draw_shapes

from pr1.schemas.records import AnnotationKind

HERE = Path(__file__).parent
SPLIT_SEED = 2508
STYLES = {
    "chinese",
    "given-list",
    "latex",
    "markdown",
    "prose",
    "self-correcting",
    "tagged",
    "terse",
    "think-answer",
}
PAINTERS: dict[str, Callable[[Canvas, Spec], None]] = {
    "figure": draw_figure,
    "bars": draw_bars,
    "lines": draw_lines,
    "table": draw_table,
    "shapes": draw_shapes,
    "dial": draw_dial,
}
Entry = dict[str, Any]


def main() -> None:
    """Writes the sample into the folder given by `--out` (by default the folder of this file)."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE)
    out: Path = parser.parse_args().out
    problems = read_source(HERE / "gold_source")
    images, gold_folder = out / "sample" / "images", out / "gold"
    images.mkdir(parents=True, exist_ok=True)
    gold_folder.mkdir(parents=True, exist_ok=True)
    for problem in problems:
        _draw(problem["drawing"], images / f"{problem['id']}.png")
    demo = (HERE / "demo.txt").read_text().split()
    demo_first = sorted(problems, key=lambda problem: problem["id"] not in demo)
    _write_lines(out / "sample" / "problems.jsonl", [compile_problem(p) for p in demo_first])
    gold = [compile_gold(problem) for problem in problems]
    halves = split_in_halves(gold)
    for name, half in halves.items():
        _write_lines(gold_folder / f"{name}.jsonl", half)
        print(_summary(name, half))


def read_source(folder: Path) -> list[Entry]:
    """All problems of the source, file by file in the order of their names."""
    problems = [p for path in sorted(folder.glob("*.yaml")) for p in yaml.safe_load(path.open())]
    repeated = [name for name, n in Counter(p["id"] for p in problems).items() if n > 1]
    if repeated:
        raise ValueError(f"two problems have the id {repeated[0]}; rename one")
    return problems


def compile_problem(problem: Entry) -> Entry:
    """The problem's line of `problems.jsonl`."""
    return {
        "id": problem["id"],
        "question": problem["question"],
        "choices": problem.get("choices"),
        "answer": problem["answer"],
        "image": f"images/{problem['id']}.png",
        "trajectories": [
            {"id": name, "text": trajectory["text"], "model": "hand-written"}
            for name, trajectory in _named_trajectories(problem)
        ],
        "source": "pr1 sample",
        "license": "Apache-2.0",
    }


def compile_gold(problem: Entry) -> Entry:
    """The problem's line of the gold, its quotes turned into offsets.

    Raises:
        ValueError: the source contradicts itself; the message names the place.
    """
    picture, misread = _facts(problem, "picture"), _facts(problem, "misread")
    _check_facts(problem, picture, misread)
    return {
        "problem_id": problem["id"],
        "picture_facts": list(picture.values()),
        "trajectories": [
            {
                "trajectory_id": name,
                "style": trajectory["style"],
                "is_correct": trajectory.get("correct", True),
                "facts": [
                    {
                        **(picture | misread)[key],
                        "places": _places(trajectory["text"], quotes, f"{name}, {key}"),
                        "in_question": key in problem.get("in_question", []),
                        "equals_answer": key in problem.get("equals_answer", []),
                        "is_hallucinated": key in misread,
                    }
                    for key, quotes in trajectory["facts"].items()
                ],
            }
            for name, trajectory in _named_trajectories(problem)
        ],
    }


def split_in_halves(gold: list[Entry]) -> dict[str, list[Entry]]:
    """The problems in a `tune` and a `held_out` half that resemble each other.

    Every domain is halved; among 2,000 seeded ways to do so, the one is taken whose halves differ
    least in their trajectories and styles. The facts have no say: a label that is corrected later
    moves no problem from one half to the other.
    """
    shuffler = random.Random(SPLIT_SEED)
    best = min((_deal(gold, shuffler) for _ in range(2000)), key=_imbalance)
    return {"tune": best[0], "held_out": best[1]}


def _deal(gold: list[Entry], shuffler: random.Random) -> tuple[list[Entry], list[Entry]]:
    dealt: list[str] = []
    for domain in sorted({_domain(entry) for entry in gold}):
        names = [entry["problem_id"] for entry in gold if _domain(entry) == domain]
        shuffler.shuffle(names)
        dealt += names
    chosen = set(dealt[::2])
    return (
        [entry for entry in gold if entry["problem_id"] in chosen],
        [entry for entry in gold if entry["problem_id"] not in chosen],
    )


def _domain(entry: Entry) -> str:
    return str(entry["problem_id"]).rsplit("-", 1)[0]


def _imbalance(halves: tuple[list[Entry], list[Entry]]) -> int:
    counts = [_styles(half) for half in halves]
    return sum(abs(counts[0][style] - counts[1][style]) for style in STYLES)


def _styles(half: list[Entry]) -> Counter[str]:
    return Counter(t["style"] for entry in half for t in entry["trajectories"])


def _summary(name: str, half: list[Entry]) -> str:
    trajectories = [trajectory for entry in half for trajectory in entry["trajectories"]]
    facts = [fact for trajectory in trajectories for fact in trajectory["facts"]]
    counts = {
        "problems": len(half),
        "trajectories": len(trajectories),
        "wrong": sum(not trajectory["is_correct"] for trajectory in trajectories),
        "without facts": sum(not trajectory["facts"] for trajectory in trajectories),
        "facts": len(facts),
        "in the question": sum(fact["in_question"] for fact in facts),
        "equal to the answer": sum(fact["equals_answer"] for fact in facts),
        "hallucinated": sum(fact["is_hallucinated"] for fact in facts),
        **dict(sorted(_styles(half).items())),
    }
    return f"{name}: " + ", ".join(f"{n} {what}" for what, n in counts.items())


def _named_trajectories(problem: Entry) -> Iterator[tuple[str, Entry]]:
    for letter, trajectory in zip(ascii_lowercase, problem["trajectories"], strict=False):
        name = f"{problem['id']}-{letter}"
        if trajectory["style"] not in STYLES:
            raise ValueError(f"{name}: the style {trajectory['style']!r} is none of {STYLES}")
        yield name, trajectory


def _facts(problem: Entry, section: str) -> dict[str, Entry]:
    facts = {}
    for key, entry in problem[section].items():
        ((kind, statement),) = entry.items()
        if kind not in get_args(AnnotationKind):
            raise ValueError(f"{problem['id']}, {key}: {kind!r} is no kind of visual annotation")
        facts[key] = {"statement": statement, "kind": kind}
    return facts


def _check_facts(problem: Entry, picture: dict[str, Entry], misread: dict[str, Entry]) -> None:
    where = problem["id"]
    statements = Counter(fact["statement"] for fact in [*picture.values(), *misread.values()])
    twice = [statement for statement, n in statements.items() if n > 1]
    if twice or picture.keys() & misread.keys():
        raise ValueError(f"{where}: a fact stands twice: {twice or picture.keys() & misread}")
    sizes = [fact["statement"] for fact in picture.values() if fact["kind"] in ("length", "angle")]
    values = [size.split(" = ") for size in sizes]
    sides = Counter(left for left, *right in values if right)
    if sides and max(sides.values()) > 1:
        raise ValueError(f"{where}: the picture gives two values for {sides.most_common(1)[0][0]}")
    used = {key for trajectory in problem["trajectories"] for key in trajectory["facts"]}
    if unknown := used - picture.keys() - misread.keys():
        raise ValueError(f"{where}: a trajectory states {unknown}, which no section defines")
    if unused := misread.keys() - used:
        raise ValueError(f"{where}: no trajectory misreads {unused}")
    marks = {*problem.get("in_question", []), *problem.get("equals_answer", [])}
    if strange := marks - picture.keys():
        raise ValueError(f"{where}: {strange} is marked, but is no fact of the picture")


def _places(text: str, quotes: str | list[str], where: str) -> list[dict[str, int]]:
    """Every place of every quote, in the order of the text.

    A quote does not match inside a word or number: `AB = 5` is not in `AB = 55`.
    """
    places: set[tuple[int, int]] = set()
    for quote in [quotes] if isinstance(quotes, str) else quotes:
        before = r"(?<![A-Za-z0-9])" if re.match(r"[A-Za-z0-9]", quote) else ""
        after = r"(?![A-Za-z0-9]|\.[0-9])" if re.search(r"[A-Za-z0-9]\Z", quote) else ""
        found = [match.span() for match in re.finditer(before + re.escape(quote) + after, text)]
        if not found:
            raise ValueError(f"{where}: the trajectory does not contain {quote!r}")
        places.update(found)
    return [{"start": start, "end": end} for start, end in sorted(places)]


def _draw(drawing: Spec, path: Path) -> None:
    canvas = Canvas()
    PAINTERS[drawing["type"]](canvas, drawing)
    canvas.finished().quantize(64).save(path, optimize=True)


def _write_lines(path: Path, rows: list[Entry]) -> None:
    lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows]
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
