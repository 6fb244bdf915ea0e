"""Writes one table of the raw layer as it streams."""

import time
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from terrafusion_lib.connectors.protocol import ARROW_TYPES, Accounting, Connector, raw_schema
from terrafusion_lib.connectors.retries import retrying
from terrafusion_lib.core.errors import ConnectError
from terrafusion_lib.core.files import atomic_path, file_hash
from terrafusion_lib.core.progress import Progress
from terrafusion_lib.core.raw import RawTable, RawType, SourceTable

KIND_OF: dict[pa.DataType, RawType] = {kind: name for name, kind in ARROW_TYPES.items()}


def write_table(
    connector: Connector,
    table: SourceTable,
    years: Sequence[int],
    folder: Path,
    *,
    freshness: str,
    progress: Progress,
) -> RawTable:
    """Stream one table to ``folder/<name>.parquet``.

    A transient fault restarts the table in a new file, so that no row is duplicated.

    Raises
    ------
    ConnectError
        The source cannot be read, or the fault persists.
    OSError
        The file cannot be written; no partial file is left.
    """
    started = time.monotonic()
    again = retrying(connector.capabilities.retries)
    target = folder / f"{table.name}.parquet"
    rows, schema = again(_write_once, connector, table, years, target, progress)
    return RawTable(
        name=table.name,
        file=target.name,
        rows=rows,
        sha256=file_hash(target),
        freshness=freshness,
        columns={field.name: KIND_OF[field.type] for field in schema},
        key=table.key,
        seconds=round(time.monotonic() - started, 3),
        account=connector.account(table) if isinstance(connector, Accounting) else None,
    )


def _write_once(
    connector: Connector,
    table: SourceTable,
    years: Sequence[int],
    target: Path,
    progress: Progress,
) -> tuple[int, pa.Schema]:
    task = f"read {table.name}"
    total = connector.row_estimate(table, years)
    rows = 0
    writer: pq.ParquetWriter | None = None
    with atomic_path(target) as temporary, closing(_rows(connector, table, years)) as batches:
        try:
            for batch in batches:
                writer = writer or _open(temporary, batch.schema)
                writer.write_batch(batch)
                rows += batch.num_rows
                progress(task, rows, max(total, rows) if total is not None else None)
            writer = writer or _open(temporary, raw_schema(table))
        finally:
            if writer:
                writer.close()
    if rows != total or not rows:
        progress(task, rows, rows)
    return rows, writer.schema


def _rows(
    connector: Connector, table: SourceTable, years: Sequence[int]
) -> Generator[pa.RecordBatch]:
    """The table's batches; distinguishes unreadable sources from unwritable files."""
    try:
        yield from connector.read(table, years)
    except OSError as error:
        raise ConnectError(f"The source cannot be read: {error}", table=table.table) from error


def _open(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Dictionary encoding helps only text; for numbers it costs two thirds more time and space."""
    text = [field.name for field in schema if field.type == pa.string()]
    return pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=text or False)
