"""What a manifest says about its run, without secrets and without the machine's folders.

A manifest is published with its data. So a secret is replaced by `***` wherever it stands, and an
absolute path by its last part: the input's hash says which file it was, its folder is nobody's
business. Relative paths stay as they were typed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path, PurePosixPath, PureWindowsPath
from platform import python_version
from typing import Any

from .rows import MANIFEST, data_files

MOST_NAMED = 1000
_HIDDEN = "***"
_PACKAGES = (
    "pr1",
    "aiohttp",
    "anthropic",
    "datasets",
    "huggingface-hub",
    "math-verify",
    "numpy",
    "openai",
    "pillow",
    "pyarrow",
    "pydantic",
    "xllamacpp",
)
_SECRET_NAME = re.compile(r"(^|[-_])(key|token|secret|password|passwd)$", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"\b(?:sk|hf|gsk|ghp|xai|nvapi|glpat|github_pat)[-_][\w-]{8,}|\b(?:AIza|AKIA)[\w-]{12,}"
)
_URL_LOGIN = re.compile(r"(?<=://)[^/\s@]+(?=@)")
_URL_QUERY = re.compile(
    r"([?&](?:key|token|api[-_]?key|access[-_]token|signature|sig|code)=)[^&#\s]+", re.IGNORECASE
)


def package_versions(more: Iterable[str] = ()) -> dict[str, str]:
    """The version of Python and of each installed package that a result may depend on.

    Args:
        more: packages that this stage alone depends on.
    """
    versions = {"python": python_version()}
    for package in (*_PACKAGES, *more):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def command_line(arguments: Sequence[str]) -> str:
    """The command as it was typed, without secrets and absolute paths.

    Args:
        arguments: `sys.argv`; its first entry is the program.

    Example:
        >>> command_line(["/usr/bin/pr1", "annotate", "/home/a/b.jsonl", "--api-key", "x y"])
        "pr1 annotate b.jsonl --api-key '***'"
    """
    shown = ["pr1"]
    is_secret = False
    for argument in arguments[1:]:
        option, equals, value = argument.partition("=") if argument[:1] == "-" else ("", "", "")
        if is_secret and not argument.startswith("--"):
            shown.append(_HIDDEN)
        elif equals and _SECRET_NAME.search(option):
            shown.append(f"{option}={_HIDDEN}")
        elif equals:
            shown.append(f"{option}={publishable(value)}")
        else:
            shown.append(publishable(argument))
        is_secret = not equals and argument.startswith("-") and bool(_SECRET_NAME.search(argument))
    return shlex.join(shown)


def publishable(value: Any) -> Any:
    """The JSON value with each text in it freed of secrets and of an absolute path's folders."""
    if isinstance(value, dict):
        return {
            key: _HIDDEN if _SECRET_NAME.search(key) and item else publishable(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [publishable(item) for item in value]
    return without_secrets(_without_folders(value)) if isinstance(value, str) else value


def without_secrets(text: str) -> str:
    """The text with whatever is, or looks like, a credential replaced by `***`.

    That is: the value of every environment variable whose name ends in KEY, TOKEN, SECRET or
    PASSWORD; keys by the forms that providers give them; a URL's login and its key parameters.
    """
    for secret in secrets_of_environment():
        text = text.replace(secret, _HIDDEN)
    text = _URL_LOGIN.sub(_HIDDEN, text)
    text = _URL_QUERY.sub(rf"\1{_HIDDEN}", text)
    return _SECRET_VALUE.sub(_HIDDEN, text)


def secrets_of_environment() -> list[str]:
    """The values of the variables whose names say that they hold a credential."""
    return [
        value for name, value in os.environ.items() if len(value) >= 8 and _SECRET_NAME.search(name)
    ]


def file_hashes(path: Path) -> dict[str, str]:
    """Name of each file of an input -> its sha256: what a manifest names as its parents.

    A file gives itself; a folder that pr1 made gives its rows; any other folder gives all its
    files but hidden ones, or, where they are more than `MOST_NAMED` (pictures, as a rule), one hash
    for all of their names and hashes. Names begin with the last part of `path`. Files are read in
    pieces.
    """
    name = path.resolve().name
    if path.is_file():
        return {name: file_digest(path)}
    if (path / MANIFEST).is_file():
        inner_names = [file.relative_to(path).as_posix() for file in data_files(path)]
    else:
        inner_names = sorted(_visible_files(path))
    hashes = ((f"{name}/{inner}", file_digest(path / inner)) for inner in inner_names)
    if len(inner_names) <= MOST_NAMED:
        return dict(hashes)
    of_all = hashlib.sha256()
    for pair in hashes:
        of_all.update(json.dumps(pair).encode())
    return {f"{name}/ ({len(inner_names):,} files)": of_all.hexdigest()}


def _visible_files(folder: Path) -> Iterator[str]:
    # Not `rglob`, which remembers every path until its end.
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            file = Path(parent, name)
            if not name.startswith(".") and file.is_file():
                yield file.relative_to(folder).as_posix()


def file_digest(path: Path) -> str:
    """The sha256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _without_folders(text: str) -> str:
    provider, slash, model = text.partition("/")
    if provider == "local" and slash:  # a model's folder: `local//home/somebody/model`
        return f"local/{_without_folders(model)}"
    for kind in (PurePosixPath, PureWindowsPath):
        path = kind(text)
        if path.is_absolute() or text.startswith("~"):
            return path.name
    return text
