"""Secrets that are known by what stands before them: `password=...`, `"api_key": "..."`, `Bearer ...`, `://user:...@`.

All expressions read small letters; what they find is taken from the text itself.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from .pattern import PAD, Found, as_written
from .reading import escaped_forms
from .scanning import Literals

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .scanning import Scan

#: How names of passwords begin, in several languages; and what comes last in names of other secrets.
_PASSWORDS = (
    "password", "passwort", "passwd", "passphrase", "passcode", "pwd", "kennwort", "contraseña", "contrasena", "clave",
    "senha", "wachtwoord", "mot de passe", "parola", "hasło", "пароль", "密码", "パスワード",
)  # fmt: skip
_SECRETS = (
    "secret",
    "token",
    "key",
    "credential",
    "credentials",
    "sessionid",
    "session_id",
    "sessid",
    "authorization",
    "csrf",
)
_IS_PASSWORD = frozenset(form for name in _PASSWORDS for form in escaped_forms(name))
_NAMES = Literals((*_IS_PASSWORD, *(name.encode() for name in _SECRETS)))
#: Of keys only those to something: that of a dictionary is no secret.
_KEY_TO = re.compile(
    rb"(?:api|access|private|account|auth|master|encryption|signing|subscription|secret|client|service|storage|license)"
    rb"[-_ ]?\Z"
)
#: What stands between a name and its value: the rest of the name, a quote, a sign or a word.
_SIGN = re.compile(
    r"(?:[-_][0-9a-z_-]{1,24})?\x01*[\"'`]?[\])]?\s{0,3}"
    r"(?P<sign>:=|=>|={1,2}|:|：| is | was | ist | es | est | é )(?:\x01*\s){0,3}"
    r"(?:(?:bearer|basic|token|apikey|bot)(?:\x01*\s)+)?".encode()
)
_GOES_ON = frozenset(bytes((byte,)) for byte in b"abcdefghijklmnopqrstuvwxyz0123456789")
_QUOTED = re.compile(
    rb"(?:[bfru]{0,2})(?P<escape>\x01*)(?P<quote>[\"'`\x03])(?P<value>[^\x00\n]{1,400}?)(?:(?P=escape)(?P=quote)|(?=\x00)|\Z)"
)
#: Brackets and commas are in a value when something else of it follows.
_BARE = re.compile(
    rb"(?:[^\s\"'`<>,;&{}\[\]()\x00\x02|]|[,;&{}\[\]()|](?![\s\"'`<>,;\x00\x01]|\Z|[A-Za-z_.-]{1,30} ?[=:(])){4,400}"
)
_SCHEME = re.compile(rb"(?:bearer|basic|token|apikey)\s+", re.IGNORECASE)
#: What stands for a value and is none.
_NO_VALUE = re.compile(
    rb"(?:\*+|x{3,}|\.{3,}|-+|_+|#+|<[^>]*>?|\$[a-z_]*|\$[{(].*|%[sdr]|%[({].*|\{[{%].*|\{[a-z_.]*\}?|\[[a-z_. -]*\]?|@[a-z_.]+"
    rb"|none|null|nil|true|false|undefined|str(?:ing)?|bytes|int|optional\b.*|required|redacted|hidden|secret|token|password"
    rb"|passwd|your[-_ ].*|my[-_ ]?(?:password|secret|token|api.?key)|example|placeholder"
    rb"|(?:os|process|env|settings|config|self|this|ctx|request|req|data|args|secrets|getpass|user|body)[.(\[].*"
    rb"|[a-z_][a-z_.]{2,}[(\[].*|https?:.*|file:.*|/[a-z].*)\Z",
    re.IGNORECASE | re.DOTALL,
)
_DIGIT, _LETTER = re.compile(rb"[0-9]"), re.compile(rb"[A-Za-z]")
_SYMBOL = re.compile(rb"[^0-9A-Za-z\s.,:;!?'\"()_/\x80-\xff-]|[!?](?=[^\s])")
_MIXED = re.compile(rb"[a-z][A-Z]|[A-Z][a-z]+[A-Z]")
_HEADERS = Literals((b"bearer", b"basic", b"cookie"))
_CREDENTIALS = re.compile(rb"(?:bearer|basic)(?:\x01*\s)+(?P<value>[0-9a-z._~+/-]{8,2000}=*)")
_USERINFO = re.compile(
    rb"://[^\s/?#:@\"'<>\x00\x01]{0,200}:(?![0-9]{1,5}[?#])(?P<value>[^\s/\"'<>\x00]{1,200})@(?=[0-9a-z\[_.-])"
)
_PARAMETERS = Literals(b"sig= signature= code= key= auth= session= jwt= ticket= hmac= otp=".split())
#: A name in a query, from its sign on.
_ASKED = re.compile(rb"[?&]\x01*[a-z_-]{0,20}\Z")
_PARAMETER = re.compile(rb"[^&#\s\"'<>\x00]{8,2000}")
_COOKIE = re.compile(
    rb"cookie\x01*[\"']?\s{0,2}:\s{0,2}\x01*[\"']?(?P<value>[0-9a-z_.-]{1,60}=[^\x00\n\"'\x01\\]{8,2000})"
)


def find_assigned(scan: Scan, rank: int) -> Iterator[Found]:
    """Find values of names that say that they are secret."""
    view, small = scan.view, scan.small
    for start, name in scan.literals(_NAMES, small=True):
        end = start + len(name)
        if small[end : end + 1] in _GOES_ON or (
            name == b"key" and not _KEY_TO.search(small, max(0, start - 16), start)
        ):
            continue
        sign = _SIGN.match(small, end)
        if sign is None:
            continue
        password = name in _IS_PASSWORD
        in_words = sign["sign"].startswith(b" ")
        span = _value(view, sign, password=password, loose=in_words or sign["sign"] in (b":", "：".encode()))
        if span is not None:
            yield Found(*span, "PASSWORD" if password else "SECRET", as_written(view[slice(*span)]), rank)


def _value(view: bytes, sign: re.Match[bytes], *, password: bool, loose: bool) -> tuple[int, int] | None:
    quoted = _QUOTED.match(view, sign.end())
    if quoted is not None:
        start, end = quoted.span("value")
        if not quoted["escape"] and view[end - 1 : end] in (PAD,):  # the quote in it was an escaped one
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
    if _NO_VALUE.match(plain) or not plain:
        return None
    if quoted is not None or not loose:
        fits = _is_password(plain, quoted is not None) if password else _is_key(plain)
    else:  # in prose a word may follow
        fits = _looks_made(plain) if password else _is_key(plain) and len(plain) >= 12
    return (start, end) if fits else None


def _is_password(value: bytes, quoted: bool) -> bool:
    """Take what is in quotes, but for sentences; what stands bare must look made."""
    if quoted:
        return (
            len(value) >= 4
            and value.count(b" ") <= 3
            and (b" " not in value or bool(_DIGIT.search(value) or _SYMBOL.search(value)))
        )
    return _looks_made(value) or (len(value) >= 6 and re.fullmatch(rb"[a-z]{6,}", value) is not None)


def _looks_made(value: bytes) -> bool:
    return len(value) >= 5 and bool(
        (_DIGIT.search(value) and _LETTER.search(value))
        or _SYMBOL.search(value)
        or (_MIXED.search(value) and len(value) >= 8)
    )


def _is_key(value: bytes) -> bool:
    return (
        len(value) >= 8
        and b" " not in value
        and bool(_DIGIT.search(value) and _LETTER.search(value))
        and not re.match(rb"[a-z_]+[:.][a-z_0-9:.]+\Z|[0-9]{4}-[0-9]{2}", value)
    )


def find_in_headers(scan: Scan, rank: int) -> Iterator[Found]:
    """Find what follows `Bearer` and `Basic`, cookies, passwords in addresses and secrets in queries."""
    view, small = scan.view, scan.small
    for start, name in scan.literals(_HEADERS, small=True):
        match = (_COOKIE if name == b"cookie" else _CREDENTIALS).match(small, start)
        if match is None:
            continue
        value = view[slice(*match.span("value"))]
        if name == b"cookie" or (_is_basic(value) if name == b"basic" else _is_bearer(value)):
            yield Found(*match.span("value"), "SECRET", value, rank)
    for match in _USERINFO.finditer(small):
        value = as_written(view[slice(*match.span("value"))])
        if not _NO_VALUE.match(value):
            yield Found(*match.span("value"), "PASSWORD", value, rank)
    for start, name in scan.literals(_PARAMETERS, small=True):
        asked = _ASKED.search(small, max(0, start - 24), start)
        match = _PARAMETER.match(view, start + len(name)) if asked else None
        if match is not None and _is_key(value := as_written(match[0])) and not _NO_VALUE.match(value):
            yield Found(match.start(), match.end(), "SECRET", value, rank)


def _is_bearer(value: bytes) -> bool:
    return bool(_DIGIT.search(value)) and bool(_LETTER.search(value))


def _is_basic(value: bytes) -> bool:
    try:
        return b":" in base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
