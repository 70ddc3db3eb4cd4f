"""Prices of calls, from genai-prices, as SQL."""

from .as_sql import PriceTable, price_table, price_version
from .own import UserPrices

__all__ = ["PriceTable", "UserPrices", "price_table", "price_version"]
