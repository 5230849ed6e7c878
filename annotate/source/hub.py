"""Rows of a dataset on the Hugging Face hub, pictures as their encoded bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ...schemas.errors import UsageError

BATCH_ROWS = 16
HUB_TIMEOUT_S = 20


def is_hub_id(text: str) -> bool:
    """Whether the text is written as a hub id: `owner/name`."""
    return re.fullmatch(r"\w[\w.-]{0,95}/\w[\w.-]{0,95}", text, re.ASCII) is not None


def read_rows(name: str, split: str) -> Iterator[dict[str, Any]]:
    """The split's rows as they are stored: a picture is `{"bytes": ..., "path": ...}`.

    Raises:
        UsageError: the dataset cannot be loaded. Remedy: check the name, the network, the split.
    """
    # Arrow's own values: datasets would decode each picture and lose its encoded bytes.
    for table in _load(name, split).with_format("arrow").iter(batch_size=BATCH_ROWS):
        yield from table.to_pylist()


def fingerprint(name: str, split: str) -> str:
    """The fingerprint of the split at the revision that is loaded."""
    return str(_load(name, split)._fingerprint)


def _load(name: str, split: str) -> Any:
    import datasets
    from huggingface_hub import HfApi, constants

    # The hub's clients raise errors of several libraries without a common base.
    try:
        if not constants.HF_HUB_OFFLINE:
            # Asked once beforehand: `load_dataset` itself retries half a minute without a network.
            HfApi().dataset_info(name, timeout=HUB_TIMEOUT_S)
        return datasets.load_dataset(name, split=split)
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UsageError(
            f"{name!r}: no such file or folder, and from the hub split {split!r} cannot be loaded "
            f"({reason}). Check the name and the network; HF_HUB_OFFLINE=1 reads a cached copy."
        ) from error
