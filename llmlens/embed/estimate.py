"""What embedding texts would cost, before it is spent."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Characters a token has, about, in English; in Chinese or Japanese it is nearer to 1.
_CHARACTERS = 4


class Estimate(NamedTuple):
    """What a model would be asked for: texts, tokens (about), and USD at its list price; None where it is unknown."""

    model: str
    texts: int
    tokens: int
    usd: float | None

    def __str__(self) -> str:
        """Say it in a line."""
        price = "at a price that is not known" if self.usd is None else f"about {self.usd:.2g} USD"
        tokens = f"about {self.tokens:,} tokens (estimated: characters / 4)"
        return f"{self.model}: {self.texts:,} texts, {tokens}, {price}"


def estimate(model: str, provider: str | None, lengths: Sequence[int]) -> Estimate:
    """Estimate the cost of texts with so many characters, by llmlens' own table of prices."""
    tokens = sum(-(-length // _CHARACTERS) for length in lengths)
    return Estimate(model, len(lengths), tokens, _usd(model, provider, tokens))


def _usd(model: str, provider: str | None, tokens: int) -> float | None:
    import duckdb

    from llmlens.read.prices import price_table

    with duckdb.connect() as connection:
        connection.execute(
            """CREATE TABLE calls AS SELECT 'embedding' AS kind, ?::VARCHAR AS provider, ?::VARCHAR AS model,
            NULL::VARCHAR AS request_model, now() AS start, ?::BIGINT AS input_tokens, NULL::BIGINT AS output_tokens,
            NULL::BIGINT AS cache_read_tokens, NULL::BIGINT AS cache_write_tokens, NULL::BIGINT AS reasoning_tokens,
            NULL::DOUBLE AS cost_usd""",
            (provider, model, tokens),
        )
        prices = price_table(connection, "calls")
        found = connection.execute(f"SELECT {prices.cost_sql()} FROM calls s {prices.join_sql()}").fetchone()
    return None if found is None or found[0] is None else float(found[0])
