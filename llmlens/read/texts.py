"""The texts of spans, taken out of their attributes when they are first asked for.

Most of a load is text that stands in the attributes anyway. It is stored once; the `contents` table with its `input`
and `output` is made when something asks for it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from llmlens.schema import CONTENTS

from .contents import assemble_input, assemble_output
from .conventions import TEXTS, Conventions

if TYPE_CHECKING:
    from typing import Self

    import pyarrow as pa

    from llmlens.store import Store

    from .contents import SpanContent

#: What a load stores of the contents: the attributes as JSON, the number of the resource, and texts that came as such.
CONTENT_ROWS = """
    CREATE TABLE content_rows (trace_id VARCHAR, span_id VARCHAR, input VARCHAR, output VARCHAR, attributes VARCHAR,
                               events VARCHAR, links VARCHAR, resource INTEGER, n BIGINT)
"""
_BATCHES = 10


def keep_text_sources(store: Store, conventions: Conventions, present: set[str], resources: dict[str, int]) -> None:
    """Note, beside the rows, which attributes of this load hold texts, and the resources."""
    import pyarrow as pa

    rows = [
        (name, place, attribute)
        for name in TEXTS
        for place, attribute in enumerate(conventions.text_attributes(name))
        if attribute in present
    ]
    store.execute('CREATE TABLE text_sources ("column" VARCHAR, place INTEGER, attribute VARCHAR)')
    for row in rows:
        store.execute("INSERT INTO text_sources VALUES (?, ?, ?)", list(row))
    table = pa.table(
        {"resource": pa.array(list(resources), pa.string()), "id": pa.array(resources.values(), pa.int32())}
    )
    store.insert("CREATE TABLE resources AS SELECT * FROM found", found=table)
    store.execute(f"CREATE VIEW raw_contents AS {_raw_sql(store)}")


def _raw_sql(store: Store) -> str:
    sources = store.execute('SELECT "column", attribute FROM text_sources ORDER BY "column", place').fetchall()
    paths = ", ".join(_path(attribute) for _, attribute in sources)
    found = f"json_extract_string(c.attributes, [{paths}])" if sources else "[]::VARCHAR[]"
    parts = {}
    for name in TEXTS:
        # An empty text, and JSON's null, leave the place to the next attribute.
        said = "CASE WHEN found[{i}] NOT IN ('', 'null') THEN found[{i}] END"
        places = [said.format(i=i) for i, (column, _) in enumerate(sources, 1) if column == name]
        parts[name] = f"coalesce({', '.join([name, *places])})"
    columns = ", ".join(f'{parts.get(c, c)} AS "{c}"' for c in CONTENTS.names)
    return f"""
        SELECT {columns}, n FROM (
            SELECT c.* EXCLUDE (resource), r.resource, {found} AS found
            FROM content_rows c LEFT JOIN resources r ON r.id = c.resource)
    """


def _path(attribute: str) -> str:
    return "'$." + json.dumps(attribute, ensure_ascii=False).replace("'", "''") + "'"


class Filling:
    """Makes the `contents` table of a load from a pass over `raw_contents`, whose texts come by SQL.

    What no attribute holds as a whole is put together by `fill`. All comes in one transaction.
    """

    def __init__(self, store: Store) -> None:
        """Say whose contents are made."""
        self._cursor = store.cursor()
        self._pieces: list[pa.RecordBatch] = []
        self._filled: list[tuple[int, str | bytes | None, str | bytes | None]] = []

    def __enter__(self) -> Self:
        """Create an empty table of texts."""
        self._cursor.begin()
        self._cursor.execute("CREATE TABLE texts (n BIGINT, input VARCHAR, output VARCHAR)")
        return self

    def add(self, batch: pa.RecordBatch) -> None:
        """Take the texts (`given`, `gave`) of the spans of a batch that do not lack any (`lacks`), by number (`n`)."""
        self._pieces.append(batch.select(["n", "given", "gave", "lacks"]))
        if len(self._pieces) >= _BATCHES:
            self._insert()

    def fill(self, n: int, span: SpanContent) -> None:
        """Put together the texts that a span lacks, and take them; `n` is its number."""
        given = assemble_input(span) if span.input is None else span.input
        gave = assemble_output(span) if span.output is None else span.output
        if given or gave:
            span.input, span.output = given, gave
        self._filled.append((n, span.input, span.output))

    def _insert(self) -> None:
        import pyarrow as pa

        if self._pieces:
            whole = pa.Table.from_batches(self._pieces)  # noqa: F841  # the SQL speaks of it, and of the next one
            self._cursor.execute("INSERT INTO texts SELECT n, given, gave FROM whole WHERE NOT lacks")
        if self._filled:
            n, given, gave = zip(*self._filled, strict=True)
            texts = (pa.array(said, pa.binary()).view(pa.string()) for said in (given, gave))  # most are UTF-8 by now
            filled = pa.table([pa.array(n), *texts], ["n", "given", "gave"])  # noqa: F841
            self._cursor.execute("INSERT INTO texts SELECT * FROM filled")
        self._pieces.clear()
        self._filled.clear()

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        """Show `contents`; after a failure there is none."""
        if failure is not None:
            self._cursor.rollback()
            return
        self._insert()
        names = ", ".join(f'{"t" if c in TEXTS else "c"}."{c}"' for c in CONTENTS.names if c != "resource")
        self._cursor.execute(f"""
            CREATE VIEW contents AS SELECT {names}, r.resource
            FROM content_rows c JOIN texts t USING (n) LEFT JOIN resources r ON r.id = c.resource
        """)
        self._cursor.commit()
