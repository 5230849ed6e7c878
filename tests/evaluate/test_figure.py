"""The figure is a picture of the size that its rows need, whatever the names in it."""

import json
import sys

import pytest
from PIL import Image

from pr1.evaluate.comparison import compare
from pr1.evaluate.figure import check_figure, draw_figure
from pr1.evaluate.matching import read_matched
from pr1.schemas.errors import MissingExtra, UsageError


def reports(tmp_path, groups, perception=None):
    paths = []
    for side, name in enumerate("ab"):
        path = tmp_path / f"{name}.jsonl"
        rows = [
            {"id": i, "correct": (i + side) % 2, "subject": group}
            | ({} if perception is None else {"perception": perception})
            for i, group in enumerate(groups * 3)
        ]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        paths.append(path)
    return compare(read_matched(*paths), "subject", 0)


@pytest.mark.parametrize("perception", [None, 0.5])
def test_a_figure_is_a_picture(tmp_path, perception):
    path = tmp_path / "figure.png"
    draw_figure(reports(tmp_path, ["x", "$\\frac{", "圆 [图]", "a_b^c"], perception), path)
    with Image.open(path) as picture:
        picture.load()
        assert picture.format == "PNG"
        assert picture.width == 1536
        assert picture.height > 500
        # light ground, and something in both colours on it
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 24)}
    assert (255, 255, 255) in colours
    assert {(0, 114, 178), (213, 94, 0)} <= colours


def test_too_many_rows_are_refused(tmp_path):
    with pytest.raises(UsageError, match="62 rows do not fit"):
        draw_figure(reports(tmp_path, [str(n) for n in range(61)]), tmp_path / "figure.png")


@pytest.mark.parametrize("name", ["figure.jpg", "figure", "nowhere/figure.png", "folder.png"])
def test_a_figure_that_cannot_be_written_is_refused_before(tmp_path, name):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UsageError, match=r"name a \.png file"):
        check_figure(tmp_path / name)


def test_without_matplotlib_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"pip install 'pr1\[figures\]'"):
        check_figure(tmp_path / "figure.png")
