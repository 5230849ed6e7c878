"""The architecture, held by tests: who may import whom, what is in the wheel, what loads when."""

import ast
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

BASE = {"schemas"}
TOOLS = BASE | {"answers", "garbage", "images", "outputs", "llm", "notation"}
MAY_IMPORT = {
    "schemas": set(),
    "notation": set(),
    "garbage": set(),
    "images": BASE,
    "outputs": BASE,
    "answers": BASE | {"notation"},
    "llm": BASE | {"images"},
    "stats": BASE,
    "judge": BASE | {"answers", "llm", "notation", "outputs", "stats"},
    "annotate": TOOLS,
    "filter": TOOLS | {"judge", "stats"},
    "train": TOOLS | {"judge", "pages", "report", "stats"},
    "evaluate": TOOLS | {"judge", "stats"},
    "pages": set(),
    "report": BASE | {"images", "outputs", "pages", "stats"},
    "review": BASE | {"notation", "outputs", "pages", "stats"},
    "hub": BASE | {"outputs"},
    "doctor": BASE | {"llm", "outputs"},
    "screen": BASE | {"outputs"},
    "__init__": set(),
    "__main__": {"cli"},
}
HEAVY = [
    *("torch", "transformers", "trl", "vllm", "datasets", "openai", "anthropic"),
    *("matplotlib", "numpy", "scipy"),
]


def package_modules() -> list[Path]:
    folders = [ROOT, *(ROOT / name.replace(".", "/") for name in subpackages())]
    return sorted(path for folder in folders for path in folder.glob("*.py"))


def subpackages() -> list[str]:
    names = PROJECT["tool"]["setuptools"]["packages"]
    return [name.removeprefix("pr1.") for name in names if name != "pr1"]


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def rooms_imported_by(path: Path) -> set[str]:
    inside = path.relative_to(ROOT).parent.parts
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = inside[: len(inside) - (node.level - 1)]
        target = (*base, *(node.module.split(".") if node.module else ()))
        rooms |= {target[0]} if target else {alias.name for alias in node.names}
    return rooms - {room_of(path)}


@pytest.mark.parametrize("path", package_modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_imports_only_what_the_design_allows(path):
    room = room_of(path)
    if room in ("cli", "commands"):
        return
    assert rooms_imported_by(path) - {"__version__"} <= MAY_IMPORT[room]


@pytest.mark.parametrize("path", package_modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_has_under_300_lines_and_a_docstring(path):
    text = path.read_text()
    assert len(text.splitlines()) < 300
    assert ast.get_docstring(ast.parse(text))


def test_help_loads_nothing_heavy():
    code = f"""
import sys
from typer.testing import CliRunner
from pr1.cli import app
assert CliRunner().invoke(app, ["--help"]).exit_code == 0
print([name for name in {HEAVY} if name in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_every_folder_with_modules_is_a_declared_package():
    outside = {"tests", "bench", "data", "docs", "build"}
    folders = {
        path.parent.relative_to(ROOT).as_posix().replace("/", ".")
        for path in ROOT.rglob("*.py")
        if not path.relative_to(ROOT).parts[0].startswith(".")
        and path.relative_to(ROOT).parts[0] not in outside
    }
    assert folders == {".", *subpackages()}


def package_data() -> list[Path]:
    folders = [ROOT / name.replace(".", "/") for name in subpackages()]
    endings = {".css", ".j2", ".js", ".txt", ".yaml"}
    return [path for folder in folders for path in folder.iterdir() if path.suffix in endings]


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_else(tmp_path):
    # Built from a copy: setuptools puts what an earlier build left behind into the wheel.
    ignored = shutil.ignore_patterns(".*", "build", "*.egg-info", "demo-out", "tests", "bench")
    shutil.copytree(ROOT, tmp_path / "pr1", ignore=ignored)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)]
    subprocess.run([*build, str(tmp_path / "pr1")], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    inside = [*package_modules(), *package_data()]
    assert names == {f"pr1/{path.relative_to(ROOT).as_posix()}" for path in inside} | {
        "pr1/py.typed"
    }
