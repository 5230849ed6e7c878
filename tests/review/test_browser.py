"""The review page in a real browser, by keyboard, against the command as a user starts it."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from annotated_sets import annotated
from browsing import accessibility_faults, browser, watched_page
from hostile_html import PAYLOADS
from page_sets import FIRST, annotated_folder, judged_folder, problem, quoted

from pr1.outputs.rows import read_rows
from pr1.review.file import read_review
from pr1.schemas.records import AnnotatedProblem

pytestmark = pytest.mark.slow
SAVED = 15_000  # ms; a loaded machine is slow


@contextmanager
def review(folder: Path, port: int = 0) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of `pr1 review FOLDER`, and its process; killed at the end."""
    command = [sys.executable, "-m", "pr1", "review", str(folder), "--no-browser", "--who", "ann"]
    process = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip(), process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with browser() as opened:
        yield opened


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def is_shown(page: Any, row: str) -> None:
    page.wait_for_selector(f"article[data-id='{row}']", timeout=SAVED)


def decided(page: Any, key: str, words: str) -> None:
    page.wait_for_selector(f"[data-key='{key}'] [data-action='{words}'][aria-pressed=true]")


def test_a_set_is_reviewed_corrected_and_applied(chromium, tmp_path):
    folder = annotated_folder(tmp_path / "set")
    with review(folder) as (url, process), watched_page(chromium) as page:
        page.goto(url)
        is_shown(page, "p1")  # the one that contradicts itself
        press(page, "a")
        decided(page, "a1", "accept")
        press(page, "r")  # the keys went on to the second
        decided(page, "a2", "reject")
        press(page, "k", "k", "e")
        page.fill(".editor [name=statement]", "AB = 5 cm")
        press(page, "Enter")
        page.wait_for_selector("text=was: ")
        press(page, "c")
        page.fill(".editor textarea", "who is right?")
        press(page, "Enter")
        page.wait_for_selector("#comment-text:has-text('who is right?')")
        page.reload()
        is_shown(page, "p1")
        decided(page, "a2", "reject")

        press(page, "Space")
        page.wait_for_selector("article:not([data-id='p1'])")
        press(page, "r")
        page.wait_for_selector("[data-action=reject][aria-pressed=true]")
        press(page, "u")
        page.wait_for_selector("[data-action=reject][aria-pressed=true]", state="detached")

        process.kill()  # nothing that showed as saved is lost, and the page says what is not
        process.wait()
        press(page, "r")
        page.wait_for_selector("#message:has-text('NOT SAVED')", timeout=SAVED)
        page.faults.clear()  # the browser's own word on the refused connection
        with review(folder, port=int(url.rstrip("/").rpartition(":")[2])) as (again, _):
            assert again == url
            press(page, "r")
            page.wait_for_selector("[data-action=reject][aria-pressed=true]", timeout=SAVED)
    actions = [one.action for one in read_review(folder).decisions]
    assert actions == ["accept", "reject", "edit", "comment", "done", "reject", "undo", "reject"]

    out = tmp_path / "new"
    command = [sys.executable, "-m", "pr1", "review", "apply", str(folder), "-o", str(out)]
    subprocess.run(command, check=True)
    rows = {row.id: row for row in read_rows(out, AnnotatedProblem)}
    assert [one.statement for one in rows["p1"].annotations] == ["AB = 5 cm", "AB = 7"]
    assert rows["p3"] == next(row for row in read_rows(folder, AnnotatedProblem) if row.id == "p3")


def test_words_that_are_selected_become_an_annotation(chromium, tmp_path):
    folder = annotated_folder(tmp_path / "set")
    with review(folder) as (url, _), watched_page(chromium) as page:
        page.goto(f"{url}?row=0")
        is_shown(page, "p0")
        page.evaluate(
            """() => {
                const pieces = document.querySelectorAll("[data-text-id=t1] [data-start]");
                const range = document.createRange();
                range.setStart(pieces[0].lastChild, 4);
                range.setEnd(pieces[2].lastChild, 4);
                getSelection().removeAllRanges();
                getSelection().addRange(range);
            }"""
        )
        press(page, "n")
        page.wait_for_selector(".editor")
        assert page.input_value(".editor [name=statement]").startswith("figure shows that $")
        page.fill(".editor [name=statement]", "the figure shows AB")
        page.select_option(".editor [name=kind]", "length")
        press(page, "Enter")
        page.wait_for_selector("[data-key=n1]")
        assert page.locator("[data-text-id=t1] mark[data-keys~=n1]").count() >= 2
    (added,) = read_review(folder).decisions
    assert (added.start, added.end) == (4, FIRST.index(" and BC") + 4)


