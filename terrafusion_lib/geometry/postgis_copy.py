"""Arrow out of PostgreSQL by binary COPY; `core.copy_stream` is the other way."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyarrow as pa

from terrafusion_lib.geometry.postgis_binary import BinaryRows


def copy_out(cursor: Any, query: str, schema: pa.Schema) -> pa.Table:
    """Rows of a query whose columns have the types of `schema`."""
    with ThreadPoolExecutor(1) as decoder:
        rows = BinaryRows(schema, decoder)
        cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT binary)", rows)
        return rows.table()
