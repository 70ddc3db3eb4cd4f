"""Keys of the environment are in nothing that leaves: shared pages, notebooks, reviews, exports, saved frames."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

import llmlens as ll
from tests.share.sample import code, data, everything, notebook, stream, words

SENTINELS = {
    "LANGFUSE_SECRET_KEY": "sk-lf-5e471ne1-aaaa-4bbb-8ccc-0123456789ab",
    "LANGFUSE_PUBLIC_KEY": "pk-lf-5e471ne1-dddd-4eee-8fff-0123456789ab",
    "OPENAI_API_KEY": "not-shaped-like-a-key-5e471ne1",
    "DATABASE_PASSWORD": "Sentinel&Pass/word=5e471ne1",
}
CELLS = (
    """import json, os, llmlens as ll
told = {k: os.environ[k] for k in os.environ if "KEY" in k or "PASS" in k}
print(told)""",
    "traces = ll.read('leaky.jsonl')\ntraces",
    "traces.spans.merge(traces.contents, on=['trace_id', 'span_id'])",
    "ll.TraceExplorer(traces)",
    "ll.CostTreemap(traces, path=['feature'])",
    "ll.Plot(ll.cost(traces, by='feature').plot())",
    "ll.langfuse()",
    "import plotly.graph_objects as go\ngo.Figure(go.Bar(x=list(told.values()), y=[1] * len(told)))",
    "print(json.dumps(json.dumps(told)))",
    "raise ValueError(str(told))",
)


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SENTINELS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("LANGFUSE_BASE_URL", "http://127.0.0.1:1")


@pytest.fixture
def leaky(tmp_path: Path, keys: None) -> Path:
    """Traces in which an app logged its keys: in texts, names, ids and metadata."""
    del keys
    rows = [
        {
            "trace_id": f"t{place}", "span_id": f"s{place}", "name": f"call {value}", "kind": "llm", "feature": value,
            "start": "2026-11-02T10:00:00Z", "end": "2026-11-02T10:00:01Z", "user_id": value, "session_id": value,
            "input": f"my key is {value}, keep it", "output": json.dumps({"authorization": f"Bearer {value}"}),
            "metadata": json.dumps({value: {"key": value}}), "status_message": f"refused {value}", "cost_usd": 1.0,
        }
        for place, value in enumerate(SENTINELS.values())
    ]  # fmt: skip
    path = tmp_path / "leaky.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return path


def spelt(value: str) -> set[str]:
    """Give the ways in which a value may be written without being hidden."""
    marked = {value.replace("&", form) for form in ("&", "&amp;", "&#38;", "\\u0026", "%26")}
    return {*marked, *(each.replace("/", form) for each in marked for form in ("\\/", "%2F"))}


def leaks(text: str) -> list[str]:
    return [name for name, value in SENTINELS.items() if any(each in text for each in spelt(value))]


def test_no_shared_file_has_a_key(leaky: Path) -> None:
    cells = [words(f"# Keys\n\n`{SENTINELS['OPENAI_API_KEY']}`"), *(code(each, count=None) for each in CELLS)]
    path = notebook(leaky.with_name("leaky.ipynb"), cells)
    page = ll.share(path, execute=True, texts="all")
    assert leaks(everything(page)) == []
    assert "t0" in everything(page)
    assert "ValueError" in page.read_text("utf-8")


def test_no_notebook_or_text_that_is_shared_has_a_key(leaky: Path) -> None:
    told = json.dumps(SENTINELS)
    outputs = [stream(told), {**data(application__json=SENTINELS), "metadata": SENTINELS}]
    path = notebook(leaky.with_name("ran.ipynb"), [words(told), code(f"keys = {told}", *outputs)], keys=SENTINELS)
    for suffix in (".html", ".ipynb", ".md"):
        made = ll.share(path, path.with_name(f"shared{suffix}"))
        assert leaks(everything(made) if suffix == ".html" else made.read_text("utf-8")) == []


def test_redacted_traces_have_no_key_however_they_are_kept(leaky: Path, tmp_path: Path) -> None:
    traces = ll.redact(ll.read(leaky))
    for name in ("spans", "contents", "messages", "documents", "tool_calls", "scores", "traces", "sessions"):
        assert leaks(traces.table(name).to_pandas().to_csv()) == []
    assert leaks(repr(traces) + traces._repr_html_()) == []
    folder = traces.save(tmp_path / "kept")
    for file in folder.rglob("*"):
        if file.is_file():
            assert leaks(file.read_bytes().decode("latin-1")) == []
    for file in folder.glob("*.parquet"):
        assert leaks(pd.read_parquet(file).to_csv()) == []


def test_no_export_has_a_key(leaky: Path, tmp_path: Path) -> None:
    traces = ll.read(leaky)
    for suffix in ("csv", "jsonl"):
        made = ll.export(traces.spans.merge(traces.contents, on=["trace_id", "span_id"]), tmp_path / f"out.{suffix}")
        assert leaks(Path(made).read_text("utf-8")) == []


def test_pictures_in_a_notebook_have_no_key(leaky: Path) -> None:
    traces = ll.read(leaky)
    for view in (ll.TraceExplorer(traces), ll.CostTreemap(traces, path=["feature"])):
        bundle = view._repr_mimebundle_()
        assert bundle is not None
        assert leaks(json.dumps(bundle[0])) == []


def test_a_connection_never_says_its_keys(keys: None) -> None:
    del keys
    connection = ll.langfuse()
    assert leaks(repr(connection) + str(connection) + str(vars(type(connection)))) == []


def test_the_check_itself_finds_a_key(tmp_path: Path) -> None:
    path = tmp_path / "plain.gz"
    path.write_bytes(gzip.compress(json.dumps(SENTINELS).encode()))
    assert leaks(gzip.decompress(path.read_bytes()).decode()) == list(SENTINELS)
