"""The page in a real browser: light and dark, wide and narrow, accessible, and quiet."""

from itertools import pairwise

import pytest
from browsing import accessibility_faults, browser, watched_page
from hostile_html import PAYLOADS
from report_sets import of_every_stage
from typer.testing import CliRunner

from pr1.cli import app

TEXT = "AB = 3, a long/word_" + "x" * 120 + " $\\frac{1}{2}$ " + " ".join(PAYLOADS)


@pytest.mark.slow
def test_the_page_is_at_home_in_a_browser(tmp_path):
    folders = of_every_stage(tmp_path, TEXT)
    for folder in folders:
        assert CliRunner().invoke(app, ["report", str(folder)]).exit_code == 0
    with browser() as chromium:
        for folder in folders:
            for scheme, width in (("light", 1280), ("dark", 390)):
                options = {
                    "color_scheme": scheme,
                    "viewport": {"width": width, "height": 900},
                    "bypass_csp": True,  # axe-core is a script, which the page itself forbids
                }
                with watched_page(chromium, **options) as page:
                    page.goto(f"file://{folder / 'report.html'}")
                    assert not accessibility_faults(page)
                    wider = "document.documentElement.scrollWidth - window.innerWidth"
                    assert page.evaluate(wider) <= 0
        with watched_page(chromium) as page:  # as a reader opens it: under its own policy
            page.goto(f"file://{folders[1] / 'report.html'}")
            levels = page.evaluate(
                "[...document.querySelectorAll('h1,h2,h3,h4')].map(one => +one.tagName[1])"
            )
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
