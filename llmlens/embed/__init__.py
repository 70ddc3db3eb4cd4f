"""Texts -> vectors -> two dimensions."""

from .encoder import Encoder
from .lexical import LexicalEncoder
from .projection import Projection
from .warm_up import warm_up

__all__ = ["Encoder", "LexicalEncoder", "Projection", "warm_up"]
