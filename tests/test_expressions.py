"""Expressions select what pandas selects, and nothing that is not understood passes."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlens.errors import SelectionError, UnknownNameError
from llmlens.traces import Traces
from tests.examples import examples

NUMBERS = [None, 0.0, 1.0, 2.5, 10.0]
MODELS = [None, "gpt", "GPT-mini", "o'hara", ""]


def frame() -> pd.DataFrame:
    rows = [
        (f"t{n % 11}", str(n), MODELS[n % 5], NUMBERS[n // 2 % 5], NUMBERS[n // 3 % 5], ["a"] if n % 3 else None)
        for n in range(60)
    ]
    return pd.DataFrame(rows, columns=["trace_id", "span_id", "model", "duration_s", "cost_usd", "tags"])


@pytest.fixture(scope="module")
def traces() -> Traces:
    return Traces.from_frames({"spans": frame()})


# A condition is (text, what it gives on the frame with three values: true, false, NA).
Condition = tuple[str, pd.Series]


def known() -> pd.DataFrame:
    return frame().astype({"model": "string", "duration_s": "Float64", "cost_usd": "Float64"})


FRAME = known()
COMPARE = {"==": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


def compared(column: str, operator: str, value: object) -> Condition:
    return f"{column} {operator} {value!r}", getattr(FRAME[column], COMPARE[operator])(value).astype("boolean")


def listed(column: str, values: list[object], negated: bool) -> Condition:
    found = FRAME[column].isin(values).astype("boolean").mask(FRAME[column].isna() & bool(values))
    return f"{column} {'not in' if negated else 'in'} {values!r}", ~found if negated else found


leaves = st.one_of(
    st.builds(
        compared,
        st.sampled_from(["duration_s", "cost_usd"]),
        st.sampled_from(list(COMPARE)),
        st.sampled_from([0, 1, 2.5, -1]),
    ),
    st.builds(compared, st.just("model"), st.sampled_from(list(COMPARE)), st.sampled_from(["gpt", "o'hara", "", "z"])),
    st.builds(listed, st.just("model"), st.lists(st.sampled_from(["gpt", "GPT-mini", "z"]), max_size=3), st.booleans()),
    st.sampled_from(["duration_s", "model"]).map(lambda c: (f"isna({c})", FRAME[c].isna().astype("boolean"))),
    st.sampled_from(["duration_s", "model"]).map(lambda c: (f"{c} != None", FRAME[c].notna().astype("boolean"))),
    st.just(("contains(model, 'gpt')", FRAME["model"].str.lower().str.contains("gpt").astype("boolean"))),
    st.just(("duration_s < cost_usd", (FRAME["duration_s"] < FRAME["cost_usd"]).astype("boolean"))),
    st.just(("duration_s + cost_usd * 2 >= 3", (FRAME["duration_s"] + FRAME["cost_usd"] * 2 >= 3).astype("boolean"))),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map(
            lambda parts: (
                " and ".join(f"({t})" for t, _ in parts),
                pd.concat([v for _, v in parts], axis=1).all(axis=1, skipna=False),
            )
        ),
        st.lists(inner, min_size=2, max_size=4).map(
            lambda parts: (
                " or ".join(f"({t})" for t, _ in parts),
                pd.concat([v for _, v in parts], axis=1).any(axis=1, skipna=False),
            )
        ),
        inner.map(lambda part: (f"not ({part[0]})", ~part[1])),
    ),
    max_leaves=8,
)


@examples(25)
@given(condition=conditions)
def test_an_expression_selects_the_traces_that_pandas_selects(traces: Traces, condition: Condition) -> None:
    text, fits = condition
    expected = set(FRAME.loc[fits.astype("boolean").fillna(False), "trace_id"])
    assert set(traces.where(text).trace_ids) == expected, text
    kept = traces.where(text, spans_only=True).spans["span_id"]
    assert set(kept) == set(FRAME.loc[fits.astype("boolean").fillna(False), "span_id"]), text


@pytest.mark.parametrize(
    ("expression", "same_as"),
    [
        ("model in [None, 'gpt']", "isna(model) or model == 'gpt'"),
        ("model not in [None, 'gpt']", "notna(model) and model != 'gpt'"),
        ("model is None", "isna(model)"),
        ("None != model", "model is not None"),
        ("0 < duration_s <= 2.5", "duration_s > 0 and duration_s <= 2.5"),
        ("(duration_s > 1) & (cost_usd > 1)", "duration_s > 1 and cost_usd > 1"),
        ("(duration_s > 1) | ~(cost_usd > 1)", "duration_s > 1 or not cost_usd > 1"),
        ("duration_s > +1", "-duration_s < -1"),
        ("'gpt' in model", "startswith(model, 'gpt')"),
        ("lower(model) == 'gpt-mini'", "matches(model, '^GPT-m')"),
        ("endswith(model, 'mini')", "length(model) == 8"),
        ("'a' in tags", "contains(tags, 'a')"),
        ("'a' not in tags", "tags == None"),
        ("model ==\n  'gpt'\n  and duration_s > 1", "model == 'gpt' and duration_s > 1"),
        ("duration_s < 10000000000000000000000000000", "duration_s < 1e400"),
        ("span.model == 'gpt'", "model == 'gpt'"),
        ("1 == 1", "True"),
        (" and ".join(["duration_s > 1"] * 3000), "duration_s > 1"),
        (f"model in {['gpt'] * 3000}", "model == 'gpt'"),
    ],
)
def test_two_ways_to_write_a_condition_select_the_same(traces: Traces, expression: str, same_as: str) -> None:
    one, other = traces.where(expression, spans_only=True), traces.where(same_as, spans_only=True)
    assert one.spans["span_id"].tolist() == other.spans["span_id"].tolist()
    assert len(one) > 0


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("model = 'gpt'", "Cannot read the expression.*Write == to compare"),
        ("", "Cannot read the expression"),
        ("a\0b", "null bytes"),
        ("(" * 500 + "True" + ")" * 500, "Cannot read the expression"),
        ("not " * 3000 + "isna(model)", "nested too deeply"),
        ("model", "is not a condition"),
        ("1", "is not a condition"),
        ("duration_s + 1", "is not a condition"),
        ("not model", "not takes a condition"),
        ("-model == 'x'", "a sign goes before a number"),
        ("+model == 'x'", "a sign goes before a number"),
        ("model + 5 > 1", "does not fit together: text and a number"),
        ("model > 5", "does not fit together: text and a number"),
        ("duration_s > '5'", "does not fit together: a number and text"),
        ("duration_s and model", "does not fit together"),
        ("start > 'soon'", "does not fit together: a time and text"),
        ("tags == 'a'", "does not fit together: a list of texts and text"),
        ("tags in ['a']", "does not fit together"),
        ("model in ['gpt', 5]", "does not fit together: text and a number"),
        ("model in [['gpt']]", "does not fit together: text and a list"),
        ("5 in duration_s", "does not fit together"),
        ("model is 5", "is not something a selection can do"),
        ("model < None", "is not something a selection can do"),
        ("model == b'gpt'", "is not something a selection can do"),
        ("model == ...", "is not something a selection can do"),
        ("duration_s == 1j", "is not something a selection can do"),
        ("duration_s ** 2 > 1", "is not something a selection can do"),
        ("(1 if model else 2) == 1", "is not something a selection can do"),
        ("(lambda: 1) == 1", "is not something a selection can do"),
        ("f'{model}' == 'gpt'", "is not something a selection can do"),
        ("model[0] == 'g'", "is not something a selection can do"),
        ("input_tokens % 0 == 1", "does not fit together"),
        ("__import__('os') == 1", "There is no function '__import__'"),
        ("model.upper() == 'X'", r"There is no function 'model.upper'|no column"),
        ("contain(model, 'x')", "There is no function 'contain'.*Did you mean 'contains'"),
        ("contains(model)", r"write contains\(column, text\)"),
        ("contains(model, 5)", r"write contains\(column, text\)"),
        ("startswith(model, 5)", r"write startswith\(column, text\)"),
        ("contains(model, text='x')", "There is no function"),
        ("length()", r"write length\(column\)"),
        ("matches(model, '[')", "cannot be evaluated.*missing ]"),
    ],
)
def test_what_is_not_a_condition_is_an_error(traces: Traces, expression: str, said: str) -> None:
    with pytest.raises((SelectionError, UnknownNameError), match=said):
        traces.where(expression)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("modle == 'x'", "'modle'. Did you mean 'model'"),
        ("trace.nspans > 1", "'trace.nspans'. Did you mean 'trace.n_spans'"),
        ("span.modle == 'x'", "'span.modle'. Did you mean 'span.model'"),
        ("n_span == 2 and model == 'x'", "'n_span'. Did you mean 'n_spans'"),
        ("model.__class__ == 'x'", "no column of spans or traces: 'model.__class__'"),
        ("trace == 1", "'trace'. Did you mean 'trace_id'"),
    ],
)
def test_an_unknown_column_names_the_nearest(traces: Traces, expression: str, said: str) -> None:
    with pytest.raises(UnknownNameError, match=said):
        traces.where(expression)


@examples(60)
@given(
    text=st.text(
        st.sampled_from("model duration_s.tags()[]'\"<>=!~&|%*+-/15eE,:\n\t\\{}@#not and or in is None"), max_size=30
    )
)
def test_any_text_selects_or_explains(traces: Traces, text: str) -> None:
    try:
        selected = traces.where(text)
    except (SelectionError, UnknownNameError) as error:
        assert str(error)  # noqa: PT017
    else:
        assert set(selected.trace_ids) <= set(traces.trace_ids)
