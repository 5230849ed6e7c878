"""A model's folder on this machine: is it one, and which model is it?

The revision is a hash over what decides the answers: configuration, tokenizer, templates and
weights. A folder that is trained further is therefore another model, and none of its old answers is
taken for a new one. The path is no part of it: the same folder elsewhere is the same model.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from ..schemas.errors import UsageError
from .chat import ModelIdentity

_DECIDING = {".json", ".jinja", ".model", ".safetensors", ".txt"}


def local_folder(path_text: str) -> Path:
    """The folder of `local/PATH`; the path is absolute (`local//srv/model`) or relative.

    Raises:
        UsageError: it is none, or does not hold a whole model in safetensors.
    """
    folder = Path(path_text).expanduser()
    if not folder.is_dir():
        raise UsageError(
            f"{path_text}: no such folder. A local model is named local/PATH, by its folder's path."
        )
    if not (folder / "config.json").is_file():
        merge = ""
        if (folder / "adapter_config.json").is_file():
            merge = " It holds an adapter: merge it into its base model, and save that."
        raise UsageError(
            f"{path_text}: there is no config.json, so it is no model's folder.{merge}"
        )
    if not any(folder.glob("*.safetensors")):
        raise UsageError(
            f"{path_text}: there are no weights in safetensors, and pr1 loads no other kind. Save "
            "them anew with model.save_pretrained(FOLDER)."
        )
    return folder


def folder_identity(path_text: str) -> ModelIdentity:
    """The model by its folder's name, and by what is in it. Reads all weights once, at disk speed.

    Raises:
        UsageError: as `local_folder`.
    """
    folder = local_folder(path_text)
    whole = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in _DECIDING and path.is_file():
            stat = path.stat()
            whole.update(
                f"{path.name} {_file_hash(path, stat.st_size, stat.st_mtime_ns)}\n".encode()
            )
    return ModelIdentity("local", "", folder.resolve().name, whole.hexdigest()[:12])


@lru_cache(maxsize=1024)
def _file_hash(path: Path, size: int, changed_ns: int) -> str:
    """The file's sha256, computed again only after its size or time of change has changed."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
