"""A real browser for the pages' tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()
_GRAVE = {"serious", "critical"}


def require_browser() -> None:
    """Skip the test where there is no Chromium; in CI that is a failure."""
    if CHROMIUM is None:
        reason = "needs Chromium: apt install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@contextmanager
def browser() -> Iterator[Any]:
    """Playwright's browser, driving the Chromium of this machine."""
    from playwright.sync_api import sync_playwright

    require_browser()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        try:
            yield chromium
        finally:
            chromium.close()


@contextmanager
def watched_page(chromium: Any, **options: Any) -> Iterator[Any]:
    """A page that fails the test for an error of its console, a dialog or a request elsewhere."""
    context = chromium.new_context(**options)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda it: faults.append(it.text) if it.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("dialog", lambda dialog: (faults.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: _note_foreign(request.url, faults))
    page.faults = faults
    try:
        yield page
        assert not faults
    finally:
        context.close()


def _note_foreign(url: str, faults: list[str]) -> None:
    if not url.startswith(("http://127.0.0.1:", "file:", "data:", "about:")) or ":9/" in url:
        faults.append(f"request to {url}")


def accessibility_faults(page: Any) -> list[str]:
    """What axe-core finds serious or critical on the page."""
    source = resources.files("axe_playwright_python") / "axe.min.js"
    page.evaluate(source.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in _GRAVE]
