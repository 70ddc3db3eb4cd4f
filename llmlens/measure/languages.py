"""Which language a text is in, by its most frequent small words: enough to see that an answer is in another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Small words that are frequent in one of these languages and rare in the others.
SMALL_WORDS: dict[str, str] = {
    "en": "the and is you your for with that this are have can what how of to it we be will our has not they at from",
    "de": "der die das und ist ich nicht sie ein eine mit für auf zu den von wir haben kann wie sich dem auch oder",
    "fr": "le les est et vous pour dans une des du que nous avec sur votre pas je qui ce au sont avez être cette aux",
    "es": "el los las y es para con una por su usted puede del más pero como está son tiene nuestro muy hay este lo",
    "it": "il gli è di per con una che della sono può nel non più anche del questo ha come dei le si vostro suo alla",
    "nl": "het een en van is voor met niet dat op zijn je wij kunt ook naar aan uw deze wordt bij heeft worden er",
    "pt": "o os é e para com uma não você em do da dos que seu sua mais pode está são ao pelo nossa foi também",
    "pl": "jest nie na się że do to z w dla jak czy są może po przez oraz od być już tylko ten można pani",
}
#: A text says its language with this many small words, and this many times more than of the next language.
_LEAST, _AHEAD = 3, 1.5
#: Who asks for a language gets that one.
ASKED = (
    r"(?i)translat|übersetz|tradu[ciz]|vertaal|przetłumacz|auf (deutsch|englisch)"
    r"|in (english|german|french|spanish|italian|dutch|polish|portuguese)\b"
)
_BEGINNING = 600


def with_language(table: ir.Table, text: str, name: str) -> ir.Table:
    """Add the column `name`: the language of a text column, by its beginning; NA where that does not say one."""
    import ibis

    words = table[text].substr(0, _BEGINNING).lower().re_split(r"[^\p{L}]+")
    split = table.mutate(_words=words)
    counts = {f"_in_{language}": _among(split["_words"], said.split()) for language, said in SMALL_WORDS.items()}
    counted = split.mutate(**counts)
    said = [counted[column] for column in counts]
    counted = counted.mutate(_most=ibis.greatest(*said).fill_null(0))
    most = counted["_most"]
    near = sum(((counted[column] * _AHEAD > most).cast("int64") for column in counts), ibis.literal(0))
    sure = (most >= _LEAST) & (near == 1)
    language = ibis.cases(*((sure & (counted[f"_in_{key}"] == most), key) for key in SMALL_WORDS))
    return counted.select(*table.columns, **{name: language})


def _among(words: ir.ArrayValue, known: list[str]) -> ir.IntegerValue:
    return words.filter(lambda word: word.isin(known)).length()
