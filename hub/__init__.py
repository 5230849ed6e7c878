"""Publishing on the Hugging Face hub: a finished dataset or trained model, with its card.

What travels is decided in `contents.py`, file by file. Everything else stays: the response store,
`dropped.jsonl`, `failures.jsonl`, checkpoints and completions, which nobody reviewed. Before the
first byte is sent, the sources' terms (`terms.py`) and every text (`scan.py`) are looked at, and a
person is asked (`publish.py`).
"""

from .publish import push, write
from .records import Finding, Findings, Plan, PushResult, SentFile, SourceUse

__all__ = [
    "Finding",
    "Findings",
    "Plan",
    "PushResult",
    "SentFile",
    "SourceUse",
    "push",
    "write",
]
