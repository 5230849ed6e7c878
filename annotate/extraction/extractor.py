"""Who proposes visual facts: the rules, a language model, or both.

`rules` is no model at all. `embedded` is the rules united with the small model in this process,
which finds what rules miss and misses what rules find. Any other model works alone: a strong one
needs no rules beside it.
"""

from __future__ import annotations

from pydantic import BaseModel

from ...llm.chat import ChatRequest
from ...notation import PlainText
from ...schemas.config import ModelConfig
from .lexicon import word_list_hashes
from .model import ProposedFacts, extraction_request, prompt_hashes, proposals_of
from .proposal import Proposal
from .rules import propose_by_rules


class Extractor:
    """Proposes the visual facts of one trajectory at a time.

    Attributes:
        name: as annotations carry it.
        uses_rules, uses_model: who proposes.
        prompts: name of each prompt, and of each word list that decides what passes -> its sha256.
    """

    def __init__(self, model: ModelConfig) -> None:
        self.name = model.name
        self.uses_rules = model.name in ("rules", "embedded")
        self.uses_model = model.name != "rules"
        self.prompts = word_list_hashes() | (prompt_hashes() if self.uses_model else {})

    def request(self, text: PlainText, seed: int) -> ChatRequest:
        """What to ask the model about a trajectory in plain spelling."""
        return extraction_request(text, seed)

    def proposals(self, text: PlainText, answer: BaseModel | None) -> list[Proposal]:
        """What is proposed for a trajectory.

        Args:
            text: the trajectory in plain spelling.
            answer: the model's answer to `request`, or None when it gave none.
        """
        proposals = list(propose_by_rules(text)) if self.uses_rules else []
        if isinstance(answer, ProposedFacts):
            proposals += proposals_of(answer, self.name)
        return proposals
