"""From an online client to the batch service of its provider."""

from __future__ import annotations

from ...schemas.config import Execution
from ...schemas.errors import UsageError
from ..chat import ChatClient
from ..models import key_of
from .service import BatchService


def open_batches(client: ChatClient, execution: Execution) -> BatchService:
    """The batch service of the client's provider; close it with `aclose()`, before the client.

    Raises:
        UsageError: the provider has none.
    """
    from ..anthropic_client import AnthropicClient
    from ..openai_client import OpenAIClient

    identity = client.identity
    key = key_of(identity) if identity.provider in ("openai", "anthropic") else None
    if key is not None and isinstance(client, OpenAIClient):
        from .openai_batches import OpenAIBatches

        return OpenAIBatches(client, key=key, timeout_s=execution.timeout_s)
    if key is not None and isinstance(client, AnthropicClient):
        from .anthropic_batches import AnthropicBatches

        return AnthropicBatches(client, key=key, timeout_s=execution.timeout_s)
    raise UsageError(
        f"--batch: {identity.provider} has no batch API that pr1 knows. Name a model as "
        "openai/MODEL or anthropic/MODEL, or leave --batch out."
    )
