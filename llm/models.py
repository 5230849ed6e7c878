"""From a model's name on the command line to the client that talks to it."""

from __future__ import annotations

import logging
import os
from typing import NamedTuple
from urllib.parse import urlsplit

from pydantic import SecretStr

from ..schemas.config import Execution, ModelConfig
from ..schemas.errors import UsageError
from .chat import ChatClient, ModelIdentity
from .http import LOOPBACK_HOSTS

log = logging.getLogger(__name__)


class _Provider(NamedTuple):
    """What the name of a provider stands for."""

    key_variable: str
    needs_key: bool
    default_url: str


_PROVIDERS = {
    "openai": _Provider("OPENAI_API_KEY", True, "https://api.openai.com/v1"),
    "anthropic": _Provider("ANTHROPIC_API_KEY", True, "https://api.anthropic.com"),
    "vllm": _Provider("VLLM_API_KEY", False, ""),
}


def model_identity(model: ModelConfig) -> ModelIdentity:
    """Who would answer, and at which address; needs no key and sends nothing.

    Raises:
        UsageError: the name or the base URL cannot be used.
    """
    if model.name == "embedded":
        from .model_file import EMBEDDED_MODEL

        return ModelIdentity("embedded", "", EMBEDDED_MODEL.name, EMBEDDED_MODEL.sha256[:12])
    if model.provider == "local" and model.model:
        from .local_folder import folder_identity

        return folder_identity(model.model)
    provider = _PROVIDERS.get(model.provider)
    if provider is None or not model.model:
        raise UsageError(
            f"model {model.name!r} is no chat model that pr1 knows. Name one as openai/MODEL, "
            "anthropic/MODEL, vllm/MODEL (any OpenAI-compatible server), local/PATH (a folder of "
            "transformers) or embedded."
        )
    endpoint = _checked_url(model.base_url or provider.default_url, model.name)
    return ModelIdentity(model.provider, endpoint, model.model, model.revision or "")


def open_client(model: ModelConfig, execution: Execution) -> ChatClient:
    """A client for the model; close it with `aclose()`.

    Raises:
        UsageError: the name, the base URL or the key's environment variable cannot be used.
        MissingExtra: the package of the embedded or the local model is not installed.
    """
    identity = model_identity(model)
    if identity.provider == "embedded":
        from .embedded import open_embedded

        return open_embedded()
    if identity.provider == "local":
        from .local import open_local

        return open_local(model.model)
    key = key_of(identity)
    _warn_of_open_key(identity, key)
    if identity.provider == "anthropic":
        from .anthropic_client import AnthropicClient

        return AnthropicClient(identity, key=key, timeout_s=execution.timeout_s)
    from .openai_client import OpenAIClient

    return OpenAIClient(identity, key=key, timeout_s=execution.timeout_s)


def check_can_see(model: ModelConfig) -> None:
    """Returns when the model may be able to see pictures.

    Raises:
        UsageError: it is one that cannot. Remedy: name a multimodal one.
    """
    if model.name in ("embedded", "rules"):
        raise UsageError(
            f"model {model.name!r} cannot see pictures. Name a multimodal one as openai/MODEL, "
            "anthropic/MODEL, local/PATH, or vllm/MODEL with --base-url."
        )


def _checked_url(url: str, name: str) -> str:
    """The base URL without a slash at its end; refused when it holds more than an address."""
    if not url:
        message = f"model {name} needs --base-url, e.g. --base-url http://localhost:8000/v1"
        raise UsageError(message)
    try:
        address = urlsplit(url)
        is_address = address.scheme in ("http", "https") and bool(address.hostname)
        has_more = "@" in address.netloc or bool(address.query or address.fragment)
        _ = address.port
    except ValueError:
        is_address, has_more = False, False
    if has_more:  # not shown: what is in it may be a secret
        raise UsageError(
            "--base-url holds a user, a password or a query. Give the address alone; the key "
            "belongs in the environment."
        )
    if not is_address:
        message = f"--base-url {url!r} is no http(s) address, e.g. http://localhost:8000/v1"
        raise UsageError(message)
    return url.rstrip("/")


def key_of(identity: ModelIdentity) -> SecretStr | None:
    """The key in the provider's environment variable; None where there is none and none is needed.

    Raises:
        UsageError: it is needed and missing, or it holds what no key does.
    """
    provider = _PROVIDERS[identity.provider]
    key = os.environ.get(provider.key_variable, "").strip()
    if not key and provider.needs_key:
        raise UsageError(
            f"{identity.provider}/{identity.model} needs a key in the environment variable "
            f"{provider.key_variable}. Set it, or use a model that needs none: embedded."
        )
    if not (key.isascii() and key.isprintable()):
        raise UsageError(f"{provider.key_variable} holds characters that no key has. Set it again.")
    return SecretStr(key) if key else None


def _warn_of_open_key(identity: ModelIdentity, key: SecretStr | None) -> None:
    address = urlsplit(identity.endpoint)
    if key is not None and address.scheme == "http" and address.hostname not in LOOPBACK_HOSTS:
        log.warning("the key travels unencrypted to %s: prefer https", address.hostname)
