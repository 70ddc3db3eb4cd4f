"""The sample data is what its program makes, and holds the incidents that its README tells of."""

from __future__ import annotations

import csv
import gzip
import io
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from statistics import mean, median
from typing import Any

import make
import orjson
import pytest
from harrowpine import page, texts
from incidents import SCENARIOS

import llmlens as ll

SAMPLES = Path(__file__).resolve().parents[1] / "data_samples"
RELEASE, OUTAGE = "2026-11-05T10:40", "2026-11-06T08:15"


@cache
def made() -> dict[str, bytes]:
    return make.make()


@cache
def spans() -> list[dict[str, Any]]:
    """All spans of the dump, each with its attributes as a dict."""
    found = []
    for line in made()["support_week.otlp.jsonl.gz"].splitlines():
        for resource in orjson.loads(line)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    attributes = {a["key"]: next(iter(a["value"].values())) for a in span["attributes"]}
                    found.append({**span, "attributes": attributes, "resource": resource["resource"]})
    return found


@cache
def rows() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(made()["support_week.csv.gz"].decode())))


def calls(feature: str) -> list[dict[str, str]]:
    return [r for r in rows() if r["feature"] == feature and r["kind"] == "llm" and r["input_tokens"]]


def test_the_files_are_what_the_program_makes() -> None:
    assert make.differing(made(), SAMPLES) == []


def test_a_changed_or_missing_file_is_noticed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make.write({"support_week.csv.gz": made()["support_week.csv.gz"] + b"x", make.TRUTH: b"changed"}, tmp_path)
    assert make.differing(made(), tmp_path) == list(made())
    assert make.main(["--check", "--out", str(tmp_path)]) == 1
    assert "support_week.csv.gz: not what this program makes" in capsys.readouterr().out


def test_another_seed_gives_another_week() -> None:
    for name in SCENARIOS:
        assert make.make_one(name, 8) != make.make_one(name)


def test_the_compressed_files_carry_neither_time_nor_name(tmp_path: Path) -> None:
    make.write({"a.gz": b"text"}, tmp_path)
    packed = (tmp_path / "a.gz").read_bytes()
    assert packed[3:8] == bytes(5)  # no flags, so no name; time 0
    assert gzip.decompress(packed) == b"text"


def test_the_files_are_small_enough_to_ship() -> None:
    assert sum((SAMPLES / name).stat().st_size for name in made() if name.startswith("support_week")) < 5_000_000


def test_both_files_hold_the_same_spans() -> None:
    def key(span: dict[str, Any]) -> tuple[str, str, str]:
        return span["traceId"], span["spanId"], span["parentSpanId"]

    assert Counter(map(key, spans())) == Counter((r["trace_id"], r["span_id"], r["parent_span_id"]) for r in rows())
    assert max(Counter((r["trace_id"], r["span_id"]) for r in rows()).values()) == 1


def test_every_parent_is_in_its_trace_and_encloses_its_children() -> None:
    by_id = {(s["traceId"], s["spanId"]): s for s in spans()}
    for span in spans():
        if span["parentSpanId"]:
            parent = by_id[span["traceId"], span["parentSpanId"]]
            assert int(parent["startTimeUnixNano"]) <= int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
            assert int(span["endTimeUnixNano"]) <= int(parent["endTimeUnixNano"])


def test_traces_are_spread_over_lines_as_a_collector_does() -> None:
    lines_of = defaultdict(set)
    for number, line in enumerate(made()["support_week.otlp.jsonl.gz"].splitlines()):
        for resource in orjson.loads(line)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    lines_of[span["traceId"]].add(number)
    assert sum(len(lines) > 1 for lines in lines_of.values()) > 50


def test_reported_tokens_are_a_quarter_of_the_characters() -> None:
    checked = 0
    for span in spans():
        attributes = span["attributes"]
        if attributes.get("gen_ai.operation.name") != "chat" or "gen_ai.usage.input_tokens" not in attributes:
            continue
        messages = orjson.loads(attributes["gen_ai.input.messages"])
        parts = [part for message in messages for part in message["parts"]]
        parts += orjson.loads(attributes.get("gen_ai.system_instructions", "[]"))
        length = sum(
            len(part.get("content") or part.get("response") or orjson.dumps(part["arguments"])) for part in parts
        )
        tools = len(attributes.get("gen_ai.tool.definitions", "")) / 4
        frames = 20 * (len(messages) + 1)  # what a message costs beside its text
        assert length / 4 <= int(attributes["gen_ai.usage.input_tokens"]) - tools <= length / 4 + frames
        checked += 1
    assert checked > 2000


def test_the_week_has_days_and_nights() -> None:
    by_hour = Counter(r["timestamp"][11:13] for r in rows() if not r["parent_span_id"])
    assert by_hour["17"] > 5 * by_hour["04"]
    assert min(r["timestamp"] for r in rows()) >= "2026-11-02"
    assert max(r["timestamp"] for r in rows()) < "2026-11-09"


