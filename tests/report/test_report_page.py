"""`pr1 report`: what the page says is what the manifest counts and the rows hold."""

import json
import re

import pytest
from annotated_sets import annotated as annotated_set
from annotated_sets import fact, told
from fake_server import FakeServer
from hostile_html import Elements
from report_sets import annotated_row, finished, judged_row, of_every_stage, train_row
from scripted_policy import HURT, MASTERED, PERCEPTION, REASONING, Policy
from typer.testing import CliRunner

from pr1.cli import app
from pr1.outputs.rows import read_manifest
from pr1.schemas.outcomes import JudgedRow
from pr1.schemas.records import AnnotatedProblem, ProblemImage, TrainRow


def pr1(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def words(folder):
    """The page's text, made anew, with single blanks between words and between elements."""
    run = pr1("report", folder)
    assert (run.exit_code, run.stdout.strip()) == (0, str(folder / "report.html")), run.stderr
    page = (folder / "report.html").read_text()
    return " ".join(Elements(page.replace("<", " <")).words.split())


@pytest.fixture
def annotated(tmp_path):
    rows = [annotated_row("plain", number) for number in range(5)]
    return finished(tmp_path / "set", "annotate", rows, AnnotatedProblem)


def test_the_page_names_its_file_and_needs_no_other(annotated, tmp_path):
    page = tmp_path / "elsewhere.html"
    assert pr1("report", annotated, "-o", page).stdout.strip() == str(page)
    text = page.read_text()
    elements = Elements(text)
    assert all(one.startswith("data:image/webp;base64,") for one in elements.addresses)
    assert not elements.tags & {"script", "link", "iframe", "object", "form"}
    assert "default-src 'none'" in text
    assert not (annotated / "report.html").exists()


def test_the_numbers_are_the_manifests(annotated):
    text, counts = words(annotated), read_manifest(annotated).counts
    assert "5 problems with 5 visual annotations" in text
    assert f"records read by pr1 annotate {counts.read}" in text
    assert f"rows written {counts.rows}" in text
    assert "dropped a reason 1" in text
    assert "failed a reason 1" in text
    assert "a reason 7 100.0%" in text
    assert "length 5 100.0%" in text
    assert "b" * 64 in text
    assert "pr1 annotate a reason" in text


def test_the_flow_goes_through_all_stages(tmp_path):
    *_, judged = of_every_stage(tmp_path, "plain")
    text = words(judged)
    stages = ["collect", "annotate", "filter", "judge"]
    places = [text.index(f"read by pr1 {stage}") for stage in stages]
    assert places == sorted(places)
    assert text.count("dropped plain 1") == 4
    # Every stage of this set read more than the one before it wrote, or as much.
    assert "not read" not in text


def test_a_limit_is_seen_in_the_flow(tmp_path, annotated):
    rows = [train_row("plain")]
    chosen = finished(tmp_path / "chosen", "filter", rows, TrainRow, source=annotated)
    assert "not read: the run had a --limit, or another input besides 2" in words(chosen)


def test_pictures_are_encoded_anew_and_a_broken_one_is_said(tmp_path):
    whole = annotated_row("plain", 1)
    broken = ProblemImage(bytes=b"no picture at all", path="x.png")
    rows = [whole, whole.model_copy(update={"id": "broken", "images": [broken]})]
    text = words(finished(tmp_path / "set", "annotate", rows, AnnotatedProblem))
    assert "The picture: the picture cannot be read" in text
    page = (tmp_path / "set" / "report.html").read_text()
    assert re.search(r'src="data:image/webp;base64,UklGR\w+', page)


def test_examples_do_not_depend_on_the_order_of_the_rows(tmp_path):
    rows = [annotated_row("plain", number) for number in range(9)]
    shown = []
    for name, ordered in (("a", rows), ("b", rows[::-1])):
        folder = finished(tmp_path / name / "set", "annotate", ordered, AnnotatedProblem)
        words(folder)
        shown.append(re.findall(r"<h4>(.*?)</h4>", (folder / "report.html").read_text()))
    assert shown[0] == shown[1]
    assert len(shown[0]) == 6


def test_judged_rows_show_verdicts_and_parts(tmp_path):
    verdicts = ["reflected", "reflected", "contradicted", "absent"]
    rows = [judged_row("plain", number, word) for number, word in enumerate(verdicts)]
    text = words(finished(tmp_path / "set", "judge", rows, JudgedRow))
    assert "reflected 2 50.0%" in text
    assert "contradicted 1 25.0%" in text
    assert "visual 4 0 0.500" in text
    assert "Contradicted The most contradicted annotations. plain 2" in text


def test_the_paired_pass_is_told(tmp_path, fake_server: FakeServer):
    kinds = [*[PERCEPTION] * 4, *[MASTERED] * 3, REASONING, HURT]
    fake_server.answer = Policy(dict(enumerate(kinds)))
    source = annotated_set(tmp_path / "annotated", [told(number) for number in range(len(kinds))])
    out = tmp_path / "out"
    policy = ("--policy", "vllm/eye", "--base-url", fake_server.openai_url)
    assert pr1("filter", source, "-o", out, *policy).exit_code == 0
    text, facts = words(out), read_manifest(out).facts["paired"]
    for bucket, number in facts["buckets"].items():
        assert f"{bucket} {number} " in text
    table = facts["table"]
    assert f"from the picture {table['both']} {table['only_a']}" in text
    for condition, counts in facts["rollouts_by_condition"].items():
        tail = " ".join(f"{counts[key]:,}" for key in ("solved", "tried", "cut", "unscored"))
        assert re.search(rf"{condition}: the picture.*? {tail}", text)
    assert f"p = {facts['global_p_value']:.2g}" in text
    assert f"Of {facts['candidates']} candidates" in text
    assert "vllm/eye" in text

    (out / "paired_outcomes.jsonl").write_text("{}\n")
    assert refused(out) == "paired_outcomes.jsonl:1 is no outcome of the paired pass."
    (out / "paired_outcomes.jsonl").unlink()
    assert "paired_outcomes.jsonl cannot be read" in refused(out)


def test_an_empty_set_has_a_page(tmp_path):
    out = annotated_set(tmp_path / "set", [])
    assert "0 problems with 0 visual annotations" in words(out)


def test_a_set_made_anew_loses_its_old_page_and_nothing_minds_it(annotated):
    words(annotated)
    assert pr1("report", annotated).exit_code == 0
    finished(annotated, "annotate", [annotated_row("other")], AnnotatedProblem)
    assert not (annotated / "report.html").exists()
    assert "1 problem with 1 visual annotation" in words(annotated)


def refused(folder, *more):
    """The first sentence of the one line that says why."""
    run = pr1("report", folder, *more)
    assert run.exit_code == 2
    (line,) = run.stderr.splitlines()
    return line.replace(f"pr1: {folder}/", "").split(". ")[0] + "."


def test_bad_folders_are_refused_in_one_line(tmp_path, annotated):
    assert "there is no such folder" in refused(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "holds no manifest.json" in refused(tmp_path / "empty")
    unfinished = tmp_path / "unfinished" / ".pr1"
    unfinished.mkdir(parents=True)
    (unfinished / "run.json").write_text("{}")
    assert "is unfinished" in refused(unfinished.parent)
    assert "is no name for the page" in refused(annotated, "-o", annotated / "manifest.json")
    assert "cannot be written" in refused(annotated, "-o", tmp_path / "no" / "page.html")


def test_damaged_files_are_refused_in_one_line(annotated):
    good = (annotated / "dropped.jsonl").read_text()
    (annotated / "dropped.jsonl").write_text(good + "[1\n")
    assert refused(annotated) == "dropped.jsonl:2 is no line of this file."
    (annotated / "dropped.jsonl").write_text(good)
    (shard,) = (annotated / "data").iterdir()
    whole = shard.read_bytes()
    shard.write_bytes(whole[: len(whole) // 2])
    assert "cannot be read" in refused(annotated)
    shard.unlink()
    assert refused(annotated) == "data holds 0 rows, but the manifest counts 5."


def test_an_unknown_stage_is_refused(annotated):
    path = annotated / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"stage": "dream"}))
    assert "of which there is no report" in refused(annotated)


def test_support_is_shown_where_there_are_several_trajectories(tmp_path):
    row = annotated_row("plain").model_copy(
        update={"annotations": [fact(statement="AB = 3", support=2)]}
    )
    text = words(finished(tmp_path / "set", "annotate", [row], AnnotatedProblem))
    assert "AB = 3 length, 2 of 2" in text
    assert "plain rejected: deduction" in text
