"""A redactor: pseudonyms, keys, a user's own patterns, JSON, HTML, secrets that are cut in two."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from concurrent.futures import ThreadPoolExecutor
from random import Random
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import llmlens as ll
from bench.truth.redaction import corpus
from llmlens.redaction import Redactor, pseudonyms

if TYPE_CHECKING:
    from pathlib import Path

KEY = "of the tests"
REDACTOR = Redactor(key=KEY)
ITEMS = corpus(Random(2))  # noqa: S311  # chance, not secrets
PSEUDONYM = re.compile(r"<([A-Z][A-Z0-9_]*):[0-9a-f]{8}>")

texts_with_secrets = st.lists(st.sampled_from([item.text for item in ITEMS]) | st.text(max_size=30), max_size=5)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
    | st.sampled_from([item.text for item in ITEMS]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


# ---------------------------------------------------------------------- what always holds


@given(texts_with_secrets)
def test_redacting_again_changes_nothing(texts: list[str]) -> None:
    once = REDACTOR.text(" | ".join(texts))
    assert REDACTOR.text(once) == once


@given(st.lists(st.sampled_from(ITEMS), min_size=1, max_size=6))
def test_many_texts_give_what_each_gives_alone(items: list[Any]) -> None:
    texts = [f". {item.text} ." for item in items]
    assert REDACTOR.texts(texts) == [REDACTOR.text(text) for text in texts]


@given(st.text(alphabet="abcdefghij \n\\\"{}[]:,'äß漢", max_size=80))
def test_text_without_anything_to_hide_is_unchanged(text: str) -> None:
    assert REDACTOR.text(text) == text


@given(st.text(max_size=60))
def test_any_text_can_be_redacted(text: str) -> None:
    assert isinstance(REDACTOR.text(text + "\ud800" + text), str)


@given(json_values)
def test_a_json_value_keeps_its_shape(value: Any) -> None:
    redacted = REDACTOR.value(value)
    assert _shape(redacted) == _shape(value)
    assert REDACTOR.value(redacted) == redacted


@given(json_values)
def test_json_stays_json(value: Any) -> None:
    text = json.dumps(value)
    assert _shape(json.loads(REDACTOR.text(text))) == _shape(value)


def _shape(value: Any) -> Any:
    """Give what a value is made of; a number may have become a text."""
    if isinstance(value, dict):
        return [_shape(each) for each in value.values()]
    if isinstance(value, list):
        return [_shape(each) for each in value]
    return None if value is None or isinstance(value, (bool, float)) else "text or integer"


@pytest.mark.parametrize(
    "piece", ["sk-", "-eyJ", "-----BEGIN PRIVATE KEY-----", "password=", "://a:", "1-", "a@a.", ":1", "{"]
)
def test_texts_made_to_take_long_are_read_in_one_pass(piece: str) -> None:
    assert REDACTOR.text(piece * 20_000)  # what looks back at each piece would still run tomorrow


# ---------------------------------------------------------------------- pseudonyms


def test_the_same_person_is_the_same_person() -> None:
    one, other = REDACTOR.texts(["Bob@Example.com wrote", r'"\nbob@example.com"'])
    assert PSEUDONYM.search(one)[0] == PSEUDONYM.search(other)[0]  # type: ignore[index]
    assert REDACTOR.text("4111 1111 1111 1111") == REDACTOR.text("4111111111111111")
    assert REDACTOR.text("alice@example.com") != REDACTOR.text("bob@example.com")


def test_another_key_gives_other_pseudonyms() -> None:
    assert Redactor(key="another key").text("bob@example.com") != REDACTOR.text("bob@example.com")
    assert Redactor(key=KEY).text("bob@example.com") == REDACTOR.text("bob@example.com")


def test_the_key_of_the_environment_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMLENS_REDACTION_KEY", KEY)
    assert Redactor().text("bob@example.com") == REDACTOR.text("bob@example.com")


def test_a_user_has_one_key_that_only_they_can_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LLMLENS_REDACTION_KEY", raising=False)
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "config"))
    first, second = Redactor().text("bob@example.com"), Redactor().text("bob@example.com")
    assert first == second
    (file,) = (tmp_path / "config").iterdir()
    assert len(file.read_bytes()) == 32
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_where_no_file_can_be_written_the_key_is_of_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LLMLENS_REDACTION_KEY", raising=False)
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path / "file"))
    assert Redactor().text("bob@example.com") == Redactor().text("bob@example.com")


def test_two_processes_at_once_get_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LLMLENS_REDACTION_KEY", raising=False)
    monkeypatch.setattr("platformdirs.user_config_dir", lambda *_, **__: str(tmp_path))
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: pseudonyms.key_of(None), range(16)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["redaction.key"]


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ll.RedactionError, match="3 bytes: it takes 8"):
        Redactor(key="abc")


# ---------------------------------------------------------------------- what a user says


def test_own_patterns_and_words_are_taken_out() -> None:
    redactor = Redactor({"CUSTOMER": r"cust-\d+", "ROOM": r"room (?P<value>\d+)"}, words=["Acme", "Müller"], key=KEY)
    redacted = redactor.text("MÜLLER of acme (cust-17) in room 12, Acmetown")
    assert PSEUDONYM.sub(r"<\1>", redacted) == "<WORD> of <WORD> (<CUSTOMER>) in room <ROOM>, Acmetown"


def test_a_word_within_a_secret_does_not_break_it() -> None:
    key = "sk-proj-" + "acme" + "a1B2c3D4" * 6
    assert PSEUDONYM.sub("", Redactor(words=["a1"], patterns={"ACME": "acme"}, key=KEY).text(f"x {key} y")) == "x  y"


def test_a_pattern_that_does_not_compile_is_named_with_its_place() -> None:
    with pytest.raises(
        ll.RedactionError, match=r"The pattern ORDER does not compile at character 5: .*'ord-\(\[0-9\]'"
    ):
        Redactor({"ORDER": "ord-([0-9]"})


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"patterns": {"ORDER": "a*"}}, "fits the empty text"),
        ({"patterns": {"order": "a"}}, "needs another name"),
        ({"patterns": ["ORDER"]}, "takes names and expressions"),
        ({"words": ["x"]}, "two characters or more"),
        ({"words": [None]}, "two characters or more"),
    ],
)
def test_what_cannot_be_used_is_said(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises(ll.RedactionError, match=told):
        Redactor(**arguments)


def test_kinds_and_values_can_stay() -> None:
    redactor = Redactor(keep=["IP", "Support@example.com", "+49 30 901820"], key=KEY)
    text = "support@example.com (+49-30-901820) from 10.1.2.3 to bob@example.com"
    assert PSEUDONYM.sub(r"<\1>", redactor.text(text)) == text.replace("bob@example.com", "<EMAIL>")


def test_a_kind_that_is_none_is_explained() -> None:
    with pytest.raises(ll.UnknownNameError, match="Did you mean 'EMAIL'"):
        Redactor(keep=["EMIAL"])
    with pytest.raises(ll.UnknownArgumentError, match="Did you mean 'words'"):
        Redactor(word=["x"])  # type: ignore[call-arg]


def test_secrets_of_the_environment_always_go(monkeypatch: pytest.MonkeyPatch) -> None:
    value = 'nothing "like" a key'
    monkeypatch.setenv("ACME_API_TOKEN", value)
    monkeypatch.setenv("ACME_TOKEN_SHORT", "short")
    texts = [f"a {value} b", json.dumps({"x": f"a {value}"}), "bm90aGluZyAibGlrZSIgYSBrZXk=", "short"]
    redacted = Redactor(key=KEY).texts(texts)
    assert [PSEUDONYM.sub(r"<\1>", text) for text in redacted] == [
        "a <ENV_SECRET> b", '{"x": "a <ENV_SECRET>"}', "<ENV_SECRET>", "short",
    ]  # fmt: skip
    assert len(set(PSEUDONYM.findall("".join(redacted)))) == 1


# ---------------------------------------------------------------------- JSON and HTML


def test_keys_of_json_say_what_their_values_are() -> None:
    redacted = REDACTOR.value({"password": 'a"bc', "apiKey": "x1y2z3w4v5", "phone": 4155552671, "n": 4155552671})
    assert PSEUDONYM.sub(r"<\1>", json.dumps(redacted)) == (
        '{"password": "<PASSWORD>", "apiKey": "<SECRET>", "phone": "<PHONE>", "n": 4155552671}'
    )


def test_keys_that_are_addresses_are_redacted_and_stay_apart() -> None:
    redacted = REDACTOR.value({"bob@example.com": 1, "al@example.com": 2})
    assert sorted(redacted.values()) == [1, 2]
    assert all(PSEUDONYM.fullmatch(key) for key in redacted)


def test_a_number_in_json_becomes_a_text() -> None:
    assert json.loads(REDACTOR.text('{"a": [4111111111111111, 1]}'))["a"][0].startswith("<CARD:")


def test_deep_json_is_no_problem() -> None:
    value: Any = "bob@example.com"
    for _ in range(400):
        value = [value]
    assert "bob@example.com" not in str(REDACTOR.value(value))


def test_html_stays_html() -> None:
    html = '<p title="{}" style="width:4111111111111111px">a &lt;{}&gt;<svg d="M 4111111111111111"/></p>'
    redacted = REDACTOR.html(html.replace("{}", "bob@example.com"))
    assert re.sub(r"&lt;EMAIL:[0-9a-f]{8}&gt;", "{}", redacted) == html


def test_html_with_escaped_json_is_read() -> None:
    redacted = REDACTOR.html("<pre>{&quot;password&quot;: &quot;hunter2&quot;}</pre>")
    assert re.fullmatch(r"<pre>{&quot;password&quot;: &quot;&lt;PASSWORD:\w{8}&gt;&quot;}</pre>", redacted)


# ---------------------------------------------------------------------- cut in two

CUT = ("my key is sk-proj-a1B2", "c3D4a1B2c3D4a1B2c3D4a1B2c3D4 and thanks")


def test_a_secret_cut_over_two_texts_goes_from_both() -> None:
    redactor = Redactor(key=KEY)
    first, second = redactor.texts(CUT)
    assert re.fullmatch(r"my key is <OPENAI_KEY:\w+>", first)
    assert re.fullmatch(r"<OPENAI_KEY:\w+> and thanks", second)
    assert any("1 secrets went over two texts" in note for note in redactor.notes)


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_secret_cut_over_two_messages_goes_from_both(depth: int) -> None:
    value: Any = [{"role": "user", "content": text} for text in CUT]
    for _ in range(depth):
        value = {"input": json.dumps(value)}
    for redacted in (REDACTOR.value(value), json.loads(REDACTOR.text(json.dumps(value)))):
        assert "c3D4" not in json.dumps(redacted)
        assert "thanks" in json.dumps(redacted)


def test_a_word_that_begins_like_a_key_is_none() -> None:
    texts = ["pip install sk-learn", "extensions are fine", "hf_", "ghp_x"]
    assert REDACTOR.texts(texts) == texts


# ---------------------------------------------------------------------- what was done


def test_the_summary_says_how_many_of_what_where() -> None:
    redactor = Redactor(key=KEY)
    redactor.texts(["a@example.com b@example.com", None, "4111111111111111"], "contents.input")
    redactor.text("a@example.com", "spans.name")
    assert redactor.summary.to_dict("records") == [
        {"kind": "EMAIL", "where": "contents.input", "count": 2},
        {"kind": "CARD", "where": "contents.input", "count": 1},
        {"kind": "EMAIL", "where": "spans.name", "count": 1},
    ]
    assert redactor.notes == ("redacted in contents.input: 2 EMAIL, 1 CARD", "redacted in spans.name: 1 EMAIL")
    assert repr(redactor) == "<Redactor: 4 values taken out>"


def test_a_new_redactor_has_an_empty_summary() -> None:
    assert list(Redactor(key=KEY).summary.columns) == ["kind", "where", "count"]


def test_threads_may_share_a_redactor() -> None:
    redactor = Redactor(key=KEY)
    texts = [item.text for item in ITEMS[:200]]
    expected = [REDACTOR.text(text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(redactor.text, texts)) == expected
    assert redactor.summary["count"].sum() == sum(len(PSEUDONYM.findall(text)) for text in expected)


# ---------------------------------------------------------------------- names of people


def test_names_need_spacy_and_a_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(ll.RedactionError, match=r"pip install 'llmlens\[names\]'"):
        Redactor(names=True)
    monkeypatch.setitem(sys.modules, "spacy", _spacy())
    with pytest.raises(ll.RedactionError, match="no model 'xx'"):
        Redactor(names="xx")


def test_names_and_places_are_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spacy", _spacy())
    redacted = Redactor(names=True, key=KEY).text("né Bob Smith of Köln, bob@example.com")
    assert PSEUDONYM.sub(r"<\1>", redacted) == "né <PERSON> of <PLACE>, <EMAIL>"


def _spacy() -> ModuleType:
    """Stand in for spaCy: a model that knows two names."""
    module = ModuleType("spacy")

    class Model:
        max_length = 1000

        def __call__(self, text: str) -> Any:
            known = {"Bob Smith": "PERSON", "Köln": "GPE", "2026": "DATE"}
            found = [(text.find(name), name, label) for name, label in known.items() if name in text]
            return SimpleNamespace(
                ents=[
                    SimpleNamespace(start_char=at, end_char=at + len(n), text=n, label_=label) for at, n, label in found
                ]
            )

    def load(name: str) -> Model:
        if name != "en_core_web_sm":
            raise OSError(name)
        return Model()

    module.load = load  # type: ignore[attr-defined]
    return module
