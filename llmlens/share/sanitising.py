"""Strangers' HTML -> HTML that only shows: no script, no form, no request, nothing that reaches out of its place."""

from __future__ import annotations

import functools
import re
from typing import Any

_NAMES = (
    "a abbr b blockquote br caption code col colgroup dd del details dfn div dl dt em figcaption figure h1 h2 h3 h4 "
    "h5 h6 hr i img ins kbd li mark ol p pre q s samp small span strong sub summary sup table tbody td tfoot th thead "
    "tr u ul var wbr"
)
_TAGS = frozenset(_NAMES.split())
#: What is inside of these is no text.
_EMPTIED = frozenset(
    ("script", "style", "noscript", "template", "iframe", "object", "embed", "svg", "math", "head", "title", "textarea",
     "select")
)  # fmt: skip
_ATTRIBUTES = {
    "*": {"style", "title", "dir", "lang"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan", "align", "valign"},
    "th": {"colspan", "rowspan", "scope", "align", "valign"},
    "col": {"span"},
    "colgroup": {"span"},
    "details": {"open"},
    "ol": {"start"},
    "div": {"class"},
    "table": {"class"},
}
_PROPERTIES = (
    "align-items background background-color border border-bottom border-bottom-color border-bottom-style "
    "border-bottom-width border-collapse border-color border-left border-left-color border-left-style "
    "border-left-width border-radius border-right border-spacing border-style border-top border-width box-sizing "
    "color column-gap cursor display flex flex-direction flex-wrap font font-family font-size font-style "
    "font-variant-numeric font-weight gap grid-template-columns height justify-content line-height list-style "
    "margin margin-bottom margin-left margin-right margin-top max-height max-width min-width opacity overflow "
    "overflow-wrap overflow-x padding padding-bottom padding-left padding-right padding-top text-align "
    "text-decoration text-overflow vertical-align white-space width word-break"
)
_STYLES = frozenset(_PROPERTIES.split())
_PICTURES = ("data:image/png;", "data:image/jpeg;", "data:image/gif;", "data:image/webp;", "data:image/svg+xml;")
#: A picture from elsewhere, as the sanitiser leaves it.
_NO_PICTURE = re.compile(r"<img(?: (?!src=)[a-z]+=\"[^\"]*\")*>")
#: Classes mean something in the page that the HTML comes into; only these are its own.
_CLASSES = frozenset({"dataframe"})


def sanitised(html: str) -> str:
    """Keep of HTML what only shows: text, tables, lists, links to look at and embedded pictures, with inline styles."""
    return _NO_PICTURE.sub("", str(_cleaner().clean(html)))


@functools.cache
def _cleaner() -> Any:
    import nh3

    return nh3.Cleaner(
        tags=_TAGS,
        clean_content_tags=_EMPTIED - _TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        filter_style_properties=_STYLES,
        url_schemes={"http", "https", "mailto", "data"},
        url_relative="deny",
        link_rel="noopener noreferrer",
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "src":
        return value if tag == "img" and value.lower().startswith(_PICTURES) else None
    if name == "href":
        return None if value.strip().lower().startswith("data:") else value
    if name == "class":
        return " ".join(word for word in value.split() if word in _CLASSES) or None
    if name == "style":
        lowered = value.lower()
        return None if any(part in lowered for part in ("url(", "image(", "image-set(", "expression(", "\\")) else value
    return value
