"""Tables of calls (CSV, JSON lines, Parquet, frames) -> the tidy tables, one row a call or a span."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import orjson
import pandas as pd
import pyarrow as pa

from ..schema import CONTENTS, SCORES, SPANS, Table
from . import cells, json_rows
from .columns import Overrides, Recognition, ScoreColumns, aliases, recognise
from .raw import Problem, Raw
from .rows import Rows, frame_rows, read_csv_rows, read_jsonl_rows, read_parquet_rows
from .runs import raw_shape, to_raw_spans

if TYPE_CHECKING:
    import os

    import numpy as np

    Column = pd.Series[Any]

#: A column, or a function of a row (as a dict), that gives the product feature.
Feature: TypeAlias = "str | Callable[[dict[str, Any]], str | None] | None"
Scores: TypeAlias = "Mapping[str, str] | list[str] | None"
#: Takes a cell that holds a whole trace as JSON, and its line; gives what is in it.
Nested: TypeAlias = Callable[[str, int], Iterable[Raw]]

_DTYPES = {"text": "str", "json": "str", "integer": "Int64", "number": "Float64", "time": "datetime64[us, UTC]", "texts": object}
_SCORE_IDS = uuid.UUID("6f0e5bb4-3a2f-5f0c-9c52-0d6f3f6b8a11")
_LONG_LABEL = 64
_ERROR_TYPE = r"^([A-Za-z_][\w.]*(?:Error|Exception|Timeout|Exceeded|Limit|Failure|Interrupt|Warning)\w*)\b"


@dataclass
class TableLoad:
    """What some rows came to: tidy frames, spans still `raw`, and what should be said about them.

    Every row is in `spans`, was the source of `raw`, or is counted in a problem with action "dropped".
    """

    spans: pd.DataFrame
    contents: pd.DataFrame
    scores: pd.DataFrame
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    raw: list[Raw] = field(default_factory=list)
    recognition: Recognition = field(default_factory=Recognition)


def read_table(
    path: str | os.PathLike[str],
    format: str | None = None,
    *,
    source: str | None = None,
    columns: Overrides | None = None,
    feature: Feature = None,
    scores: Scores = None,
    nested: Nested | None = None,
) -> Iterator[TableLoad]:
    """Read a file in chunks; `format` is csv, jsonl or parquet, else its name says (csv when it does not).

    What the first chunk decides about columns and units holds for all of them.
    """
    suffixes = {suffix.lower() for suffix in Path(path).suffixes}
    by_name = "parquet" if suffixes & {".parquet", ".pq"} else "jsonl" if suffixes & {".jsonl", ".ndjson", ".json"} else "csv"
    reader = {"csv": read_csv_rows, "jsonl": read_jsonl_rows, "parquet": read_parquet_rows}[format or by_name]
    before, said = None, set[str]()
    for rows in reader(path):
        load = rows_to_tables(
            rows, source=source or str(path), columns=columns, feature=feature, scores=scores, nested=nested, before=before
        )
        if len(rows.frame):
            load.notes = [note for note in load.notes if note not in said]
            said.update(load.notes)
            before = load.recognition
        yield load


def to_tables(
    frame: pd.DataFrame | pa.Table,
    *,
    source: str,
    columns: Overrides | None = None,
    feature: Feature = None,
    scores: Scores = None,
    nested: Nested | None = None,
    first_line: int = 1,
) -> TableLoad:
    """Make tidy tables of a frame; problems name its rows from `first_line`. See `rows_to_tables`."""
    rows = frame_rows(frame, first_line=first_line)
    return rows_to_tables(rows, source=source, columns=columns, feature=feature, scores=scores, nested=nested)


def rows_to_tables(
    rows: Rows,
    *,
    source: str,
    columns: Overrides | None = None,
    feature: Feature = None,
    scores: Scores = None,
    nested: Nested | None = None,
    before: Recognition | None = None,
) -> TableLoad:
    """Make tidy tables of rows.

    `columns`: tidy column -> header, or (header, unit); `feature`: a header, or a function of a row; `scores`: headers,
    or score name -> header, instead of the columns that look like scores. Ids that are missing are made of `source` and
    the line. Raises `UnknownNameError` when a column that is named does not exist.
    """
    if not len(rows.frame):
        return TableLoad(_empty(SPANS, 0), _empty(CONTENTS, 0), _empty(SCORES, 0), list(rows.problems), list(rows.notes))
    headers = set(rows.frame.columns)
    whole_traces = nested is not None and {"trace", "trace_metadata"} <= headers
    if not columns and (raw_shape(headers) or whole_traces):
        raw: list[Raw] = []
        if raw_shape(headers):
            records = [orjson.loads(row) for row in json_rows.objects(dict(rows.frame.items()), len(rows.frame))]
            raw = list(to_raw_spans(records, source, rows.lines.tolist()))
            note = f"the rows are {raw_shape(headers)} spans; their attributes were read as such"
        elif nested is not None:
            texts = cells.text(rows.frame["trace"])
            for line, text in zip(rows.lines.tolist(), texts, strict=True):
                raw += nested(text, line) if isinstance(text, str) else [Problem(line, "the row has no trace")]
            note = "every row is a trace; its spans were read from the JSON in it"
        return TableLoad(
            _empty(SPANS, 0), _empty(CONTENTS, 0), _empty(SCORES, 0), list(rows.problems), [*rows.notes, note], raw
        )
    return _Conversion(rows, source, columns, feature, scores, before).load()


def _empty(table: Table, length: int) -> pd.DataFrame:
    """Make a frame with the columns and dtypes of `table` and nothing in it."""
    return pd.DataFrame(
        {c.name: pd.Series([None] * length, dtype=_DTYPES[c.dtype]) for c in table.columns}, index=range(length)
    )


class _Conversion:
    """One run of `rows_to_tables`: columns in, tables and problems out."""

    def __init__(
        self, rows: Rows, source: str, columns: Overrides | None, feature: Feature, scores: Scores, before: Recognition | None
    ) -> None:
        self.frame, self.lines, self.source = rows.frame, rows.lines, source
        inner = json_rows.taken_apart(rows.frame)
        self.samples: dict[str, Column] = {**dict(rows.frame.items()), **inner}
        self.top = {name: next((h for h in rows.frame.columns if name.startswith(f"{h}.")), name) for name in inner}
        self.feature = feature if callable(feature) else None
        name = None if callable(feature) else feature
        self.known = recognise(self.samples, columns, scores=scores, feature=name, before=before)
        self.problems = list(rows.problems)
        self.notes = list(rows.notes)
        self.bad: dict[str, pd.Series[bool]] = {}
        self.spans = _empty(SPANS, len(rows.frame))
        self.contents = _empty(CONTENTS, len(rows.frame))

    def load(self) -> TableLoad:
        """Convert everything."""
        self._ids()
        self._labels()
        self._times()
        self._usage()
        self._cost()
        self._status()
        self._kind()
        self._texts()
        scores = self._scores()
        self._rest()
        self._say()
        return TableLoad(
            self.spans, self.contents, scores, self.problems, self.notes, recognition=self.known
        )

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

    def _repaired(self, which: pd.Series[bool], reason: str) -> None:
        if which.any():
            line = int(self.lines[int(which.to_numpy().argmax())])
            self.problems.append(Problem(line, reason, "", int(which.sum()), "repaired"))

    def _ids(self) -> None:
        prefix = hashlib.blake2b(self.source.encode("utf-8", "replace"), digest_size=8).hexdigest()
        made = {
            "trace_id": [f"{prefix}{line:016x}" for line in self.lines.tolist()],
            "span_id": [f"{prefix[:8]}{line:08x}" for line in self.lines.tolist()],
        }
        for column, ids in made.items():
            values = self._source(column)
            given = cells.blank(self.frame.iloc[:, 0]) if values is None else cells.label(values)
            self._repaired(given.isna(), f"the row has no {column}; one was made of the source and the line")
            self.spans[column] = given.fillna(pd.Series(ids, index=given.index, dtype="str"))
            self.contents[column] = self.spans[column]

    def _labels(self) -> None:
        for column in (
            "session_id", "user_id", "name", "agent_name", "service", "environment", "release", "feature", "provider", "model",
            "request_model", "prompt_name", "prompt_version", "error_type",
        ):  # fmt: skip
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
                    self.notes.append(f"times in {self.known.columns[column].source!r} have no zone; they were read as UTC")
        for column in ("duration_s", "ttft_s"):
            if (values := self._source(column)) is not None:
                read, bad = cells.number(values, factor=self.known.columns[column].factor, durations=True)
                negative = (read < 0).fillna(value=False)
                self.spans[column] = read.mask(negative)
                self._note_bad(column, bad | negative, "not a duration")
        took = (self.spans["end"] - self.spans["start"]).dt.total_seconds().astype("Float64")
        self.spans["duration_s"] = self.spans["duration_s"].fillna(took.mask((took < 0).fillna(value=False)))
        day = 86_400 * 36_500
        length = pd.to_timedelta(self.spans["duration_s"].where(self.spans["duration_s"] < day).astype("float64"), unit="s")
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
            self.notes.append(f"{total.source!r} says only how many tokens in all; it went to metadata, input and output are unknown")

    def _cost(self) -> None:
        read = {}
        for column in ("cost_usd", "input_cost_usd", "output_cost_usd"):
            if (values := self._source(column)) is not None:
                read[column], bad = cells.number(values, factor=self.known.columns[column].factor)
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
            status = status.mask(texts.notna() | (truth > 0).fillna(value=False), "error").fillna(truth.map({0.0: "ok"}).astype("str"))
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
        self._repaired(nuls, "texts held NUL characters; they were taken out")
        if (values := self._source("tags")) is not None:
            self.spans["tags"] = cells.texts(values)
        params = json_rows.objects({name: self.samples[h] for name, h in self.known.params.items()}, len(self.frame))
        if (values := self._source("params")) is not None:
            params = json_rows.merged(values, params, "params")
        self.spans["params"] = params.mask(params == "{}", pd.NA)

    def _scores(self) -> pd.DataFrame:
        whole_trace = self.known.shape is not None and self.known.shape.scores_of == "trace"
        frames = [self._score(score, whole_trace=whole_trace) for score in self.known.scores]
        frames = [frame for frame in frames if len(frame)]
        return pd.concat(frames, ignore_index=True) if frames else _empty(SCORES, 0)

    def _score(self, score: ScoreColumns, *, whole_trace: bool) -> pd.DataFrame:
        nothing = cells.blank(self.frame.iloc[:, 0])
        values = self.samples.get(score.value or "", nothing)
        number, _ = cells.number(values)
        truth = cells.truth(values)
        label = cells.label(values).where(number.isna())
        if score.label in self.samples:
            label = cells.label(self.samples[score.label]).fillna(label)
        comment = cells.text(self.samples[score.comment]) if score.comment in self.samples else nothing
        table = pd.DataFrame({"value": number.fillna(truth), "label": label, "comment": comment})
        kind = label.str.len().gt(_LONG_LABEL).fillna(value=False).map({True: "text", False: "categorical"}).astype("str")
        table["data_type"] = kind.mask(truth.notna(), "boolean").mask(number.notna(), "numeric")
        table["trace_id"] = self.spans["trace_id"]
        table["span_id"] = nothing if whole_trace else self.spans["span_id"]
        table["session_id"], table["name"] = nothing, score.name
        table = table[table["value"].notna() | table["label"].notna()]
        if whole_trace:
            table = table.drop_duplicates("trace_id")
        keys = zip(table["trace_id"], table["span_id"], strict=True)
        ids = [str(uuid.uuid5(_SCORE_IDS, orjson.dumps([t, s if isinstance(s, str) else None, score.name]).decode())) for t, s in keys]
        table = table.assign(score_id=pd.Series(ids, index=table.index, dtype="str"))
        columns = {c.name: table[c.name] if c.name in table else pd.NA for c in SCORES.columns}
        return pd.DataFrame(columns, index=table.index).astype({c.name: _DTYPES[c.dtype] for c in SCORES.columns})

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
        if (values := self._source("metadata")) is not None:
            metadata = json_rows.merged(values, metadata, self.known.columns["metadata"].source)
        self.spans["metadata"] = metadata.mask(metadata == "{}", pd.NA)
        self.contents["attributes"] = json_rows.objects({str(name): values for name, values in self.frame.items()}, length)
        if self.feature:
            found = [self.feature(orjson.loads(row)) for row in self.contents["attributes"]]
            self.spans["feature"] = pd.Series([None if f is None else str(f) for f in found], dtype="str")
        tagged = [_feature_tag(tags) for tags in self.spans["tags"]] if self.spans["tags"].notna().any() else None
        if tagged:
            self.spans["feature"] = self.spans["feature"].fillna(pd.Series(tagged, dtype="str"))
        self._metadata_names = list(rest) if rest else []

    def _say(self) -> None:
        known = self.known
        found = [str(f) for c, f in known.columns.items() if c in SPANS.names or c in CONTENTS.names]
        shape = f" (the shape of a {known.shape.name} export)" if known.shape else ""
        self.notes.insert(0, f"recognised{shape}: " + "; ".join(found) if found else "no column was recognised; name them with columns=")
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

