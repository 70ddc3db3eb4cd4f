"""`redact(traces)`: nothing of what must not leave is left, and all that belonged together still does."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import llmlens as ll

if TYPE_CHECKING:
    from pathlib import Path

    from llmlens.traces import Traces

KEY = "of the tests"
SECRET = "sk-proj-" + "a1B2c3D4" * 5
PSEUDONYM = re.compile(r"<([A-Z][A-Z0-9_]*):[0-9a-f]{8}>")
HIDDEN = (SECRET, "bob@example.com", "hunter2", "4111111111111111", "4111 1111 1111 1111")


@pytest.fixture(scope="module")
def leaky() -> Traces:
    """Two traces of one person, with something to hide in every column of texts."""
    said = json.dumps([{"role": "user", "content": f"I am bob@example.com, my key is {SECRET}"}])
    call = {"id": "call_1", "function": {"name": "pay", "arguments": json.dumps({"card": "4111 1111 1111 1111"})}}
    answer = json.dumps([{"role": "assistant", "content": "Thanks, bob@example.com", "tool_calls": [call]}])
    spans = pd.DataFrame(
        {
            "trace_id": ["t1", "t2", "bob@example.com"],
            "span_id": ["a", "b", "c"],
            "user_id": ["bob@example.com", "Bob@Example.com", "u_17"],
            "session_id": ["s of bob@example.com"] * 3,
            "name": ["chat with bob@example.com", "chat", "chat"],
            "kind": ["llm", "llm", "tool"],
            "start": pd.to_datetime(["2026-11-01", "2026-11-02", "2026-11-03"], utc=True),
            "status_message": [f"401 for {SECRET}", None, ""],
            "tags": [["bob@example.com", "prod"], [], None],
            "metadata": ['{"password": "hunter2", "n": 4111111111111111, "tenant": "a"}', None, "{}"],
            "params": ['{"user": "bob@example.com", "temperature": 0.5}', None, None],
        }
    )
    contents = pd.DataFrame(
        {
            "trace_id": ["t1", "t2", "bob@example.com"],
            "span_id": ["a", "b", "c"],
            "input": [said, said, None],
            "output": [answer, "ok", None],
            "attributes": [
                json.dumps(
                    {"gen_ai.input.messages": said, "gen_ai.output.messages": answer, "user": "bob@example.com"}
                ),
                "{}",
                None,
            ],
        }
    )
    scores = pd.DataFrame(
        {
            "score_id": ["1"],
            "trace_id": ["t1"],
            "name": ["quality"],
            "value": [1.0],
            "comment": [f"he wrote {SECRET}"],
            "author": ["bob@example.com"],
        }
    )
    problems = pd.DataFrame({"source": ["bob@example.com.jsonl"], "reason": ["bad"], "count": [1], "example": [SECRET]})
    frames = {"spans": spans, "contents": contents, "scores": scores, "problems": problems}
    return ll.Traces.from_frames(frames, notes=("read for bob@example.com",))


def test_nothing_is_left_in_any_table(leaky: Traces) -> None:
    redacted = ll.redact(leaky, key=KEY)
    for table in ll.schema():
        text = getattr(redacted, table).astype(str).to_json(orient="records")
        assert not [hidden for hidden in HIDDEN if hidden in text], table
    assert "bob@" not in repr(redacted)
    assert len(redacted) == len(leaky)


def test_nothing_is_left_in_what_is_saved(leaky: Traces, tmp_path: Path) -> None:
    folder = ll.redact(leaky, key=KEY).save(tmp_path / "saved")
    for file in folder.iterdir():
        text = pd.read_parquet(file).astype(str).to_json() if file.suffix == ".parquet" else file.read_text()
        assert not [hidden for hidden in HIDDEN if hidden in text], file.name
    assert not [word for word in HIDDEN for file in folder.iterdir() if word.encode() in file.read_bytes()]
    assert len(ll.open(folder)) == 3


def test_the_same_person_still_is(leaky: Traces) -> None:
    spans = ll.redact(leaky, key=KEY).spans
    (bob,) = set(spans.user_id) - {"u_17"}
    assert PSEUDONYM.fullmatch(bob)
    assert len(set(spans.session_id)) == 1
    assert spans.trace_id.tolist() == ["t1", "t2", bob]
    assert ll.redact(leaky, key=KEY).where(user_id=bob).trace_ids == ["t1", "t2"]


def test_what_is_made_at_first_use_is_made_of_what_is_redacted(leaky: Traces) -> None:
    redacted = ll.redact(leaky, key=KEY)
    assert redacted.messages.role.tolist() == leaky.messages.role.tolist()
    assert PSEUDONYM.sub(r"<\1>", redacted.messages.content.iloc[0]) == "I am <EMAIL>, my key is <OPENAI_KEY>"
    assert PSEUDONYM.sub(r"<\1>", redacted.tool_calls.arguments.dropna().iloc[0]) == '{"card":"<CARD>"}'


def test_json_columns_stay_json(leaky: Traces) -> None:
    redacted = ll.redact(leaky, key=KEY)
    metadata = json.loads(redacted.spans.metadata.iloc[0])
    assert metadata["tenant"] == "a"
    assert [PSEUDONYM.fullmatch(metadata[key])[1] for key in ("password", "n")] == ["PASSWORD", "CARD"]  # type: ignore[index]
    assert redacted.spans.tags.iloc[0][1] == "prod"
    assert json.loads(redacted.contents.set_index("trace_id").attributes["t1"]).keys() == {
        "gen_ai.input.messages", "gen_ai.output.messages", "user",
    }  # fmt: skip


def test_notes_say_how_many_of_what_where(leaky: Traces) -> None:
    redactor = ll.Redactor(key=KEY)
    redacted = ll.redact(leaky, redactor=redactor)
    assert re.fullmatch(r"read for <EMAIL:\w+>", redacted.notes[0])
    assert "redacted in spans.status_message: 1 OPENAI_KEY" in redacted.notes
    assert {"kind": "EMAIL", "where": "spans.params", "count": 1} in redactor.summary.to_dict("records")


def test_a_selection_is_redacted_as_it_is(leaky: Traces) -> None:
    some = ll.redact(leaky.trace("t1"), key=KEY)
    assert some.trace_ids == ["t1"]
    assert some.scores.score_id.tolist() == ["1"]


def test_traces_without_anything_to_hide_say_so(week: Traces) -> None:
    some = week.sample(3, seed=1)
    kinds = ["EMAIL", "PHONE", "IP"]
    redacted = ll.redact(some, key=KEY, keep=kinds)
    assert redacted.notes[-1] == "redaction found nothing to take out"
    pd.testing.assert_frame_equal(redacted.spans, some.spans)
    pd.testing.assert_frame_equal(redacted.contents, some.contents)
    pd.testing.assert_frame_equal(redacted.messages, some.messages)


def test_the_original_stays_as_it_was(leaky: Traces) -> None:
    ll.redact(leaky, key=KEY)
    assert "bob@example.com" in leaky.spans.user_id.tolist()


def test_misuse_is_explained(leaky: Traces) -> None:
    with pytest.raises(ll.SelectionError, match="takes Traces; got DataFrame"):
        ll.redact(leaky.spans)  # type: ignore[arg-type]
    with pytest.raises(ll.SelectionError, match="not both"):
        ll.redact(leaky, redactor=ll.Redactor(key=KEY), words=["x"])
    with pytest.raises(ll.UnknownArgumentError, match="Did you mean 'words'"):
        ll.redact(leaky, word=["x"])  # type: ignore[call-arg]
    with pytest.raises(ll.RedactionError, match="does not compile at character 1"):
        ll.redact(leaky, patterns={"X": "("})
