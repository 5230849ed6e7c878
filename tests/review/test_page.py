"""The review server: what it shows, takes and refuses. Hostile texts stay texts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from annotated_sets import annotated, picture
from hostile_html import MATHML, PAYLOADS, Elements
from loopback import served
from page_sets import annotated_folder, judged_folder, problem, quoted

from pr1.review.access import Access, is_loopback
from pr1.review.file import read_review
from pr1.review.log import ReviewLog
from pr1.review.page import ReviewPages
from pr1.review.rows import ReviewSet
from pr1.review.server import review_app
from pr1.schemas.records import ProblemImage


@contextmanager
def reviewing(folder: Path, host: str = "127.0.0.1") -> Iterator[tuple[httpx.Client, Access]]:
    """A client of the folder's review, as the page's script is one."""
    with ExitStack() as held:
        log = held.enter_context(ReviewLog(folder, "ann"))
        access = Access(host)
        url = held.enter_context(served(review_app(ReviewPages(ReviewSet(folder), log), access)))
        client = held.enter_context(httpx.Client(base_url=url, headers={"Origin": url}))
        yield client, access


def decide(client: httpx.Client, number: int, seen: int = 0, **choice: Any) -> Any:
    body = {"number": number, "seen": seen, "choice": choice}
    return client.post("/decisions", json=body)


def test_the_page_shows_the_row_that_needs_a_person_most(tmp_path):
    with reviewing(annotated_folder(tmp_path / "set")) as (client, _):
        page = Elements(client.get("/").text)
    assert "contradict" in page.words
    assert "p1" in page.words
    assert "How long is AC?" in page.words
    assert "computation" in page.words


def test_a_decision_is_on_the_disk_and_comes_back(tmp_path):
    folder = annotated_folder(tmp_path / "set")
    with reviewing(folder) as (client, _):
        answer = decide(client, 0, action="reject", target="a1")
        assert answer.status_code == 200
        assert 'data-key="a1"' in answer.json()["html"]
        (decision,) = read_review(folder).decisions
        assert (decision.row, decision.action, decision.target) == ("p0", "reject", "a1")
        assert decision.who == "ann"
        again = client.get("/rows/0").json()["html"]
    assert Elements(again).words == Elements(answer.json()["html"]).words


def test_the_second_of_two_windows_sees_what_the_first_did(tmp_path):
    folder = annotated_folder(tmp_path / "set")
    with reviewing(folder) as (client, _):
        assert decide(client, 0, action="reject", target="a1").status_code == 200
        late = decide(client, 0, action="accept", target="a1")
        assert late.status_code == 409
        assert "another window" in late.json()["error"]
        assert "html" in late.json()
        assert len(read_review(folder).decisions) == 1
        seen = read_review(folder).decisions[0].number
        assert decide(client, 0, seen, action="accept", target="a1").status_code == 200


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"action": "reject", "target": "a9"}, "no annotation"),
        ({"action": "edit", "target": "a1", "statement": " "}, "needs words"),
        ({"action": "add"}, "needs words"),
        ({"action": "add", "statement": "x", "trajectory_id": "t9", "start": 0, "end": 1}, "text"),
        ({"action": "undo", "undoes": 7}, "count"),
        ({"action": "explode"}, "Input should be"),
        ({"action": "comment", "text": "x" * 10_001}, "10000"),
        ({"action": "edit", "target": "a1", "statement": "x", "kind": "taste"}, "Input should"),
    ],
)
def test_what_cannot_be_is_refused_and_not_written(choice, words, tmp_path):
    folder = annotated_folder(tmp_path / "set")
    with reviewing(folder) as (client, _):
        answer = decide(client, 0, **choice)
        assert answer.status_code == 400
        assert words in answer.json()["error"]
        assert read_review(folder).decisions == []


@pytest.mark.parametrize(
    "address",
    ["/rows/99", "/rows/-1", "/rows/x", "/pictures/0/9", "/pictures/99/0", "/pictures/0/..%2f..",
     "/../pyproject.toml", "/%2e%2e/%2e%2e/etc/passwd", "/review.py", "/static/review.js"],
)  # fmt: skip
def test_nothing_but_rows_and_pictures_is_served(address, tmp_path):
    with reviewing(annotated_folder(tmp_path / "set")) as (client, _):
        assert client.get(address).status_code in (400, 404)


def test_a_picture_is_served_by_what_it_is(tmp_path):
    svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    rows = [
        problem(0, images=[picture(1), ProblemImage(bytes=svg, path="x.png")]),
        problem(1, images=[ProblemImage(bytes=b"", path="../../etc/passwd")]),
    ]
    with reviewing(annotated(tmp_path / "set", rows)) as (client, _):
        good = client.get("/pictures/0/0")
        assert (good.status_code, good.headers["Content-Type"]) == (200, "image/png")
        assert good.headers["X-Content-Type-Options"] == "nosniff"
        assert client.get("/pictures/0/1").status_code == 415
        assert client.get("/pictures/1/0").status_code == 415


def test_every_answer_forbids_scripts_that_are_not_ours(tmp_path):
    with reviewing(annotated_folder(tmp_path / "set")) as (client, _):
        for address in ("/", "/rows/0", "/pictures/0/0", "/review.js", "/nowhere"):
            policy = client.get(address).headers["Content-Security-Policy"]
            assert "default-src 'none'; script-src 'self'" in policy
            assert "unsafe" not in policy


def test_a_page_of_another_name_or_origin_is_refused(tmp_path):
    folder = annotated_folder(tmp_path / "set")
    with reviewing(folder) as (client, _):
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 403
        assert client.get("/", headers={"Host": "localhost:1"}).status_code == 200
        body = {"number": 0, "seen": 0, "choice": {"action": "done"}}
        evil = {"Origin": "http://evil.example"}
        assert client.post("/decisions", json=body, headers=evil).status_code == 403
        assert client.post("/decisions", json=body, headers={"Origin": ""}).status_code == 403
        plain = {"Content-Type": "text/plain"}
        text = json.dumps(body)
        assert client.post("/decisions", content=text, headers=plain).status_code == 403
        assert client.post("/decisions", content=b"x" * 200_000, headers={
            "Content-Type": "application/json"}).status_code == 413  # fmt: skip
        assert read_review(folder).decisions == []


def test_another_address_than_loopback_asks_for_the_token(tmp_path):
    with reviewing(annotated_folder(tmp_path / "set"), host="0.0.0.0") as (client, access):
        for address in ("/", "/rows/0", "/review.js", "/?token=wrong", "/?token="):
            assert client.get(address).status_code == 403
        welcome = client.get(f"/?token={access.token}")
        assert (welcome.status_code, welcome.headers["Location"]) == (303, "/")
        cookie = welcome.headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert client.get("/").status_code == 200
        assert decide(client, 0, action="done").status_code == 200


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True),
     ("0.0.0.0", False), ("192.168.1.2", False), ("evil.example", False), ("", False)],
)  # fmt: skip
def test_loopback_is_told_from_the_network(host, expected):
    assert is_loopback(host) is expected


def test_filters_that_mean_nothing_show_all_rows(tmp_path):
    with reviewing(annotated_folder(tmp_path / "set")) as (client, _):
        assert client.get("/rows/0?kind=taste&only=1&search=&row=x").json()["total"] == 4
        assert client.get("/rows/0?only=contradicting").json()["total"] == 1
        assert "No row is left" in client.get("/?search=nowhere").text


def test_verdicts_are_confirmed_and_corrected(tmp_path):
    folder = judged_folder(tmp_path / "judged")
    with reviewing(folder) as (client, _):
        answer = decide(client, 0, action="verdict", target="a2", verdict="absent")
        assert answer.status_code == 200
        assert "judge said reflected" in Elements(answer.json()["html"]).words
        wrong = decide(client, 0, 1, action="verdict", target="a2")
        assert wrong.status_code == 400


def hostile_row(number: int, payload: str) -> Any:
    text = f"See {payload} here. BC = 12 {payload}"
    trajectory = problem(0).trajectories[0].model_copy(update={"text": text, "model": payload})
    rejected = (
        problem(0)
        .rejected[0]
        .model_copy(update={"statement": payload, "quote": payload, "extractor": payload})
    )
    return problem(
        number,
        id=f"{number} {payload}",
        question=payload,
        choices=[payload, "B"],
        answer=payload,
        source=payload,
        license=payload,
        trajectories=[trajectory],
        annotations=[
            quoted(1, text, payload, "t1", statement=payload, extractor=payload),
            quoted(2, text, f"here. BC = 12 {payload}", "t1", statement=f"BC = {payload}"),
        ],
        rejected=[rejected],
    )


def test_hostile_texts_stay_texts(tmp_path):
    harmless = [hostile_row(n, "plain text") for n in range(1)]
    hostile = [hostile_row(n, payload) for n, payload in enumerate(PAYLOADS)]
    assert len(PAYLOADS) >= 25
    with reviewing(annotated(tmp_path / "harmless", harmless)) as (client, _):
        usual = Elements(client.get("/rows/0").json()["html"])
    with reviewing(annotated(tmp_path / "hostile", hostile)) as (client, _):
        for number, payload in enumerate(PAYLOADS):
            comment = {"action": "comment", "text": payload}
            shown = decide(client, number, **comment).json()
            page = Elements(shown["html"])
            assert page.tags <= usual.tags | MATHML | {"code"}, payload
            assert page.attributes <= usual.attributes | MATHML_ATTRIBUTES, payload
            assert page.addresses == {f"/pictures/{number}/0"}, payload
            assert not page.styles, payload
            whole = Elements(client.get("/", params={"row": number, "search": payload}).text)
            assert "script" in whole.tags  # ours, and no other:
            assert whole.addresses <= {
                *("/style.css", "/review.css", "/review.js", "/", f"/pictures/{number}/0"),
                "",
            }, payload


MATHML_ATTRIBUTES = {
    *("display", "data-latex", "mathvariant", "stretchy", "fence", "form", "accent", "separator"),
    *("linethickness", "columnalign", "notation", "lspace", "rspace", "width", "height", "depth"),
}
