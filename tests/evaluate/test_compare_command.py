"""`pr1 compare` as a user types it: exit code, stdout, stderr."""

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from pr1.cli import app

REAL = Path(__file__).parents[3] / "shared/real/paired_outcomes.csv"


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("base.csv").write_text(
        "id,correct,subject\n" + "".join(f"{i},{i % 2},s\n" for i in range(20))
    )
    Path("tuned.csv").write_text("id,correct\n" + "".join(f"{i},1\n" for i in range(21)))
    Path("broken.csv").write_text("id,correct\n1,1\n2,maybe\n")


def pr1(*arguments):
    result = CliRunner().invoke(app, ["compare", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_the_result_goes_to_stdout_and_nothing_else():
    run = pr1("base.csv", "tuned.csv")
    assert run.exit_code == 0
    assert run.stdout.startswith("A  base\nB  tuned\n20 problems in both; left out: 1 only in B\n")
    assert run.stderr == ""


def test_json_is_json():
    run = pr1("base.csv", "tuned.csv", "--json", "--by", "subject", "--seed", 5)
    data = json.loads(run.stdout, parse_constant=pytest.fail)  # neither NaN nor Infinity
    assert (data["a"], data["b"], data["seed"]) == ("base.csv", "tuned.csv", 5)
    (report,) = data["reports"]
    assert report["overall"]["table"]["gained"] == 10
    assert report["overall"]["table"]["odds_ratio"]["value"] is None
    assert report["conclusions"][0].startswith("The accuracy of B is higher")
    assert report["groups"][0]["name"] == "s"


def test_markdown():
    run = pr1("base.csv", "tuned.csv", "--markdown")
    assert run.stdout.startswith("## A: `base`, B: `tuned`\n")


def test_a_figure_beside_the_text():
    run = pr1("base.csv", "tuned.csv", "--figure", "figure.png")
    assert run.exit_code == 0
    assert run.stdout.startswith("A  base")
    assert run.stderr == "pr1: figure: figure.png\n"
    with Image.open("figure.png") as picture:
        picture.verify()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["base.csv"], 2, "base.csv:2: has no benchmark, item_id"),
        (["base.csv", "nowhere.csv"], 2, "nowhere.csv: no such file."),
        (["base.csv", "."], 2, ".: is a folder."),
        (["base.csv", "./base.csv"], 2, "are one file"),
        (["base.csv", "broken.csv"], 1, "broken.csv:3: 'correct' is 'maybe'"),
        (["base.csv", "tuned.csv", "--by", "sbject"], 2, "there is: subject"),
        (["base.csv", "tuned.csv", "--json", "--markdown"], 2, "exclude each other"),
        (["base.csv", "tuned.csv", "--figure", "x.pdf"], 2, "name a .png file"),
    ],
)
def test_a_mistake_is_one_line(arguments, code, message):
    run = pr1(*arguments)
    assert run.exit_code == code
    assert run.stdout == ""
    assert run.stderr.startswith("pr1: ")
    assert message in run.stderr
    assert run.stderr.count("\n") == 1


@pytest.mark.skipif(not REAL.exists(), reason="the shared real data is not here")
def test_the_real_pairs_from_end_to_end():
    run = pr1(REAL, "--figure", "real.png")
    assert run.exit_code == 0
    assert "In 7 of 9 comparisons a difference in accuracy is shown" in run.stdout
    assert max(map(len, run.stdout.splitlines())) <= 80
    with Image.open("real.png") as picture:
        assert picture.height > 800
