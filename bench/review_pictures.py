"""Makes the pictures of the review page in docs/figures/, in a real browser.

Usage:
    pr1 annotate data/sample -o OUT --model rules --keep-wrong
    python bench/review_pictures.py OUT

Needs Debian's Chromium and the extra `dev`. OUT is reviewed a little, in a file beside it.
"""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

FIGURES = Path(__file__).parents[1] / "docs" / "figures"
CHROMIUM = "/usr/bin/chromium"
ROW = "geometry-01"


def main(folder: str) -> None:
    """Both pictures of the folder's review."""
    command = [sys.executable, "-m", "pr1", "review", folder, "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            url = server.stdout.readline().strip()
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=CHROMIUM, args=["--headless", "--no-sandbox", "--disable-gpu"]
                )
                for scheme, name in (("light", "review.png"), ("dark", "review-dark.png")):
                    picture(browser, url, scheme, FIGURES / name)
                browser.close()
        finally:
            server.kill()


def picture(browser: Browser, url: str, scheme: str, path: Path) -> None:
    """The page with a first decision taken and the second annotation chosen."""
    page = browser.new_page(viewport={"width": 1280, "height": 760}, color_scheme=scheme)
    page.goto(f"{url}?search={ROW}")
    page.keyboard.press("a")
    page.wait_for_selector("[data-key=a1] [data-action=accept][aria-pressed=true]")
    page.wait_for_load_state("networkidle")
    shot = Image.open(io.BytesIO(page.screenshot()))
    shot.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
    page.close()


if __name__ == "__main__":
    main(sys.argv[1])
