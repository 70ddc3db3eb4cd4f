"""Prices of calls, from genai-prices, as SQL."""

from .own import UserPrices
from .price_table import PriceTable, price_table, price_version

__all__ = ["PriceTable", "UserPrices", "price_table", "price_version"]
