"""Columns of a stranger's table -> the tidy tables: what `recognise` found, converted."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson
import pandas as pd

from llmlens.read.raw import Problem
from llmlens.schema import CONTENTS, SPANS

from . import cells, json_rows
from .aliases import aliases
from .columns import Overrides, Recognition, recognise
from .documents import with_documents
from .score_columns import score_rows
from .tidy_frames import empty

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .rows import Rows

    Column = pd.Series[Any]

#: A column, or a function of a row (as a dict), that gives the product feature.
Feature: TypeAlias = "str | Callable[[dict[str, Any]], str | None] | None"
#: Columns that are scores, or score name -> column.
Scores: TypeAlias = "Mapping[str, str] | list[str] | None"

_ERROR_TYPE = r"^([A-Za-z_][\w.]*(?:Error|Exception|Timeout|Exceeded|Limit|Failure|Interrupt|Warning)\w*)\b"


class Conversion:
    """One run of `rows_to_tables`: columns in, tables and problems out."""

    def __init__(
        self,
        rows: Rows,
        source: str,
        columns: Overrides | None,
        *,
        feature: Feature,
        scores: Scores,
        before: Recognition | None,
    ) -> None:
        """Convert `rows`; see `table.rows_to_tables`."""
        self.rows, self.frame, self.lines, self.source = rows, rows.frame, rows.lines, source
        inner = json_rows.taken_apart(rows.frame)
        self.samples: dict[str, Column] = {**rows.columns(), **inner}
        self.top = {name: next((h for h in rows.frame.columns if name.startswith(f"{h}.")), name) for name in inner}
        self.feature = feature if callable(feature) else None
        name = None if callable(feature) else feature
        self.known = recognise(self.samples, columns, scores=scores, feature=name, before=before)
        self.problems = list(rows.problems)
        self.notes = list(rows.notes)
        self.bad: dict[str, pd.Series[bool]] = {}
        self.spans = empty(SPANS, len(rows.frame))
        self.contents = empty(CONTENTS, len(rows.frame))
        self._ids()
        self._labels()
        self._times()
        self._usage()
        self._cost()
        self._status()
        self._kind()
        self._texts()
        shape = self.known.shape
        whole_trace = shape is not None and shape.scores_of == "trace"
        self.scores = score_rows(self.known.scores, self.samples, self.spans, whole_trace=whole_trace)
        self._rest()
        if (values := self._source("documents")) is not None:
            self.spans, self.contents = with_documents(self.spans, self.contents, values)
        self._say()

    def _source(self, column: str) -> Column | None:
        found = self.known.columns.get(column)
        return None if found is None else self.samples.get(found.source)

    def _note_bad(self, column: str, bad: pd.Series[bool], what: str) -> None:
        """Keep the cells that could not be read for `metadata`, and report them."""
        if not bad.any():
            return
        header = self.known.columns[column].source
        top = self.top.get(header, header)
        self.bad[top] = self.bad.get(top, bad) | bad
        where = int(bad.to_numpy().argmax())
        example = str(cells.text(self.samples[header].iloc[[where]]).iloc[0])[:200]
        reason = f"{what} in column {header!r} (read as {column}); kept in metadata"
        self.problems.append(Problem(int(self.lines[where]), reason, example, int(bad.sum()), "repaired"))

    def _report(self, which: pd.Series[bool], reason: str, action: str) -> None:
        if which.any():
            line = int(self.lines[int(which.to_numpy().argmax())])
            self.problems.append(Problem(line, reason, "", int(which.sum()), action))

    def _ids(self) -> None:
        prefix = hashlib.blake2b(self.source.encode("utf-8", "replace"), digest_size=8).hexdigest()
        made = {
            "trace_id": [f"{prefix}{line:016x}" for line in self.lines.tolist()],
            "span_id": [f"{prefix[:8]}{line:08x}" for line in self.lines.tolist()],
        }
        for column, ids in made.items():
            values = self._source(column)
            given = cells.blank(self.frame) if values is None else cells.label(values)
            # A table without such a column is as its owner wants it; a hole in the column is something to look at.
            action = "noted" if values is None else "repaired"
            self._report(given.isna(), f"the row has no {column}; one was made of the source and the line", action)
            self.spans[column] = given.fillna(pd.Series(ids, index=given.index, dtype="str"))
            self.contents[column] = self.spans[column]

    def _labels(self) -> None:
        for column in (
            "session_id",
            "user_id",
            "name",
            "agent_name",
            "service",
            "environment",
            "release",
            "feature",
            "provider",
            "model",
            "request_model",
            "prompt_name",
            "prompt_version",
            "error_type",
        ):
            if (values := self._source(column)) is not None:
                self.spans[column] = cells.label(values)
        if (values := self._source("parent_id")) is not None:
            parents = cells.first(values)
            self.spans["parent_id"] = parents.mask(parents.str.fullmatch("0+").fillna(value=False), pd.NA)
        self.spans["provider"] = self.spans["provider"].str.lower()
        self.spans["model"] = self.spans["model"].fillna(self.spans["request_model"])
        if (values := self._source("finish_reason")) is not None:
            reasons = cells.first(values)
            known = reasons.str.lower().str.replace(r"[\W_]+", "", regex=True).map(aliases()["finish_reasons"])
            self.spans["finish_reason"] = known.astype("str").fillna(reasons)

    def _times(self) -> None:
        for column in ("start", "end"):
            if (values := self._source(column)) is not None:
                self.spans[column], bad, naive = cells.time(values)
                self._note_bad(column, bad, "not a time")
                if naive.any():
                    self.notes.append(
                        f"times in {self.known.columns[column].source!r} have no zone; they were read as UTC"
                    )
        for column in ("duration_s", "ttft_s"):
            if (values := self._source(column)) is not None:
                read, bad = cells.number(values, factor=self.known.columns[column].factor, durations=True)
                negative = (read < 0).fillna(value=False)
                self.spans[column] = read.mask(negative)
                self._note_bad(column, bad | negative, "not a duration")
        took = (self.spans["end"] - self.spans["start"]).dt.total_seconds().astype("Float64")
        self.spans["duration_s"] = self.spans["duration_s"].fillna(took.mask((took < 0).fillna(value=False)))
        day = 86_400 * 36_500
        length = pd.to_timedelta(
            self.spans["duration_s"].where(self.spans["duration_s"] < day).astype("float64"), unit="s"
        )
        ends = (self.spans["start"] + length.dt.round("us")).astype("datetime64[us, UTC]")
        self.spans["end"] = self.spans["end"].fillna(ends)

    def _usage(self) -> None:
        for column in ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens"):
            if (values := self._source(column)) is not None:
                read, bad = cells.number(values, whole=True)
                wrong = ((read < 0) | (read > 2**53)).fillna(value=False)
                self.spans[column] = read.mask(wrong).astype("Int64")
                self._note_bad(column, bad | wrong, "not a number of tokens")
        given = self.spans["input_tokens"].notna() | self.spans["output_tokens"].notna()
        self.spans["usage_source"] = given.map({True: "reported", False: "missing"}).astype("str")
        total = self.known.columns.get("total_tokens")
        if total and not given.any():
            self.notes.append(
                f"{total.source!r} says only how many tokens in all; it went to metadata, input and output are unknown"
            )

    def _cost(self) -> None:
        read = {}
        for column in ("cost_usd", "input_cost_usd", "output_cost_usd"):
            if (values := self._source(column)) is not None:
                read[column], bad = cells.number(values, factor=self.known.columns[column].factor, money=True)
                self._note_bad(column, bad, "not a cost")
        cost = read.get("cost_usd", self.spans["cost_usd"])
        if {"input_cost_usd", "output_cost_usd"} <= read.keys():
            cost = cost.fillna(read["input_cost_usd"] + read["output_cost_usd"])
        if (values := self._source("currency")) is not None:
            foreign = (cells.label(values).str.upper() != "USD").fillna(value=False) & cost.notna()
            cost = cost.mask(foreign)
            self._note_bad("currency", foreign, "the cost is not in USD")
            if "cost_usd" in read:
                header = self.known.columns["cost_usd"].source
                top = self.top.get(header, header)
                self.bad[top] = self.bad.get(top, foreign) | foreign
        self.spans["cost_usd"] = cost
        self.spans["cost_source"] = cost.notna().map({True: "reported", False: "missing"}).astype("str")

    def _status(self) -> None:
        status, message = self.spans["status"], self.spans["status_message"]
        if (values := self._source("status")) is not None:
            status, bad = cells.status(values)
            self._note_bad("status", bad, "not a status")
        if (values := self._source("status_message")) is not None:
            message = cells.text(values)
        error_type = self.spans["error_type"]
        if (values := self._source("http_status")) is not None:
            codes, bad = cells.number(values, whole=True)
            self._note_bad("http_status", bad, "not an HTTP status")
            failed = (codes >= 400).fillna(value=False)
            status = status.mask(failed, "error").fillna(codes.between(100, 399).map({True: "ok"}).astype("str"))
            error_type = error_type.fillna(codes.astype("Int64").astype("str").where(failed))
        if (values := self._source("failed")) is not None:
            truth = cells.truth(values).fillna(cells.number(values)[0] if values.dtype != "boolean" else pd.NA)
            status = status.mask((truth > 0).fillna(value=False), "error").fillna(truth.map({0.0: "ok"}).astype("str"))
        if (values := self._source("error")) is not None:
            truth = cells.truth(values)
            texts = cells.label(values).mask(truth.notna() | cells.label(values).isin(["0", "{}", "[]"]), pd.NA)
            kind, what = _error_parts(texts)
            message, error_type = message.fillna(what), error_type.fillna(kind)
            status = status.mask(texts.notna() | (truth > 0).fillna(value=False), "error").fillna(
                truth.map({0.0: "ok"}).astype("str")
            )
        elif "status" not in self.known.columns:
            status = status.mask(error_type.notna(), "error")
        self.spans["status"] = status.fillna("unset")
        self.spans["status_message"], self.spans["error_type"] = message, error_type

    def _kind(self) -> None:
        kind = self.spans["kind"]
        if (values := self._source("kind")) is not None:
            kind, bad = cells.kind(values)
            self._note_bad("kind", bad, "not a kind of span")
        shape = self.known.shape
        if shape and shape.kind:
            kind = kind.fillna(shape.kind)
        model = self.spans["model"].str.lower()
        default = model.notna().map({True: "llm", False: "span"}).astype("str")
        default = default.mask(model.str.contains("embed").fillna(value=False), "embedding")
        default = default.mask(model.str.contains("rerank").fillna(value=False), "reranker")
        self.spans["kind"] = kind.mask(kind.isna() | (kind == "span").fillna(value=False), default)
        self.spans["convention"] = shape.name if shape else "table"
        self.spans["source"] = self.source

    def _texts(self) -> None:
        for column in ("input", "output"):
            if (values := self._source(column)) is not None:
                self.contents[column] = cells.text(values)
        nuls = pd.Series(data=False, index=self.frame.index)
        for table in (self.spans, self.contents):
            for name in table.columns[[dtype == "str" for dtype in table.dtypes]]:
                found = table[name].str.contains("\0", regex=False).fillna(value=False)
                if found.any():
                    table[name] = table[name].str.replace("\0", "", regex=False)
                    nuls |= found
        self._report(nuls, "texts held NUL characters; they were taken out", "repaired")
        if (values := self._source("tags")) is not None:
            self.spans["tags"] = cells.texts(values)
        params = json_rows.objects({name: self.samples[h] for name, h in self.known.params.items()}, len(self.frame))
        if (values := self._source("params")) is not None:
            params = json_rows.merged(values, params, "params")
        self.spans["params"] = params.mask(params == "{}", pd.NA)

    def _rest(self) -> None:
        """Fill `metadata` with what became nothing else, and `attributes` with the row as it came."""
        length = len(self.frame)
        claimed = {found.source for found in self.known.columns.values()}
        kept = {self.known.columns[c].source for c in _KEPT if c in self.known.columns}
        unclaimed = {self.top.get(h, h) for h in (*self.known.rest, *kept) if h in self.samples} - (claimed - kept)
        holders = set(self.top.values())
        rest = {}
        for header, values in self.frame.items():
            name = str(header)
            open_parts = any(h in self.known.rest for h, top in self.top.items() if top == name)
            if name in unclaimed and (name not in holders or open_parts or name in kept):
                rest[name] = values
            elif name in self.bad:
                rest[name] = values.where(self.bad[name])
        metadata = json_rows.objects(rest, length)
        if (given := self._source("metadata")) is not None:
            metadata = json_rows.merged(given, metadata, self.known.columns["metadata"].source)
        self.spans["metadata"] = metadata.mask(metadata == "{}", pd.NA)
        self.contents["attributes"] = json_rows.objects(self.rows.columns(), length)
        if self.feature:
            found = [self.feature(orjson.loads(row)) for row in self.contents["attributes"]]
            self.spans["feature"] = pd.Series([None if f is None else str(f) for f in found], dtype="str")
        tagged = [_feature_tag(tags) for tags in self.spans["tags"]] if self.spans["tags"].notna().any() else None
        if tagged:
            self.spans["feature"] = self.spans["feature"].fillna(pd.Series(tagged, dtype="str"))
        self._metadata_names = list(rest) if rest else []

    def _say(self) -> None:
        known = self.known
        found = [str(f) for c, f in known.columns.items() if c in (*SPANS.names, *CONTENTS.names, "documents")]
        shape = f" (the shape of a {known.shape.name} export)" if known.shape else ""
        self.notes.insert(
            0,
            f"recognised{shape}: " + "; ".join(found) if found else "no column was recognised; name them with columns=",
        )
        if "documents" in known.columns:
            header = known.columns["documents"].source
            self.notes.append(f"documents of {header!r} are in a retriever span below the span of each row")
        if known.params:
            self.notes.append("params from " + ", ".join(repr(h) for h in known.params.values()))
        if known.scores:
            self.notes.append("scores from " + ", ".join(repr(h) for s in known.scores for h in s.sources))
        if self._metadata_names:
            self.notes.append("in metadata: " + ", ".join(map(repr, self._metadata_names)))
        self.notes += known.notes


#: Columns that say more than what is read from them: they stay in `metadata` too.
_KEPT = ("total_tokens", "http_status", "input_cost_usd", "output_cost_usd")


def _error_parts(texts: Column) -> tuple[Column, Column]:
    """Take the class and the message out of error texts: `TimeoutError: too slow`, JSON objects, tracebacks."""
    kind = texts.str.extract(_ERROR_TYPE)[0].astype("str")
    objects = texts.str.startswith("{").fillna(value=False)
    message = texts.copy()
    for index in texts.index[objects]:
        parsed = cells.parse(texts[index])
        inner = parsed.get("error", parsed) if isinstance(parsed, dict) else None
        if isinstance(inner, dict):
            named = next((inner[k] for k in ("type", "code", "name", "class") if inner.get(k)), None)
            said = next((inner[k] for k in ("message", "detail", "msg") if inner.get(k)), None)
            kind[index] = kind[index] if named is None else str(named)
            message[index] = message[index] if said is None else str(said)
    return kind, message


def _feature_tag(tags: Any) -> str | None:
    given = (tag.partition(":")[2].strip() for tag in tags or () if tag.startswith("feature:"))
    return next(given, None) if isinstance(tags, list) else None
