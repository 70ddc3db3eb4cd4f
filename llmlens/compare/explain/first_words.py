"""The first words of what was asked: of a trace, and of each prompt within it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from llmlens.selection import Selection

#: First words are looked for in so many characters; a text within JSON begins after its key.
_BEGINNING = 400
_IN_JSON = r'"(?:content|text)"\s*:\s*"((?:[^"\\]|\\.)*)'
_WORDS = r"^\s*(\S+(?:\s+\S+){0,2})"


def first_words(traces: Selection) -> ir.Table:
    """Give `trace_id, words`, once each, and whether they are a root's (`of_root`) and a prompt's (`of_prompt`)."""
    return traces.made_once("first_words", lambda: _read(traces))


def _read(traces: Selection) -> ir.Table:
    spans, contents = traces.table("spans"), traces.table("contents")
    of_root, of_prompt = (spans.depth == 0).fill_null(False), (spans.kind == "llm").fill_null(False)
    asked = spans.filter(of_root | of_prompt).select("trace_id", "span_id", of_root=of_root, of_prompt=of_prompt)
    texts = contents.inner_join(asked, ["trace_id", "span_id"])
    texts = texts.select("trace_id", "of_root", "of_prompt", "input")
    texts = texts.select("trace_id", "of_root", "of_prompt", text=texts.input.left(_BEGINNING))
    different = texts.select("text").distinct()  # texts often begin alike, and patterns are slow
    text = ibis.ifelse(different.text.re_search(r"^\s*[\[{]"), _inner(different.text), different.text)
    words = different.mutate(words=text.re_extract(_WORDS, 1).nullif(""))
    return texts.inner_join(words, "text").select("trace_id", "of_root", "of_prompt", "words").distinct()


def _inner(text: ir.StringValue) -> ir.StringValue:
    """Give the first text within JSON, on one line."""
    return text.re_extract(_IN_JSON, 1).replace("\\n", " ").nullif("")
