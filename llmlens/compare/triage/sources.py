"""The rows that signs are read from: each has `trace_id`, `start`, its slices and its numbers, in order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from llmlens.compare.drift.format_features import FEATURES, format_features
from llmlens.compare.observations import observations
from llmlens.measure.calls import tool_runs
from llmlens.measure.list_prices import paid_of_list
from llmlens.texts import text_rows

from .signs import SCORE

if TYPE_CHECKING:
    from collections.abc import Callable

    from llmlens.traces import Traces

_OF_OUTPUTS = ("refusals", "characters", "bullets", "hedges", "ends_question", "json")
_SECONDS_A_DAY = 86_400
#: How providers say that an answer was cut.
_CUT = ("length", "max_tokens", "MAX_TOKENS", "model_length")


def requests(traces: Traces) -> pd.DataFrame:
    """Give a row a trace: what it took, and whether it failed or asked a tool for the same twice."""
    found = observations(traces, ["feature"]).reset_index()
    found["failed"] = (found["status"] == "error").astype(float)
    calls = tool_runs(traces)
    same = calls.group_by(["trace_id", "tool", "arguments"]).agg(times=calls.count())
    repeats = traces.fetch(same.group_by("trace_id").agg(repeats=(same.times > 2).any().cast("float64")))
    return found.merge(repeats, on="trace_id", how="left")


def traffic(traces: Traces) -> pd.DataFrame:
    """Give a row a trace and feature: 1 where the trace is of that feature, 0 where it is of another."""
    rollup = traces.table("traces")
    found = traces.fetch(rollup.select("trace_id", "start", own=rollup.feature))
    features = found["own"].value_counts()
    if len(features) < 2:  # the only feature has all of the traffic
        features = features.iloc[:0]
    of_each = [found.assign(feature=name, share=(found["own"] == name).astype(float)) for name in features.index]
    return pd.concat([found.iloc[:0].assign(feature="", share=0.0), *of_each]).drop(columns="own")


def calls(traces: Traces) -> pd.DataFrame:
    """Give a row a model call: whether it failed or was cut, and the share of its input that the cache gave."""
    spans = traces.table("spans")
    models = spans.filter(spans.kind == "llm")
    models = models.mutate(
        failed=(models.status == "error").cast("float64"),
        cut=models.finish_reason.isin(_CUT).cast("float64"),
        cached=models.cache_read_tokens / models.input_tokens.nullif(0),
    )
    return traces.fetch(models.select("trace_id", "start", "feature", "model", "failed", "cut", "cached"))


def tools(traces: Traces) -> pd.DataFrame:
    """Give a row a tool call that was run: whether it failed, and whether it gave nothing."""
    runs = tool_runs(traces)
    ran = runs.filter(runs.executed)
    came = {name: ran[name].cast("float64") for name in ("failed", "empty")}
    return traces.fetch(ran.select("trace_id", "start", "tool", **came))


def retrievals(traces: Traces) -> pd.DataFrame:
    """Give a row a retrieval: the number, best score and mean age of its documents."""
    spans, documents = traces.table("spans"), traces.table("documents")
    searches = spans.filter(spans.kind == "retriever").select("trace_id", "span_id", "start", "feature")
    joined = searches.left_join(documents, ["trace_id", "span_id"])
    age = (joined.start.epoch_seconds() - joined.updated_at.epoch_seconds()) / _SECONDS_A_DAY
    joined = joined.mutate(age=age)
    told = joined.group_by(["trace_id", "span_id", "start", "feature"]).agg(
        documents=joined["rank"].count().cast("float64"), best=joined.score.max(), age_days=joined.age.mean()
    )
    return traces.fetch(told.mutate(empty=(told.documents == 0).cast("float64")))


def outputs(traces: Traces) -> pd.DataFrame:
    """Give a row a trace that answered: the form of the answer."""
    found = text_rows(traces, "output", by="feature")
    features = [feature for feature in FEATURES if feature.name in _OF_OUTPUTS]
    numbers = format_features(found["text"].tolist(), features)
    told = pd.DataFrame(numbers, columns=[feature.name for feature in features], index=found.index)
    return pd.concat([found[["trace_id", "start", "feature"]], told], axis=1)


def scores(traces: Traces) -> pd.DataFrame:
    """Give a row a scored trace: a column for each score that is a number (see `SCORE`), its mean over the trace."""
    table, rollup = traces.table("scores"), traces.table("traces")
    numbers = table.filter(table.value.notnull() & ~table.data_type.isin(["text", "correction"]).fill_null(False))
    of_trace = numbers.group_by(["trace_id", "name"]).agg(value=numbers.value.mean())
    joined = of_trace.inner_join(rollup.select("trace_id", "start", "feature"), "trace_id")
    found = traces.fetch(joined)
    known = found.drop_duplicates("trace_id").set_index("trace_id")[["start", "feature"]]
    wide = found.pivot_table(index="trace_id", columns="name", values="value").add_prefix(SCORE)
    return known.join(wide).reset_index()


#: By name, as `Sign.source` has it.
SOURCES: dict[str, Callable[[Traces], pd.DataFrame]] = {
    "requests": requests,
    "traffic": traffic,
    "calls": calls,
    "prices": paid_of_list,
    "tools": tools,
    "retrievals": retrievals,
    "outputs": outputs,
    "scores": scores,
}
