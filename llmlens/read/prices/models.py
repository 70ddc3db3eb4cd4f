"""Names of providers and models as they occur in traces -> the names of genai-prices."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genai_prices.types import ModelInfo, Provider

#: Pattern of a provider as conventions and SDKs spell it -> provider id of genai-prices. The first that matches wins,
#: so a platform comes before the vendors it resells (`azure.ai.openai`, `google_anthropic_vertex`).
PROVIDERS: tuple[tuple[str, str], ...] = (
    (r"azure|^az\b", "azure"),
    (r"bedrock|amazon|^aws\b", "aws"),
    (r"^gcp\b|google|vertex|gemini", "google"),
    (r"^open.?router", "openrouter"),
    (r"^(git.?hub.)?copilot", "github-copilot"),
    (r"^hugging.?face", "huggingface"),
    (r"^x.?ai\b", "x-ai"),
    (r"^mistral", "mistral"),
    (r"^together", "together"),
    (r"^fireworks", "fireworks"),
    (r"^deepseek", "deepseek"),
    (r"^groq", "groq"),
    (r"^perplexity", "perplexity"),
    (r"^cohere", "cohere"),
    (r"^moonshot", "moonshotai"),
    (r"^cerebras", "cerebras"),
    (r"^voyage", "voyageai"),
    (r"^anthropic", "anthropic"),
    (r"^openai", "openai"),
)

#: Providers that run models on the user's own machines: what a vendor asks for the same model says nothing about them.
SELF_HOSTED = re.compile(
    r"^(hosted.)?(ollama|vllm|lm.?studio|llama.?cpp|llamafile|sglang|tgi|transformers|mlx|xinference)"
)

#: Pattern of a model name -> its vendor, where genai-prices does not know the vendor by the name alone.
VENDORS: tuple[tuple[str, str], ...] = (
    (r"^(text-embedding-(3|ada)|ft:(gpt|davinci|babbage)|chatgpt-|codex-|davinci-|babbage-|omni-moderation)", "openai"),
    (r"^(text-embedding-0|text-multilingual-embedding-|gemma-)", "google"),
    (r"^(embed-|rerank-|c4ai-)", "cohere"),
    (r"^((us|eu|jp|au|ca|apac|global|us-gov)\.)?(anthropic|amazon|meta|mistral|cohere|ai21|deepseek)\.", "aws"),
)

#: Also the names of client libraries that people point at other services: here the model name says more.
CLIENTS = frozenset({"openai", "anthropic"})


@dataclass(frozen=True, slots=True)
class PricedModel:
    """A model of the price table; `inferred` when its name, not the span's provider, told whose it is."""

    provider: Provider
    model: ModelInfo
    inferred: bool

    @property
    def own(self) -> bool:
        """Whether the provider lists the model itself, instead of falling back to the list of its vendor."""
        return any(self.model is model for model in self.provider.models)


def provider_id(name: str | None) -> str | None:
    """Give genai-prices' id of a provider, or None when it has none.

    >>> provider_id("azure.ai.openai"), provider_id("gcp.vertex_ai"), provider_id("x_ai"), provider_id("acme")
    ('azure', 'google', 'x-ai', None)
    """
    from genai_prices.data_snapshot import find_provider_by_id, get_snapshot

    spelled = (name or "").strip().lower()
    if not spelled or SELF_HOSTED.match(spelled):
        return None
    providers = get_snapshot().providers
    ids = {provider.id for provider in providers}
    for known in (spelled, spelled.replace("_", "-"), spelled.split(".")[0]):
        if known in ids:
            return known
    for pattern, known in PROVIDERS:
        if known in ids and re.search(pattern, spelled.replace("_", "-")):
            return known
    found = find_provider_by_id(providers, spelled)
    return found.id if found else None


def spellings(name: str) -> list[str]:
    """Give a model name as it came, then without the path, the region or the tag around it.

    >>> spellings("projects/p/locations/eu/publishers/google/models/gemini-2.0-flash")[-1]
    'gemini-2.0-flash'
    >>> spellings("us.anthropic.claude-sonnet-4-20250514-v1:0")
    ['us.anthropic.claude-sonnet-4-20250514-v1:0', 'anthropic.claude-sonnet-4-20250514-v1:0']
    """
    name = name.strip().lower()
    found = [name]
    for pattern in (
        r"^.*\bmodels/([^/]+)$",  # projects/p/locations/l/publishers/google/models/m, accounts/fireworks/models/m
        r"^arn:.*/([^/]+)$",
        r"^(?:(?:us|eu|jp|au|ca|apac|global|us-gov)\.)([a-z0-9]+\..+)$",
    ):
        match = re.match(pattern, name)
        if match and match[1] not in found:
            found.append(match[1])
    return found


def find_model(provider: str | None, name: str) -> PricedModel | None:
    """Find the model that a span's `provider` and `model` mean; None when the price table does not have it."""
    from genai_prices.data_snapshot import get_snapshot

    snapshot = get_snapshot()
    for id_, spelling, inferred in _candidates(provider, name):
        try:
            found, model = snapshot.find_provider_model(spelling, None, id_, None)
        except LookupError:
            continue
        return PricedModel(found, model, inferred)
    return None


def _candidates(provider: str | None, name: str) -> Iterator[tuple[str | None, str, bool]]:
    """Yield (provider id, model name, whether inferred), the surest first."""
    if SELF_HOSTED.match((provider or "").strip().lower()) or SELF_HOSTED.match(name.strip().lower()):
        return
    own = provider_id(provider)
    names = spellings(name)
    prefix, slash, rest = names[0].partition("/")
    prefix_id = provider_id(prefix) if slash else None
    inner = spellings(rest) if prefix_id else []
    if own:
        yield own, names[0], False
    if prefix_id and (own is None or own in CLIENTS):
        yield from ((prefix_id, spelling, prefix_id != own) for spelling in inner)
    if own:
        yield from ((own, spelling, False) for spelling in names[1:] + inner)
    if not prefix_id and (own is None or own in CLIENTS):
        for spelling in names:
            yield None, spelling, True
            yield from ((vendor, spelling, True) for pattern, vendor in VENDORS if re.match(pattern, spelling))
