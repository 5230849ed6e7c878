"""`pr1 report` for a dataset stage: the page, from the folder alone."""

from __future__ import annotations

import json
from pathlib import Path

from ..outputs.lineage import MOST_PARENTS
from ..outputs.whole import written_whole
from ..pages.environment import environment
from ..schemas.errors import UsageError
from ..schemas.manifest import Manifest
from .account import figures, left_out, spent
from .charts import Chart, bars, histogram, lengths_in_words
from .flow import flow
from .paired import paired
from .reading import FIFTHS, PARTS, Reading, read_folder
from .showing import examples
from .words import TITLES, sentence

VERDICTS = ("reflected", "absent", "contradicted")
MOST_SOURCES = 20
SHOWN_ELSEWHERE = {"paired", "verdicts", "model", *(f"mean_{part}" for part in PARTS)}


def write_report(folder: Path, manifest: Manifest, path: Path) -> None:
    """The page of a finished dataset stage, written whole.

    Args:
        folder: what the stage wrote.
        manifest: of it.
        path: the file to write.

    Raises:
        UsageError: the stage has no report, its files are damaged or incomplete, or there is no
            writing at `path`.
    """
    reading = read_folder(folder, manifest)
    page = (
        environment("pr1.report")
        .get_template("report.html.j2")
        .render(
            **shared(folder, manifest),
            kind=TITLES[manifest.stage],
            sentence=sentence(manifest, reading),
            annotations=reading.statements.total(),
            figures=figures(manifest.facts, SHOWN_ELSEWHERE),
            charts=_charts(manifest, reading),
            parts=_parts(reading),
            reading=reading,
            paired=paired(folder, manifest),
            examples=[shown for shelf in reading.shelves if (shown := examples(shelf)).rows],
            sources=reading.tally.sources.most_common(MOST_SOURCES),
        )
    )
    save(page, path)


def save(page: str, path: Path) -> None:
    """Write the page whole.

    Raises:
        UsageError: no page can be written there.
    """
    if path.suffix not in (".html", ".htm") or path.is_dir():
        raise UsageError(f"{path} is no name for the page. Give a file that ends in .html with -o.")
    try:
        with written_whole(path) as new:
            new.write_text(page, encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written ({error.strerror}). Name another file with -o."
        ) from error


def shared(folder: Path, manifest: Manifest) -> dict[str, object]:
    """What the pages of all stages show, training runs included: the values of `base.html.j2`."""
    return {
        "name": folder.resolve().name,
        "manifest": manifest,
        "flow": flow(manifest),
        "spent": spent(manifest),
        "left_out": left_out(folder),
        "config": json.dumps(manifest.config, indent=2, ensure_ascii=False),
        "parents": list(manifest.parents.items())[:MOST_PARENTS],
    }


def _charts(manifest: Manifest, reading: Reading) -> list[Chart]:
    tally, rejected = reading.tally, manifest.counts.rejected_by_reason
    texts = "completions" if manifest.stage == "judge" else "trajectories"
    answers = {"right": tally.correct, "wrong": tally.wrong, "not compared": tally.unscored}
    models = ((str(model or "not stated"), n) for model, n in tally.trajectory_models.most_common())
    found = [
        Chart(
            "Verdicts",
            "verdict",
            "annotations",
            bars((word, reading.verdicts[word]) for word in VERDICTS),
        ),
        Chart(
            "Visual score",
            "score",
            "completions",
            bars((step, reading.visual[step]) for step in FIFTHS),
            "The share of the annotations asked that a completion reflects, by weight, less what "
            "contradicted ones take back.",
        ),
        Chart("Kinds of annotations", "kind", "annotations", bars(tally.kinds.most_common())),
        Chart("Annotations of a row", "annotations", "rows", histogram(tally.annotations_per_row)),
        Chart(
            "Support",
            "trajectories",
            "annotations",
            histogram(tally.support),
            "How many of a problem's trajectories state an annotation. Agreement is evidence, and "
            "no proof.",
        ),
        Chart(
            "Rejected annotations",
            "reason",
            "proposed",
            bars(sorted(rejected.items(), key=lambda it: (-it[1], it[0]))),
            "By the first check that failed. They stay in the rows, for review.",
        ),
        Chart("Answers of the trajectories", "answer", "trajectories", bars(answers.items())),
        Chart("Trajectories by model", "written by", "trajectories", bars(models)),
        Chart(
            "Length of the annotations",
            "characters",
            "annotations",
            histogram(reading.statements),
            lengths_in_words(reading.statements),
        ),
        Chart(
            f"Length of the {texts}",
            "characters",
            texts,
            histogram(reading.texts),
            lengths_in_words(reading.texts),
        ),
    ]
    return [chart for chart in found if any(bar.number for bar in chart.bars)]


def _parts(reading: Reading) -> list[tuple[str, int, int, float | None]]:
    """Of each part of the reward: its name, rows scored, rows not scored, mean of those scored."""
    if not reading.scored:
        return []
    return [
        (part, n, reading.tally.rows - n, reading.sums[part] / n if n else None)
        for part in PARTS
        for n in (reading.scored[part],)
    ]