def test_filters_and_search_narrow_the_list(chromium, tmp_path):
    folder = annotated_folder(tmp_path / "set", rows=6)
    with review(folder) as (url, _), watched_page(chromium) as page:
        page.goto(url)
        page.select_option("[name=only]", "contradicting")
        page.wait_for_selector("#place:has-text('1 / 1')")
        page.goto(f"{url}?only=open")
        for left in range(6, 0, -1):
            page.wait_for_selector(f"#place:has-text('/ {left}')")
            press(page, "Space")
        page.wait_for_selector("#message:has-text('last row')")
        page.reload()
        page.goto(f"{url}?only=open")
        page.wait_for_selector("text=No row is left here")
        press(page, "/")
        page.keyboard.type("p2")
        press(page, "Enter")
        page.wait_for_url("**search=p2**")
        page.select_option("[name=only]", "all")
        is_shown(page, "p2")
    assert sum(one.action == "done" for one in read_review(folder).decisions) == 6


def test_a_window_that_is_behind_is_told(chromium, tmp_path):
    folder = annotated_folder(tmp_path / "set")
    with review(folder) as (url, _), watched_page(chromium) as page:
        page.goto(f"{url}?row=0")
        with watched_page(chromium) as other:
            other.goto(f"{url}?row=0")
            press(other, "r")
            decided(other, "a1", "reject")
        press(page, "a")
        page.wait_for_selector("#message:has-text('another window')")
        decided(page, "a1", "reject")
        page.faults.clear()  # the browser's own word on the answer 409
    assert [one.action for one in read_review(folder).decisions] == ["reject"]


def test_verdicts_are_given_by_number(chromium, tmp_path):
    folder = judged_folder(tmp_path / "judged")
    with review(folder) as (url, _), watched_page(chromium) as page:
        page.goto(f"{url}?row=0")
        press(page, "3")
        page.wait_for_selector("[data-key=a1] .state:has-text('judge said reflected')")
        press(page, "a")
        page.wait_for_selector("[data-key=a2] .state:has-text('confirmed')")
    labels = tmp_path / "labels.jsonl"
    command = [sys.executable, "-m", "pr1", "review", "apply", str(folder), "-o", str(labels)]
    subprocess.run(command, check=True)
    assert len(labels.read_text().splitlines()) == 2


def test_a_thousand_rows_by_key_presses_lose_no_decision(chromium, tmp_path):
    rows = 1_000
    folder = annotated_folder(tmp_path / "set", rows=rows)
    with review(folder) as (url, _), watched_page(chromium) as page:
        page.goto(f"{url}?order=file")
        for _ in range(rows):  # faster than the page: what is pressed waits its turn
            press(page, "r", "Space")
        page.wait_for_selector("#message:has-text('last row')", timeout=300_000)
    decisions = read_review(folder).decisions
    assert len(decisions) == 2 * rows
    rejected = [one.row for one in decisions if one.action == "reject" and one.target == "a1"]
    assert rejected == [f"p{number}" for number in range(rows)]


def test_hostile_texts_do_nothing_in_a_browser(chromium, tmp_path):
    payload = " ".join(PAYLOADS)
    text = f"See {payload} here."
    trajectory = problem(0).trajectories[0].model_copy(update={"text": text, "model": payload})
    row = problem(
        0,
        id=payload,
        question=payload,
        choices=[payload],
        answer=payload,
        source=payload,
        license=payload,
        trajectories=[trajectory],
        annotations=[quoted(1, text, payload, "t1", statement=payload[:900], extractor=payload)],
        rejected=[],
    )
    with review(annotated(tmp_path / "set", [row])) as (url, _), watched_page(chromium) as page:
        page.goto(url)
        press(page, "e")
        page.wait_for_selector(".editor")
        press(page, "Enter")
        page.wait_for_selector("[data-key=a1] [data-action=accept][aria-pressed=true]")
        page.wait_for_timeout(500)
        assert page.locator("article script, article img:not(.picture img)").count() == 0
        assert page.evaluate("document.title") == "set: pr1 review"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("make", [annotated_folder, judged_folder])
def test_the_page_is_accessible_and_fits(make, width, scheme, chromium, tmp_path):
    options = {
        "viewport": {"width": width, "height": 800},
        "color_scheme": scheme,
        "bypass_csp": True,  # for axe, which is put into the page
    }
    with (
        review(make(tmp_path / "set")) as (url, _),
        watched_page(chromium, **options) as page,
    ):
        page.goto(url)
        page.wait_for_load_state("networkidle")
        assert accessibility_faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        press(page, "?")
        page.wait_for_selector("#help[open]")
        assert accessibility_faults(page) == []


def test_without_a_script_the_page_says_so(chromium, tmp_path):
    with (
        review(annotated_folder(tmp_path / "set")) as (url, _),
        watched_page(chromium, java_script_enabled=False) as page,
    ):
        page.goto(url)
        assert page.locator("noscript p").is_visible()


def test_ctrl_c_ends_in_order(tmp_path):
    with review(annotated_folder(tmp_path / "set")) as (_, process):
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
