"""Pseudonyms: the same value gets the same one, and nobody without the key can find out which value it was."""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

VARIABLE = "LLMLENS_REDACTION_KEY"
_FILE = "redaction.key"
_HEX_DIGITS = 8  # two of 10,000 values share one with a chance of 1 %
_SHORTEST = 8


def pseudonym(key: bytes, kind: str, value: bytes) -> str:
    """Give `<KIND:8 hex digits>`, the beginning of the HMAC-SHA-256 of the value (RFC 2104)."""
    digest = hmac.digest(key, kind.encode() + b"\0" + value, "sha256").hex()
    return f"<{kind}:{digest[:_HEX_DIGITS]}>"


def key_of(given: str | bytes | None) -> bytes:
    """Give the key: the one that is given, that of the environment, else this user's own, made at first use.

    A hash without a key would be none: addresses and numbers can be guessed, and each guess tried. The user's own key
    lies in a file that only they can read, so that the same notebook gives the same bytes again on this machine, and
    what was shared says nothing about it. Where no file can be written the key lives as long as the process.
    """
    chosen = given if given is not None else os.environ.get(VARIABLE)
    if chosen is None:
        return _own_key()
    key = chosen.encode() if isinstance(chosen, str) else bytes(chosen)
    if len(key) < _SHORTEST:
        from llmlens.errors import RedactionError

        raise RedactionError(f"The key of pseudonyms has {len(key)} bytes: it takes {_SHORTEST} or more to be secret.")
    return key


def _own_key() -> bytes:
    import platformdirs

    file = Path(platformdirs.user_config_dir("llmlens", appauthor=False)) / _FILE
    for _ in range(2):  # the second time another process was faster
        try:
            key = file.read_bytes()
            if len(key) >= _SHORTEST:
                return key
            break
        except FileNotFoundError:
            try:
                _write_new(file)
            except OSError:
                break
        except OSError:
            break
    return _OF_THIS_PROCESS


def _write_new(file: Path) -> None:
    """Write a new key, whole or not at all, unless there is one."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(secrets.token_bytes(32))
        try:
            os.link(partial, file)
        except FileExistsError:
            return
        except OSError:  # a file system without hard links
            partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


_OF_THIS_PROCESS = secrets.token_bytes(32)
