"""The seeds of samples, each made from the run's seed and from what the sample is."""

from __future__ import annotations

import hashlib


def sample_seed(seed: int, *sample: str | int) -> int:
    """The seed of one sample, 0..2**31-1: servers that honour seeds answer one seed one way.

    Hashed, and not added up, so that the samples of neighbouring seeds are others, too.

    Args:
        seed: of the run.
        sample: what tells the sample from the run's others, e.g. its index.
    """
    text = "/".join(map(str, (seed, *sample)))
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") >> 1
