"""`Redactor`: takes secrets, cards and people out of texts and JSON values, and counts what it took."""

from __future__ import annotations

import json
import re
import threading
from bisect import bisect_right
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from llmlens.arguments import explains_arguments
from llmlens.errors import RedactionError, unknown

from .finding import KINDS, apart, find
from .pattern import BEGUN, Found
from .pseudonyms import key_of, pseudonym
from .together import joined, portions, within
from .words import UserPattern, find_values, of_environment, of_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

_KEY = re.compile(rb"(?P<quote>\\*\"):\s{0,4}\Z")


class Redactor:
    """Takes out what must not leave: secrets, cards, accounts, ids, addresses and numbers of people.

    Each becomes `<KIND:3f2a90c1>`, a pseudonym: the same value is the same one everywhere, so that joins and counts of
    people survive, and nobody without the key can tell which value it was (see pseudonyms.py on the key; give `key`,
    or set `LLMLENS_REDACTION_KEY`, for the same pseudonyms on several machines).

    `patterns` are a user's own: a mapping of names (capital letters) to regular expressions; a group called `value`
    is what is taken out, else all of the match is. `words` are taken out wherever they stand as whole words, whatever
    their case. `keep` are kinds that stay, such as "IP", and values that stay, such as "support@example.com".
    `names=True` also takes out people and places, as spaCy's model `en_core_web_sm` sees them, or the model that is
    named; it needs `pip install 'llmlens[names]'` and that model.

    Values of environment variables that are secret by their name (KEY, TOKEN, SECRET, PASSWORD, CREDENTIAL) always go.
    Patterns find what has a form. They find no name of a person, no street, and no password that nothing announces.

    Usable from several threads. Raises `RedactionError` for a pattern that does not compile, and for a key too short.
    """

    @explains_arguments
    def __init__(
        self,
        patterns: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        words: Iterable[str] = (),
        key: str | bytes | None = None,
        keep: Iterable[str] = (),
        names: bool | str = False,
    ) -> None:
        """Compile what is given."""
        pairs = list(patterns.items() if hasattr(patterns, "items") else patterns)
        if not all(isinstance(pair, tuple) and len(pair) == 2 for pair in pairs):
            raise RedactionError(
                f"patterns= takes names and expressions, as {{'ORDER': r'ord-\\d+'}}; got {patterns!r}."
            )
        self._own = [*of_words(words), *(UserPattern(str(name), expression) for name, expression in pairs)]
        self._key = key_of(key)
        self._kept_kinds, self._kept_values = _kept([keep] if isinstance(keep, str) else keep, self._own)
        self._names = None
        if names:
            from .names import NameFinder

            self._names = NameFinder("en_core_web_sm" if names is True else names)
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._split = 0

    def __repr__(self) -> str:
        """Say how much was taken out."""
        return f"<Redactor: {sum(self._counts.values()):,} values taken out>"

    # ------------------------------------------------------------------ redacting

    def text(self, text: str, where: str = "") -> str:
        """Redact one text; `where` is what the summary says of it, such as the name of a column."""
        return str(self.texts([text], where)[0])

    def texts(self, texts: Sequence[str | None], where: str = "") -> list[Any]:
        """Redact many texts at once, which is faster; None stays None.

        A secret of which one text has the beginning and the next one the rest is taken out of both.
        """
        return self._texts(texts, where)

    def _texts(self, texts: Sequence[str | None], where: str, after: Sequence[str] = ()) -> list[Any]:
        """Redact texts, each as if what is in `after` stood before it."""
        secrets = of_environment()
        result = list(texts)
        counts: Counter[tuple[str, str]] = Counter()
        for first, last in portions(texts):
            for place, redacted in self._portion(texts[first:last], after[first:last], secrets, where, counts):
                result[first + place] = redacted
        with self._lock:
            self._counts.update(counts)
        return result

    def value(self, value: Any, where: str = "") -> Any:
        """Redact a JSON value: its texts, its keys, and numbers that are cards or the like; the shape stays.

        What a key such as "password" announces goes, whatever it looks like.
        """
        from .values import redact_value

        return redact_value(value, partial(self._texts, where=where))

    def html(self, html: str, where: str = "") -> str:
        """Redact HTML that is well-formed: texts, and the attributes that hold some; markup stays markup."""
        from .markup import redact_html

        return redact_html(html, partial(self._texts, where=where))

    # ------------------------------------------------------------------ what was done

    @property
    def summary(self) -> pd.DataFrame:
        """Give how much of what was taken out where: kind, where, count, most first."""
        import pandas as pd

        with self._lock:
            rows = sorted(((kind, where, n) for (where, kind), n in self._counts.items()), key=lambda r: (-r[2], r))
        return pd.DataFrame(rows, columns=["kind", "where", "count"]).astype({"count": "int64"})

    @property
    def notes(self) -> tuple[str, ...]:
        """Say the same in sentences: a line a place, and what is worth a look."""
        with self._lock:
            counts, split = dict(self._counts), self._split
        by_place: dict[str, list[str]] = {}
        for (where, kind), n in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
            by_place.setdefault(where, []).append(f"{n:,} {kind}")
        lines = [
            f"redacted{f' in {place}' if place else ''}: {', '.join(by_place[place])}" for place in sorted(by_place)
        ]
        if split:
            lines.append(
                f"{split:,} secrets went over two texts, as messages cut in the middle: both parts were taken out"
            )
        return tuple(lines)

    # ------------------------------------------------------------------ how

    def _portion(
        self,
        texts: Sequence[str | None],
        after: Sequence[str],
        secrets: Sequence[str],
        where: str,
        counts: Counter[tuple[str, str]],
    ) -> list[tuple[int, str]]:
        """Redact texts that are searched together; give those that changed, by place."""
        encoded = [b"" if text is None else text.encode("utf-8", "surrogatepass") for text in texts]
        data, starts = joined(encoded, after)
        found = [*find(data), *find_values(data, secrets, 0)]
        for place, text in enumerate(texts):
            if text and (self._own or self._names):
                for own in self._own:
                    found += own.find(text, starts[place], 0)
                if self._names:
                    found += self._names.find(text, starts[place], 20)
        begun = {bisect_right(starts, f.start) - 1 for f in found if f.kind == BEGUN}
        by_place: dict[int, list[Found]] = {}
        inside = (within(f, starts, encoded) for f in found if self._goes(f))
        for each in apart((f for f in inside if f.end > f.start), data):
            by_place.setdefault(bisect_right(starts, each.start) - 1, []).append(each)
        changed = []
        for place in sorted({*by_place, *begun}):
            text = str(texts[place])
            looks_json = text.lstrip()[:1] in ("{", "[")
            done = self._replaced(encoded[place], starts[place], by_place.get(place, []))
            if looks_json and (place in begun or (done != text and not _is_json(done))) and _is_json(text):
                again = _dumped(self.value(orjson.loads(text), where), text)  # counts what it takes out itself
                if again is not None:
                    if again != text:
                        changed.append((place, again))
                    continue
            for each in by_place.get(place, []):
                counts[where, each.kind] += 1
            if done != text:
                changed.append((place, done))
        with self._lock:
            self._split += sum(each.split for of in by_place.values() for each in of) // 2
        return changed

    def _goes(self, found: Found) -> bool:
        if found.kind == BEGUN or found.kind in self._kept_kinds:
            return False
        return not self._kept_values or _folded(found) not in self._kept_values

    def _replaced(self, encoded: bytes, offset: int, found: Sequence[Found]) -> str:
        parts, end = [], 0
        for each in found:
            start, last = each.start - offset, each.end - offset
            quote = _quote(encoded, start, last)
            parts += [encoded[end:start], quote, pseudonym(self._key, each.kind, each.value).encode(), quote]
            end = last
        return b"".join((*parts, encoded[end:])).decode("utf-8", "surrogatepass")


