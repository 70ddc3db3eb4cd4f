"""Each pattern finds what its issuer makes, and leaves what only looks like it."""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING

import pytest

from bench.truth.redaction import DECOYS, FAMILIES, card, corpus, iban
from llmlens.redaction import Redactor
from llmlens.redaction.cards import CARDS
from llmlens.redaction.checksums import luhn, mod_97, verhoeff
from llmlens.redaction.national_ids import NUMBERS, WITH_LETTERS
from llmlens.redaction.phones import PHONES
from llmlens.redaction.secret_keys import SECRET_KEYS, TELEGRAM_TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.truth.redaction import Item

REDACTOR = Redactor(key="of the tests")
PSEUDONYM = re.compile(r"<([A-Z][A-Z0-9_]*):[0-9a-f]{8}>")
#: What announces the numbers that nothing else tells from others.
ANNOUNCED = {
    "CARD": "card: ",
    "PHONE": "phone: ",
    "UK_NHS": "NHS ",
    "ZA_ID": "ID: ",
    "NL_BSN": "BSN ",
    "AU_TFN": "TFN ",
}
EXAMPLES = [(p.kind, p.example) for p in (*SECRET_KEYS, TELEGRAM_TOKEN, *WITH_LETTERS)] + [
    (n.kind, ("" if n.context is None else ANNOUNCED.get(n.kind, "national id: ")) + n.example)
    for n in (*CARDS, *NUMBERS, *PHONES)
]


@pytest.mark.parametrize(("kind", "example"), EXAMPLES, ids=[f"{k}-{n}" for n, (k, _) in enumerate(EXAMPLES)])
@pytest.mark.parametrize("around", ["{}", "so {} it is", '{{"a": "{}"}}', "({}),"])
def test_every_pattern_finds_its_example(kind: str, example: str, around: str) -> None:
    assert kind in PSEUDONYM.findall(REDACTOR.text(around.format(example)))


@pytest.mark.parametrize("name", DECOYS)
def test_what_only_looks_like_it_stays(name: str) -> None:
    random = Random(3)  # noqa: S311  # chance, not secrets
    texts = [DECOYS[name](random) for _ in range(20)]
    assert REDACTOR.texts(texts) == texts


def test_the_labelled_corpus_meets_the_goals() -> None:
    items = corpus(Random(11))  # noqa: S311  # chance, not secrets
    redacted = [REDACTOR.text(item.text) for item in items]
    for family, goal in {
        "secrets": 0.99,
        "cards": 0.99,
        "iban": 0.99,
        "e-mail": 0.99,
        "phone": 0.95,
        "ids": 0.95,
    }.items():
        of = [(i, text) for i, text in zip(items, redacted, strict=True) if i.family == family]
        assert len(of) == FAMILIES[family][1]
        assert sum(i.truth[0] not in text for i, text in of) / len(of) >= goal, family
    taken = sum(len(PSEUDONYM.findall(text)) for text in redacted)
    right = sum(item.truth[0] not in text for item, text in zip(items, redacted, strict=True) if item.truth)
    assert right / taken >= 0.98


@pytest.mark.parametrize(("make", "kind"), [(card, "CARD"), (iban, "IBAN")])
def test_one_wrong_digit_makes_it_another_number(make: Callable[[Random], Item], kind: str) -> None:
    random = Random(5)  # noqa: S311  # chance, not secrets
    for _ in range(50):
        value = make(random).truth[0].upper()
        wrong = value[:-1] + ("0" if value[-1] != "0" else "1")
        assert kind in PSEUDONYM.findall(REDACTOR.text(f"number {value} "))
        assert kind not in PSEUDONYM.findall(REDACTOR.text(f"number {wrong} "))


def test_check_digits_are_those_of_the_standards() -> None:
    assert luhn(b"79927398713")  # ISO/IEC 7812-1, annex B
    assert not luhn(b"79927398710")
    assert verhoeff(b"2363")  # Verhoeff 1969
    assert not verhoeff(b"2364")
    assert mod_97(b"GB82WEST12345698765432")  # ISO 13616
    assert not mod_97(b"GB82WEST12345698765423")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('{"password": "hunter2"}', '{"password": "<PASSWORD>"}'),
        (r'{"a": "{\"password\": \"hunter2 x\", \"n\": 4111111111111111}"}',
         r'{"a": "{\"password\": \"<PASSWORD>\", \"n\": \"<CARD>\"}"}'),
        (r'{"password": "ab\"cd9"}', r'{"password": "<PASSWORD>"}'),
        (r'"line\nbob@example.com\n"', r'"line\n<EMAIL>\n"'),
        (r'"mail bob\u0040example.com"', '"mail <EMAIL>"'),
        ("q?to=bob%40example.com&x=1", "q?to=<EMAIL>&x=1"),
        ("postgresql://app:p@ss#w0rd@db:5432/x", "postgresql://app:<PASSWORD>@db:5432/x"),
        ("https://example.com:8080/a@b", "https://example.com:8080/a@b"),
        ("Server=x;Password=letmein;Encrypt=True", "Server=x;Password=<PASSWORD>;Encrypt=True"),
        ("Authorization: Bearer abcDEF123456", "Authorization: Bearer <SECRET>"),
        ("Mi contraseña: Sol2026x", "Mi contraseña: <PASSWORD>"),
        (r'"Mi contrase\u00f1a: Sol2026x"', r'"Mi contrase\u00f1a: <PASSWORD>"'),
        ("电话13800138000。", "电话<PHONE>。"),
        ("call (415) 555-2671 x22 today", "call <PHONE> today"),
        ("4111 1111 1111 1111 04/27", "<CARD> 04/27"),
        ("from 10.1.2.3 to ::1", "from <IP> to ::1"),
        ("at fe80::1ff:fe23:4567:890a.", "at <IP>."),
        ("12:34:56 and a::b", "12:34:56 and a::b"),
        ("git@github.com:acme/app.git", "git@github.com:acme/app.git"),
        ("logo@2x.png of react@18.2.0", "logo@2x.png of react@18.2.0"),
        ('{"session_id": "35cc6c90-b657-4819"}', '{"session_id": "35cc6c90-b657-4819"}'),
        ("password: must have a digit", "password: must have a digit"),
        ("api_key=os.getenv('KEY2')", "api_key=os.getenv('KEY2')"),
    ],
)  # fmt: skip
def test_what_is_taken_out_is_all_of_it_and_nothing_else(text: str, left: str) -> None:
    assert PSEUDONYM.sub(r"<\1>", REDACTOR.text(text)) == left
