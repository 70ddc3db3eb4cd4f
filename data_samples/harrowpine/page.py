"""The web page of a product, as the shop's server sends it: mostly not about the product."""

from __future__ import annotations

from functools import cache
from random import Random
from string import Template

from .texts import Product, page_pieces, products


def facts(product: Product) -> dict[str, str]:
    """Give what is known about `product`, as the prompt gets it up to version 7."""
    return {
        "description": product.blurb,
        "material": product.facts["material"],
        "care": product.facts["wash"],
        "water": product.facts["water"],
        "fit": product.facts["fit"],
        "origin": product.facts["origin"],
        "weight": f"{product.weight} g",
        "sizes": product.sizes,
        "price": f"{product.price}.00",
    }


@cache
def render(product: Product) -> str:
    """Give the whole page of `product`: 12,000 to 40,000 tokens of HTML, always the same for the same product."""
    rng, pieces = Random(product.sku), page_pieces()
    recommended = rng.choices(products(), k=rng.randint(12, 40))
    reviews = [_review(rng) for _ in range(rng.randint(30, 170))]
    links = [(section, subsection) for section in pieces["sections"] for subsection in pieces["subsections"]]
    return _fill(
        "page",
        **_names(product),
        choices="".join(_fill("choice", purpose=purpose) for purpose in pieces["purposes"]),
        links="".join(_fill("link", section=section, subsection=subsection) for section, subsection in links),
        facts="".join(_fill("fact", key=key, value=value) for key, value in facts(product).items()),
        cards="".join(_fill("card", position=i, **_names(other)) for i, other in enumerate(recommended)),
        reviews="".join(reviews),
        topics="".join(_fill("topic", number=n) for n in range(1, 41)),
    )


def _review(rng: Random) -> str:
    pieces = page_pieces()
    text = " ".join(rng.sample(pieces["opinions"], rng.randint(1, 4)))
    author, month = rng.choice(pieces["authors"]), f"{rng.randint(1, 10):02d}"
    return _fill("review", stars=rng.randint(3, 5), text=text, author=author, month=month)


def _names(product: Product) -> dict[str, object]:
    return {"name": product.name, "sku": product.sku, "price": product.price, "blurb": product.blurb}


def _fill(piece: str, **values: object) -> str:
    return Template(page_pieces()[piece]).substitute(values)
