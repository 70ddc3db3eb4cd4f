"""Texts -> vectors -> two dimensions."""

from llmlens.callable_module import call_with

from .cache import Cache
from .embedding import Embedding, embed
from .encoder import Encoder
from .endpoint import EndpointEncoder
from .given import GivenVectors
from .lexical import LexicalEncoder
from .projection import Projection
from .run import embed_texts
from .sentence_transformer import SentenceTransformerEncoder
from .static_model import StaticModelEncoder
from .trust import Trust, trust
from .warm_up import warm_up

__all__ = [
    "Cache",
    "Embedding",
    "Encoder",
    "EndpointEncoder",
    "GivenVectors",
    "LexicalEncoder",
    "Projection",
    "SentenceTransformerEncoder",
    "StaticModelEncoder",
    "Trust",
    "embed",
    "embed_texts",
    "trust",
    "warm_up",
]

call_with(__name__, embed)
