"""A mapping of one's own is checked when it is read, and every mistake is named with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmlens import ConventionsError, read_otlp
from llmlens.read.conventions import MERGED, TEXTS, matching
from llmlens.read.conventions_file import built_in, load_conventions, mapped_columns


def toml(otlp: Any, text: str) -> Path:
    path: Path = otlp.folder / "mine.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = [", r"mine\.toml is not valid TOML"),
        ("[colums]", r"no section 'colums'\. Did you mean 'columns'"),
        ("columns = [1]", r"columns has to be written as \[columns\]"),
        ("columns.modle = ['a']", r"no column to map called 'modle'\. Did you mean 'model'"),
        ("columns.start = ['a']", "no column to map called 'start'"),
        ("columns.kind = ['a']", "no column to map called 'kind'"),
        ("columns.model = [5]", "columns.model: expected the name of an attribute or a table; got 5"),
        ("columns.model = [{attribut = 'x'}]", "columns.model: there is no key 'attribut'. Did you mean 'attribute'"),
        ("columns.model = [{attribute = 5}]", "columns.model: attribute has to be a text; got 5"),
        ("columns.model = [{attribute = 'x', as = 'txt'}]", "columns.model: cannot read as 'txt'. Did you mean 'text'"),
        ("columns.model = [{attribute = 'x', as = 'texts'}]", "columns.model cannot be used as it is"),
        ("columns.model = [{attribute = 'x', path = '$.a['}]", "columns.model cannot be used as it is: .*JSON path"),
        ("columns.model = [{attribute = 'x', ignore = 'abc'}]", "columns.model: ignore has to be a list; got 'abc'"),
        ("columns.model = [{attribute = 'x', ignore = [1]}]", "columns.model: ignore has to be a list of texts"),
        ("columns.model = [{as = 'text'}]", "columns.model: needs an attribute, an event or a resource"),
        ("columns.model = [{event = 'e'}]", "columns.model: an event needs an attribute"),
        ("columns.ttft_s = [{attribute = 'x', scale = 'q'}]", "columns.ttft_s: scale has to be a number; got 'q'"),
        ("columns.input = ['x.*']", "columns.input: only the name of an attribute"),
        ("columns.metadata = [{resource = 'x'}]", "columns.metadata: only attribute, as and ignore"),
        ("kind = ['x']", "kind: expected a table; got 'x'"),
        ("[kind]\nattribute = 'x'", r"kind has to be written as \[\[kind\]\]"),
        ("[[kind]]\nexists = 'llm'", "kind: an entry lacks the text 'attribute'"),
        ("[[kind]]\nattribute = 'x'", "kind 'x': needs values, patterns or exists"),
        ("[[kind]]\nattribute = 'x'\nexist = 'llm'", "kind 'x': there is no key 'exist'. Did you mean 'exists'"),
        ("[[kind]]\nattribute = 'x'\nvalues = {a = 'lllm'}", "kind 'x': there is no kind 'lllm'. Did you mean 'llm'"),
        ("[[kind]]\nattribute = 'x'\nvalues = {a = 1}", "kind 'x': values: expected a table of texts"),
        ("[[kind]]\nattribute = 'x'\npatterns = ['a']", "kind 'x': patterns has to be a list of"),
        ("[[kind]]\nattribute = 'x'\npatterns = [['(', 'llm']]", r"kind 'x': '\(' is not a pattern"),
        (
            "[[kind]]\nattribute = 'x'\npatterns = [['(?=a)', 'llm']]",
            "kind 'x' cannot be used as it is: .*perl operator",
        ),
        ("[[convention]]\nattribute = 'x'", "convention: an entry lacks the text 'name'"),
        ("values = 'x'", r"values has to be written as \[values\]"),
        ("values.modle = {a = 'b'}", "values: there is no column of texts 'modle'. Did you mean 'model'"),
        ("values.input_tokens = {a = 'b'}", "values: there is no column of texts 'input_tokens'"),
        ("values.provider = {a = 1}", "values.provider: expected a table of texts"),
    ],
)
def test_mistakes_in_a_mapping_are_named_with_their_place(otlp: Any, text: str, message: str) -> None:
    with pytest.raises(ConventionsError, match=message) as raised:
        load_conventions(toml(otlp, text))
    assert "mine.toml" in str(raised.value)


def test_a_mapping_that_is_no_file_is_an_error_at_once(tmp_path: Path) -> None:
    for path, message in ((tmp_path / "no.toml", "There is no conventions file"), (tmp_path, "Cannot read")):
        with pytest.raises(ConventionsError, match=message):
            read_otlp("not looked for", conventions=path)
    (tmp_path / "latin.toml").write_bytes(b"a = '\xff'")
    with pytest.raises(ConventionsError, match="not valid TOML"):
        load_conventions(tmp_path / "latin.toml")


def test_the_built_in_mapping_follows_its_own_rules() -> None:
    mapping = built_in()
    assert load_conventions(None) is mapping
    assert (
        load_conventions(Path(__file__).parents[2] / "llmlens/read/conventions.toml").columns["model"]
        == mapping.columns["model"] * 2
    )
    assert set(mapping.columns) == set(mapped_columns())
    for name in (*TEXTS, *MERGED):
        assert all(source.attribute for source in mapping.columns[name])


def test_patterns_of_names() -> None:
    names = ["a", "a.b", "a.c.d", "b.feature", "feature"]
    assert matching("a.*", names) == ["a.b", "a.c.d"]
    assert matching("*.feature", names) == ["b.feature"]
    assert matching("a", names) == ["a"]
    assert matching("no", names) == []