def _quote(encoded: bytes, start: int, end: int) -> bytes:
    """Give the quote that a number as the value of a JSON key needs when it becomes a text: the one of its key."""
    if not encoded[start:end].isdigit() or encoded[end : end + 1] not in (b",", b"}", b" ", b"\n", b"\\"):
        return b""
    key = _KEY.search(encoded, max(0, start - 16), start)
    return key["quote"] if key else b""


def _kept(keep: Iterable[str], own: Iterable[UserPattern]) -> tuple[frozenset[str], frozenset[str]]:
    """Tell kinds that stay from values that do: kinds are written in capital letters."""
    known = KINDS | {pattern.kind for pattern in own}
    kinds, values = set(), set()
    for each in map(str, keep):
        if each in known:
            kinds.add(each)
        elif each.replace("_", "").isalpha() and each.isupper():
            what = "kind to keep:"
            raise unknown(what, each, known)
        else:
            values |= {each.casefold(), *(_folded(found) for found in find(each.encode()))}
    return frozenset(kinds), frozenset(values)


def _folded(found: Found) -> str:
    return found.value.decode("utf-8", "replace").casefold()


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        return False
    return True


def _dumped(value: Any, like: str) -> str | None:
    """Write JSON as compact or as wide as the text it came from."""
    wide = ": " in like
    return json.dumps(value, ensure_ascii=like.isascii() and "\\u" in like, separators=None if wide else (",", ":"))
