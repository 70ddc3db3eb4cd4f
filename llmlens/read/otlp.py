"""OTLP dumps and their neighbours -> `Traces`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmlens.arguments import explains_arguments
from llmlens.traces import Traces

from .conventions_file import load_conventions
from .dialects import decode
from .files import MAX_UNPACKED, Paths, find, open_binary, source_name
from .load import Loader
from .raw import Problem

if TYPE_CHECKING:
    from pathlib import Path

    from .pivot import FeatureFunction
    from .prices import UserPrices


@explains_arguments
def read_otlp(
    paths: Paths,
    *,
    conventions: str | Path | None = None,
    feature: str | FeatureFunction | None = None,
    prices: UserPrices = None,
    strict: bool = False,
    max_bytes: int = MAX_UNPACKED,
) -> Traces:
    """Read dumps of OpenTelemetry traces.

    `paths`: files, globs (`**` too), folders (all files below), `-` for standard input, or a list of these; gzip and
    zstd are undone. The dialect is found by looking: the collector's NDJSON, OTLP JSON of any producer, protobuf
    (length-prefixed frames or one message), Tempo, Jaeger, Zipkin, Phoenix, MLflow, the console exporter. OTLP log
    records are joined to the spans they belong to. A span that is there twice is one span.

    `conventions`: a TOML file that extends the built-in mapping of attribute names to columns.
    `feature`: the attribute that names the product feature, or a function of a span's attributes (`name` among them).
    `prices`: a TOML file or dict of prices that win over the built-in ones.
    `strict`: raise `ReadError` at the first thing that cannot be taken as it is, naming file and line; otherwise it is
    counted in `Traces.problems` and the load goes on.
    `max_bytes`: how much a compressed file may unpack to (16 GiB) before reading it stops.

    Raises `SourceNotFoundError` when there is nothing to read.
    """
    loader = make_loader(conventions=conventions, feature=feature, prices=prices, strict=strict)
    for path in find(paths):
        load_traces(loader, path, max_bytes)
    return Traces(loader.finish())


def make_loader(
    *,
    conventions: str | Path | None,
    feature: str | FeatureFunction | None,
    prices: UserPrices,
    strict: bool,
) -> Loader:
    """Make a loader from what the readers' users can say."""
    mapping = load_conventions(conventions)
    if isinstance(feature, str):
        mapping = mapping.with_feature(feature)
    given = feature if callable(feature) else None
    return Loader(mapping, feature=given, prices=prices, strict=strict)


def load_traces(loader: Loader, path: Path, max_bytes: int) -> None:
    """Load one file of traces in any dialect."""
    source = source_name(path)
    before = loader.items_in
    with open_binary(path, max_bytes) as stream:
        loader.add_all(decode(stream, source, max_bytes=max_bytes), source, stream.position)
    if loader.items_in == before:
        loader.problem(Problem(None, "nothing in it: no spans, no log records", action="noted"), source)
