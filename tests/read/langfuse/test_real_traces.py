"""Ten real traces of ten agent frameworks, as Langfuse's pages give them to download."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest

from llmlens.read import read
from llmlens.read.contents.values import decode

if TYPE_CHECKING:
    from pathlib import Path

    from llmlens.traces import Traces

NAMES = (
    "agno-2025-06-11", "autogen-2025-06-06", "claude-agent-2025-12-22", "google-adk-2025-08-28", "koog-2025-08-26",
    "langgraph-js-2025-10-30", "llamaindex-2025-06-05", "openai-agents-2025-09-30", "pydantic-ai-tools-2025-12-04",
    "vercel-aisdk-2025-11-17",
)  # fmt: skip
KINDS = {"GENERATION": "llm", "SPAN": "span"}
#: Where the attributes of the span say more than the type that servers of 2025 gave it.
BETTER = {
    "1cffdfa6fe3412e6": "agent",  # Agno: AGENT of OpenInference
    "6581e147aec6793a": "tool",  # Agno: TOOL of OpenInference
    "805dc5dff9e33e32": "chain",  # LangSmith's chain
    "33188493784a060d": "tool",  # Koog: gen_ai.tool.name
    "66f269083a2fff81": "tool",
    "1dc6768109615657": "chain",  # the AI SDK's wrapper, which repeats the usage of the call in it
}


def document(folder: Path, name: str) -> Any:
    return orjson.loads((folder / f"{name}.trace.json").read_bytes())


@pytest.mark.parametrize("name", NAMES)
def test_every_observation_is_a_span_of_its_kind(downloads: Path, name: str) -> None:
    traces = read(downloads / f"{name}.trace.json")
    observations = {one["id"]: one for one in document(downloads, name)["observations"]}
    expected = {
        key: BETTER.get(key) or KINDS.get(one["type"], one["type"].lower()) for key, one in observations.items()
    }
    assert dict(zip(traces.spans["span_id"], traces.spans["kind"], strict=True)) == expected
    assert traces.problems.empty
    assert len(traces.traces) == 1


@pytest.mark.parametrize("name", NAMES)
def test_tokens_and_costs_of_the_calls_are_langfuses(downloads: Path, name: str) -> None:
    spans = read(downloads / f"{name}.trace.json").spans.set_index("span_id")
    for one in document(downloads, name)["observations"]:
        row = spans.loc[one["id"]]
        if row.kind == "llm":
            assert (row.input_tokens, row.output_tokens) == (one["inputUsage"], one["outputUsage"])
            assert row.cost_usd == pytest.approx(one["totalCost"])
            assert row.model == one["model"]
        else:
            assert row[["input_tokens", "output_tokens", "cost_usd"]].isna().all()


def content_of(message: dict[str, Any]) -> str | None:
    """Give the text of a golden message as the `messages` table has it."""
    content = message.get("content")
    if isinstance(content, list):
        texts = [part if isinstance(part, str) else part.get("text") for part in content]
        return "\n".join(texts) if all(isinstance(text, str) for text in texts) else None
    return content or None


def is_calls(content: str | None) -> bool:
    """Say whether a golden message is tool calls that were left as text."""
    found = decode(content)
    keys = [set(one) for one in found] if isinstance(found, list) and all(isinstance(o, dict) for o in found) else []
    return bool(keys) and all({"function"} <= each or {"name", "input"} <= each for each in keys)


def spoken(traces: Traces, span_id: str, direction: str) -> list[tuple[str, str | None]]:
    found = traces.messages
    found = found[(found["span_id"] == span_id) & (found["direction"] == direction)]
    texts = found["content"].astype(object).where(found["content"].notna(), None)
    return list(zip(found["role"], texts, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_messages_of_the_calls_are_those_of_the_golden_parse(downloads: Path, name: str) -> None:
    traces = read(downloads / f"{name}.trace.json")
    kinds = dict(zip(traces.spans["span_id"], traces.spans["kind"], strict=True))
    golden = orjson.loads((downloads / f"{name}.chatml.json").read_bytes())
    for span_id, directions in golden.items():
        for direction, parse in directions.items():
            said = [one for one in parse.get("data") or () if "role" in one]
            if kinds[span_id] != "llm" or not parse["success"] or not said:
                continue
            ours = spoken(traces, span_id, direction)
            assert len(ours) == len(said), (span_id, direction)
            for (role, content), one in zip(ours, said, strict=True):
                text = content_of(one)
                if is_calls(text):  # they are in `tool_calls` here
                    assert (role, content) == ("assistant", None)
                    continue
                assert content == text, (span_id, direction)
                # The answer of a tool is a tool's, whoever Gemini says it is from.
                assert role in {"assistant" if one["role"] == "model" else one["role"], "tool"}


def test_scores_sessions_users_and_names_of_the_traces_are_there(downloads: Path) -> None:
    traces = read(downloads / "*.trace.json")
    documents = {one["trace"]["id"]: one["trace"] for one in (document(downloads, name) for name in NAMES)}
    for row in traces.traces.itertuples():
        its = documents[row.trace_id]
        assert row.name == its["name"]
        for found, expected in ((row.session_id, its["sessionId"]), (row.user_id, its["userId"])):
            assert expected is None or found == expected
    assert len(traces.scores) == sum(len(one["scores"]) for one in documents.values())
    assert set(traces.scores["source"]) == {"judge"}


def test_tools_that_models_ask_for_are_paired_with_their_runs(downloads: Path) -> None:
    calls = read(downloads / "koog-2025-08-26.trace.json").tool_calls
    assert sorted(calls["tool"]) == ["ByeTool", "HelloTool"]
    assert calls[["span_id", "requested_by"]].notna().all(axis=None)
