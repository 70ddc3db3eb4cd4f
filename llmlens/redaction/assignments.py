"""Secrets that are known by the name they are given: `password=...`, `"api_key": "..."`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .pattern import PAD, Found, as_written
from .reading import escaped_forms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .scanning import Scan

#: How names of passwords begin, in several languages; and what comes last in names of other secrets.
_PASSWORDS = (
    "password", "passwort", "passwd", "passphrase", "passcode", "pwd", "kennwort", "contraseña", "contrasena", "clave",
    "senha", "wachtwoord", "mot de passe", "parola", "hasło", "пароль", "密码", "パスワード",
)  # fmt: skip
_SECRETS = "secret token key credential credentials authorization csrf"
_IS_PASSWORD = frozenset(form for name in _PASSWORDS for form in escaped_forms(name))
#: The names, in small letters.
NAMES: tuple[bytes, ...] = (*sorted(_IS_PASSWORD), *_SECRETS.encode().split())
#: Of keys only those to something: that of a dictionary is no secret.
_KEY_TO = re.compile(
    rb"(?:api|access|private|account|auth|master|encryption|signing|subscription|secret|client|service|storage|license)"
    rb"[-_ ]?\Z|[?&]\x01*\Z"
)
#: What stands between a name and its value: the rest of the name, a quote, a sign or a word.
_SIGN = re.compile(
    r"(?:[-_][0-9a-z_-]{1,24})?\x01*[\"'`]?[\])]?\s{0,3}"
    r"(?P<sign>:=|=>|={1,2}|:|：| is | was | ist | es | est | é )(?:\x01*\s){0,3}"
    r"(?:(?:bearer|basic|token|apikey|bot)(?:\x01*\s)+)?".encode()
)
_COLONS = (b":", "：".encode())
_GOES_ON = frozenset(bytes((byte,)) for byte in b"abcdefghijklmnopqrstuvwxyz0123456789")
_QUOTED = re.compile(
    rb"(?:[bfru]{0,2})(?P<escape>\x01*)(?P<quote>[\"'`\x03])(?P<value>[^\x00\n]{1,400}?)"
    rb"(?:(?P=escape)(?P=quote)|(?=\x00)|\Z)"
)
#: Brackets and commas are in a value when something else of it follows.
_BARE = re.compile(
    rb"(?:[^\s\"'`<>,;&{}\[\]()\x00\x02|]|[,;&{}\[\]()|](?![\s\"'`<>,;\x00\x01]|\Z|[A-Za-z_.-]{1,30} ?[=:(])){4,400}"
)
_SCHEME = re.compile(rb"(?:bearer|basic|token|apikey)\s+", re.IGNORECASE)
#: What stands for a value and is none.
NO_VALUE = re.compile(
    rb"(?:\*+|x{3,}|\.{3,}|-+|_+|#+|<[^>]*>?|\$[a-z_]*|\$[{(].*|%[sdr]|%[({].*|\{[{%].*|\{[a-z_.]*\}?"
    rb"|\[[a-z_. -]*\]?|@[a-z_.]+"
    rb"|none|null|nil|true|false|undefined|str(?:ing)?|bytes|int|optional\b.*|required|redacted|hidden|secret|token|password"
    rb"|passwd|your[-_ ].*|my[-_ ]?(?:password|secret|token|api.?key)|example|placeholder"
    rb"|(?:os|process|env|settings|config|self|this|ctx|request|req|data|args|secrets|getpass|user|body)[.(\[].*"
    rb"|[a-z_][a-z_.]{2,}[(\[].*|https?:.*|file:.*|/[a-z].*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_DIGIT, _LETTER = re.compile(rb"[0-9]"), re.compile(rb"[A-Za-z]")
_SYMBOL = re.compile(rb"[^0-9A-Za-z\s.,:;!?'\"()_/\x80-\xff-]|[!?](?=[^\s])")
_ONE_WORD = re.compile(rb"[a-z]{6,}")
_NO_KEY = re.compile(rb"[a-z_]+[:.][a-z_0-9:.]+\Z|[0-9]{4}-[0-9]{2}")
_MIXED = re.compile(rb"[a-z][A-Z]|[A-Z][a-z]+[A-Z]")


def read_assigned(scan: Scan, start: int, name: bytes, rank: int) -> Iterator[Found]:
    """Give the value of a name that says that it is secret."""
    view, small, end = scan.view, scan.small, start + len(name)
    if small[end : end + 1] in _GOES_ON or (name == b"key" and not _KEY_TO.search(small, max(0, start - 16), start)):
        return
    sign = _SIGN.match(small, end)
    if sign is None:
        return
    password = name in _IS_PASSWORD
    loose = sign["sign"].startswith(b" ") or sign["sign"] in _COLONS
    span = _value(view, sign, password=password, loose=loose)
    if span is not None:
        yield Found(*span, "PASSWORD" if password else "SECRET", as_written(view[slice(*span)]), rank)


def _value(view: bytes, sign: re.Match[bytes], *, password: bool, loose: bool) -> tuple[int, int] | None:
    quoted = _QUOTED.match(view, sign.end())
    if quoted is not None:
        start, end = quoted.span("value")
        if not quoted["escape"] and view[end - 1 : end] == PAD:  # the quote in it was an escaped one
            close = re.compile(rb"(?<!\x01)" + re.escape(quoted["quote"])).search(view, end, start + 400)
            end = close.start() if close else end
        value = view[start:end]
    else:
        bare = _BARE.match(view, sign.end())
        if bare is None:
            return None
        start, end = bare.span()
        end = start + len(bare[0].rstrip(b".:?\x01" if loose else b"\\\x01"))
        value = view[start:end]
    scheme = _SCHEME.match(value)
    if scheme is not None:
        start, value = start + scheme.end(), value[scheme.end() :]
    plain = as_written(value)
    if NO_VALUE.match(plain) or not plain:
        return None
    if quoted is not None or not loose:
        fits = _is_password(plain, quoted is not None) if password else is_key(plain)
    else:  # in prose a word may follow
        fits = _looks_made(plain) if password else is_key(plain) and len(plain) >= 12
    return (start, end) if fits else None


def _is_password(value: bytes, quoted: bool) -> bool:
    """Take what is in quotes, but for sentences; what stands bare must look made, or be one word in small letters."""
    if not quoted:
        return _looks_made(value) or _ONE_WORD.fullmatch(value) is not None
    few_words = value.count(b" ") <= 3 and bool(_DIGIT.search(value) or _SYMBOL.search(value))
    return len(value) >= 4 and (b" " not in value or few_words)


def _looks_made(value: bytes) -> bool:
    return len(value) >= 5 and bool(
        (_DIGIT.search(value) and _LETTER.search(value))
        or _SYMBOL.search(value)
        or (_MIXED.search(value) and len(value) >= 8)
    )


def is_key(value: bytes) -> bool:
    """Tell a key from words: it has letters and digits and no space, and is no date and no path with points."""
    if len(value) < 8 or b" " in value or _NO_KEY.match(value):
        return False
    return bool(_DIGIT.search(value) and _LETTER.search(value))
