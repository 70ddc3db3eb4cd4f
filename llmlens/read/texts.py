"""The texts of spans, taken out of their attributes when they are first asked for.

Most of a load is text that stands in the attributes anyway. It is stored once; the `contents` table with its `input`
and `output` is made when something asks for it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import orjson

from llmlens.schema import CONTENTS

from .contents import assemble_input, assemble_output
from .conventions import TEXTS, Conventions

if TYPE_CHECKING:
    from llmlens.store import Store

#: What a load stores of the contents: the attributes as JSON, the number of the resource, and texts that came as such.
CONTENT_ROWS = """
    CREATE TABLE content_rows (trace_id VARCHAR, span_id VARCHAR, input VARCHAR, output VARCHAR, attributes VARCHAR,
                               events VARCHAR, links VARCHAR, resource INTEGER, n BIGINT)
"""
_CHUNK = 2_000


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


def make_contents(store: Store) -> None:
    """Make the `contents` table of a load, once."""
    store.once("contents", lambda: _make(store))


def fill_texts(row: dict[str, Any]) -> dict[str, Any]:
    """Put together the texts of one row of `raw_contents` that no attribute holds as a whole."""
    if row["input"] is None or row["output"] is None:
        attributes = orjson.loads(row["attributes"] or b"{}")
        events = orjson.loads(row["events"] or b"[]")
        if row["input"] is None:
            row["input"] = assemble_input(attributes, events)
        if row["output"] is None:
            row["output"] = assemble_output(attributes, events)
    return row


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


def _make(store: Store) -> None:
    import pyarrow as pa

    store.execute("CREATE OR REPLACE TABLE texts AS SELECT n, input, output FROM raw_contents")
    # As bytes, which are parsed without making Python texts of them first.
    query = """
        SELECT n, t.input, t.output, encode(c.attributes) AS attributes, encode(c.events) AS events
        FROM content_rows c JOIN texts t USING (n) WHERE t.input IS NULL OR t.output IS NULL
    """
    kinds = {"n": pa.int64(), "input": pa.string(), "output": pa.string()}
    filled = [pa.table({name: pa.array([], kind) for name, kind in kinds.items()})]
    for batch in store.batches(query, _CHUNK):
        rows = [row for row in batch.to_pylist() if _fills(row)]
        filled.append(pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in kinds.items()}))
    found = pa.concat_tables(filled)
    store.insert("DELETE FROM texts WHERE n IN (SELECT n FROM filled)", filled=found)
    store.insert("INSERT INTO texts SELECT n, input, output FROM filled", filled=found)
    names = ", ".join(f'{"t" if c in TEXTS else "c"}."{c}"' for c in CONTENTS.names if c != "resource")
    store.execute(f"""
        CREATE VIEW contents AS SELECT {names}, r.resource
        FROM content_rows c JOIN texts t USING (n) LEFT JOIN resources r ON r.id = c.resource
    """)


def _fills(row: dict[str, Any]) -> bool:
    """Put together the texts of a row, and say whether that gave any."""
    before = row["input"], row["output"]
    fill_texts(row)
    return before != (row["input"], row["output"]) and bool(row["input"] or row["output"])
