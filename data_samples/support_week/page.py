"""The web page of a product, as the shop's server sends it: mostly not about the product."""

from __future__ import annotations

from functools import cache
from random import Random

from .texts import Product, products

SECTIONS = ("Women", "Men", "Kids", "Footwear", "Backpacks", "Tents", "Sleeping", "Cooking", "Lights", "Sale")
SUBSECTIONS = ("New in", "Bestsellers", "Rain", "Down", "Fleece", "Merino", "Trousers", "Outlet", "Gift ideas", "All")
REVIEWS = (
    "Wore it for a week in the hills and it did everything I wanted.", "Runs a little small, so I exchanged it for the next size.",
    "The colour is darker than in the pictures, but I like it.", "Third one I have bought, the first still works after eight years.",
    "Delivery was quick and the packaging was plain cardboard.", "Zips feel solid and can be used with gloves.",
    "A bit pricey, but you notice what you pay for.", "My partner borrowed it and I never got it back.",
    "After two washes it looks like new.", "The seams on the left side came loose; the shop replaced it at once.",
    "Comfortable from the first minute.", "Good value in the sale.", "Could have one more pocket.", "Lighter than I expected.",
    "Perfect for commuting by bicycle.", "Not for the very cold days, but great for three seasons.",
)  # fmt: skip
NAMES = ("Wanderer", "hillfan", "Pip", "mountain_mo", "Sasha", "lowlander", "R. from L.", "trailcat")


def _head(product: Product) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{product.name} | Harrow &amp; Pine</title>\n'
        '<script type="application/ld+json">{"@context":"https://schema.org","@type":"Product",'
        f'"name":"{product.name}","sku":"{product.sku}","offers":{{"@type":"Offer","price":"{product.price}.00"}}}}</script>\n'
        "<style>.mega-nav{display:flex}.mega-nav__item{padding:0 12px}.card{flex:1 0 220px}.review{border-top:1px solid #ddd}</style>\n</head>\n"
        '<body class="pdp pdp--default" data-experiment="pdp-layout-b">\n'
    )


def _cookie_banner() -> str:
    choices = "".join(
        f'<label class="consent__choice"><input type="checkbox" name="consent-{n}" data-purpose="{n}"> {n.title()} cookies help us and our '
        "partners to understand how our pages are used. You can change your mind at any time in the footer.</label>\n"
        for n in ("necessary", "functional", "analytics", "marketing", "social")
    )
    return f'<div id="consent" class="consent consent--open" role="dialog">\n<h2>We value your privacy</h2>\n{choices}</div>\n'


def _navigation() -> str:
    items = "".join(
        f'<li class="mega-nav__item"><a class="mega-nav__link" data-track="nav:{s.lower()}:{t.lower().replace(" ", "-")}" '
        f'href="https://harrowpine.example/{s.lower()}/{t.lower().replace(" ", "-")}/">{s}: {t}</a></li>\n'
        for s in SECTIONS
        for t in SUBSECTIONS
    )
    return f'<nav class="mega-nav" aria-label="Main">\n<ul class="mega-nav__list">\n{items}</ul>\n</nav>\n'


def _product(product: Product) -> str:
    rows = "".join(f"<tr><th>{key.title()}</th><td>{value}</td></tr>\n" for key, value in facts(product).items())
    return (
        f'<main id="product" data-sku="{product.sku}">\n<h1>{product.name}</h1>\n<p class="lead">{product.blurb}</p>\n'
        f'<table class="facts">\n{rows}</table>\n<button class="btn btn--primary" data-track="add-to-cart">Add to basket</button>\n</main>\n'
    )


def _cards(rng: Random, count: int) -> str:
    cards = []
    for position in range(count):
        p = rng.choice(products())
        cards.append(
            f'<div class="card card--recommended" data-track="reco:{position}"><a class="card__link" href="https://harrowpine.example/p/{p.sku}/">'
            f'<img class="card__image" loading="lazy" width="220" height="280" alt="{p.name}" '
            f'src="https://img.harrowpine.example/{p.sku}/220x280.webp"><span class="card__name">{p.name}</span>'
            f'<span class="card__price">{p.price}.00</span></a><button class="btn btn--ghost" aria-label="Add to wish list">&#9825;</button></div>\n'
        )
    return f'<section class="carousel" aria-label="You may also like">\n{"".join(cards)}</section>\n'


def _reviews(rng: Random, count: int) -> str:
    reviews = "".join(
        f'<article class="review" itemprop="review" itemscope itemtype="https://schema.org/Review"><div class="review__stars" '
        f'aria-label="{rng.randint(3, 5)} of 5 stars"><svg class="icon icon--star" viewBox="0 0 24 24"><path d="M12 2l3 7h7l-5.5 4 2 7-6.5-4.5'
        f'L5.5 20l2-7L2 9h7z"/></svg></div><p class="review__text">{" ".join(rng.sample(REVIEWS, rng.randint(1, 4)))}</p>'
        f'<footer class="review__meta"><span class="review__author">{rng.choice(NAMES)}</span><time>2026-{rng.randint(1, 10):02d}</time>'
        '<button class="btn btn--ghost" data-track="review:helpful">Helpful?</button></footer></article>\n'
        for _ in range(count)
    )
    return f'<section id="reviews" class="reviews">\n<h2>{count} reviews</h2>\n{reviews}</section>\n'


def _footer() -> str:
    links = "".join(f'<a class="footer__link" href="https://harrowpine.example/help/{n}/">Help topic {n}</a>\n' for n in range(1, 41))
    return f'<footer class="footer">\n{links}<p>&copy; 2026 Harrow &amp; Pine Outfitters. All prices include taxes.</p>\n</footer>\n</body>\n</html>\n'


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
    rng = Random(product.sku)
    cards = _cards(rng, rng.randint(12, 40))
    reviews = _reviews(rng, rng.randint(30, 170))
    return _head(product) + _cookie_banner() + _navigation() + _product(product) + cards + reviews + _footer()