def test_questions_and_documents_are_many() -> None:
    questions = {r["question"] for r in rows() if r["question"]}
    assert len(questions) > 1000
    assert len(texts.documents()) >= 60
    assert Counter(r["language"] for r in rows()).keys() == {"en", "de", "fr", "es"}
    assert not [r for r in rows() if "{" in r["question"] + r["answer"]]  # a slot that was not filled


def test_product_qa_costs_a_multiple_since_the_release_while_the_rest_stays() -> None:
    before = [r for r in calls("product_qa") if r["timestamp"] < RELEASE]
    after = [r for r in calls("product_qa") if r["timestamp"] >= RELEASE]
    assert ({r["prompt_version"] for r in before}, {r["prompt_version"] for r in after}) == ({"7"}, {"8"})

    def dollars(r: dict[str, str]) -> float:  # gpt-4o
        cached = int(r["cached_tokens"])
        return ((int(r["input_tokens"]) - cached) * 2.5 + cached * 1.25 + int(r["output_tokens"]) * 10) / 1e6

    assert 15 < mean(map(dollars, after)) / mean(map(dollars, before)) < 40
    assert median(int(r["latency_ms"]) for r in after) < 1.3 * median(int(r["latency_ms"]) for r in before)
    assert {r["http_status"] for r in rows() if not r["parent_span_id"]} == {"200"}
    for other in ("order_status", "refunds", "product_search", "returns_policy", "small_talk"):
        early = mean(int(r["input_tokens"]) for r in calls(other) if r["timestamp"] < RELEASE)
        late = mean(int(r["input_tokens"]) for r in calls(other) if r["timestamp"] >= RELEASE)
        assert late < 1.15 * early, other


def test_the_pasted_page_is_html_and_long_for_every_product() -> None:
    for product in texts.products():
        text = page.render(product)
        assert 12_000 <= len(text) // 4 <= 40_000
        assert text.startswith("<!DOCTYPE html>")
        assert text.endswith("</html>\n")
        assert product.blurb in text


def test_the_refund_policy_fails_for_one_region_since_the_outage() -> None:
    used = [r for r in rows() if r["tool"] == "check_refund_policy"]
    failed = [r for r in used if '"error"' in r["tool_result"]]
    assert {r["region"] for r in failed} == {"eu-central"}
    assert min(r["timestamp"] for r in failed) >= OUTAGE
    later = [r for r in used if r["region"] == "eu-central" and r["timestamp"] >= OUTAGE]
    assert len(failed) > 0.8 * len(later)
    admitted = sum(r["status"] == "error" for r in failed) / len(failed)
    assert 0.3 < admitted < 0.65


def test_the_agent_repeats_the_failing_call_and_answers_without_it() -> None:
    repeated = Counter(
        (r["trace_id"], r["tool_arguments"])
        for r in rows()
        if r["tool"] == "check_refund_policy" and '"error"' in r["tool_result"]
    )
    assert min(repeated.values()) >= 2
    assert sum(n >= 3 for n in repeated.values()) > 20
    hit = {trace_id for trace_id, _ in repeated}
    scored = [r for r in rows() if r["feature"] == "refunds" and r["quality_score"]]
    assert mean(float(r["quality_score"]) for r in scored if r["trace_id"] in hit) < 0.45
    assert mean(float(r["quality_score"]) for r in scored if r["trace_id"] not in hit) > 0.8


def test_ordinary_errors_are_rare_and_on_every_day() -> None:
    ordinary = [r for r in rows() if r["status"] == "error" and r["kind"] == "llm"]
    traces = {r["trace_id"] for r in rows()}
    assert 0.005 < len({r["trace_id"] for r in ordinary}) / len(traces) < 0.04
    assert len({r["timestamp"][:10] for r in ordinary}) >= 6


@pytest.mark.parametrize("name", ["support_week.otlp.jsonl.gz", "support_week.csv.gz"])
def test_addresses_are_at_example_com(name: str) -> None:
    content = made()[name].decode()
    domains = {part.split('"')[0].split("\\")[0] for part in content.split("@")[1:] if part[:1].isalpha()}
    assert {domain for domain in domains if "." in domain} <= {"example.com"}


def test_both_files_read_into_the_same_traces_with_nothing_dropped() -> None:
    dump, table = (ll.read(SAMPLES / f"support_week.{kind}.gz") for kind in ("otlp.jsonl", "csv"))
    for traces in (dump, table):
        assert not (traces.problems["action"] == "dropped").any()
    columns = ["trace_id", "feature", "n_spans", "input_tokens", "output_tokens"]
    first, second = (t.traces[columns].sort_values("trace_id", ignore_index=True) for t in (dump, table))
    assert first.equals(second)
    assert dump.traces["cost_usd"].sum() == pytest.approx(table.traces["cost_usd"].sum(), rel=1e-9)
