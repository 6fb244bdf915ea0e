"""What a mapping could not read: failed conversions and codes outside their value map."""

from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from terrafusion_lib.core.errors import MappingError
from terrafusion_lib.core.sql import identifier, literal
from terrafusion_lib.core.tables import Kind
from terrafusion_lib.mappers.bound import BoundTable
from terrafusion_lib.mappers.conversions import GARBLED
from terrafusion_lib.mappers.pieces import columns
from terrafusion_lib.mappers.session import Session
from terrafusion_lib.mappers.stage import CODES, DROP, Stage, key_text, staged
from terrafusion_lib.mappers.stage import FAILURES as FAILED

BATCH_ROWS = 65_536
FAILURES = "failures.parquet"
CODE_TABLE = "the source's code table"
UNMAPPED_CODES = "unmapped_codes.parquet"
FAILURE_SCHEMA = pa.schema(
    [
        pa.field(name, pa.string(), nullable=False)
        for name in ("table_name", "column_name", "source_key", "raw_value", "reason")
    ]
)
CODE_SCHEMA = pa.schema(
    [
        pa.field("table_name", pa.string(), nullable=False),
        pa.field("column_name", pa.string(), nullable=False),
        pa.field("value_map", pa.string(), nullable=False),
        pa.field("code", pa.string(), nullable=False),
        pa.field("rows", pa.int64(), nullable=False),
    ]
)


class Findings:
    """Collects findings table by table into two Parquet files."""

    def __init__(self, session: Session, failures_path: Path, codes_path: Path) -> None:
        self._session = session
        self._failures = pq.ParquetWriter(failures_path, FAILURE_SCHEMA, compression="zstd")
        self._codes_path = codes_path
        self._codes: list[tuple[str, str, str, str, int]] = []
        self.failures = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._failures.close()
        columns = list(zip(*self._codes, strict=True)) or [()] * len(CODE_SCHEMA)
        arrays = [
            pa.array(column, item.type) for column, item in zip(columns, CODE_SCHEMA, strict=True)
        ]
        pq.write_table(pa.table(arrays, schema=CODE_SCHEMA), self._codes_path)

    @property
    def unmapped(self) -> int:
        """Rows with an unlisted code, over all tables and columns."""
        return sum(row[-1] for row in self._codes)

    def add(self, table: BoundTable, stage: Stage) -> None:
        """Keep what failed in the rows of a staged table that are not left out.

        Raises
        ------
        MappingError
            A code is not listed in a value map with ``unmapped: fail``.
        """
        name, key = table.spec.name, key_text(table.spec)
        if any(output.failed for output in stage.outputs):
            self._keep(
                f"SELECT {literal(name)}, item.name, source_key, item.raw, item.reason FROM "
                f'(SELECT {key} AS source_key, unnest("{FAILED}") AS item FROM {staged(name)} '
                f'WHERE "{DROP}" IS NULL AND "{FAILED}" IS NOT NULL) ORDER BY ALL',
                name,
            )
        if any(output.unmapped for output in stage.outputs):
            self._keep_codes(table)
        for column in table.spec.columns:
            if column.kind in (Kind.TEXT, Kind.JSON) and column.name in table.columns:
                self._keep_garbled(name, column.name, key)

    def _keep_garbled(self, name: str, column: str, key: str) -> None:
        """Text that a wrong encoding spoiled is reported and kept as it is."""
        text = f'"{column}"'
        self._keep(
            f"SELECT {literal(name)}, {literal(column)}, {key} AS source_key, {text} AS raw_value, "
            f"'text looks garbled by a wrong encoding (kept)' FROM {staged(name)} "
            f'WHERE "{DROP}" IS NULL AND {GARBLED.replace("{x}", text)} '
            "ORDER BY source_key, raw_value",
            name,
        )

    def add_raw(self) -> None:
        """Keep the values of raw columns that are not of their declared type."""
        for item in self._session.failures:
            self._keep(
                f"SELECT {literal(item.rows.name)}, {literal(item.column)}, "
                f"concat_ws('/', {columns(item.rows.key)}) AS source_key, "
                f"CAST({identifier(item.column)} AS VARCHAR) AS raw_value, {item.reason} "
                f"FROM {item.scan} WHERE {item.failed} ORDER BY source_key, raw_value",
                item.rows.name,
            )

    def _keep(self, query: str, where: str) -> None:
        reader = self._session.reader(query, BATCH_ROWS, where=where)
        with self._session.fitting(where):
            for batch in reader:
                self._failures.write_batch(pa.record_batch(batch.columns, schema=FAILURE_SCHEMA))
                self.failures += batch.num_rows

    def _keep_codes(self, table: BoundTable) -> None:
        name = table.spec.name
        rows = self._session.rows(
            f'SELECT item.name, item.code, count(*) FROM (SELECT unnest("{CODES}") AS item '
            f'FROM {staged(name)} WHERE "{DROP}" IS NULL AND "{CODES}" IS NOT NULL) '
            "GROUP BY ALL ORDER BY 1, 3 DESC, 2",
            where=name,
        )
        for column, code, count in rows:
            bound = table.columns[column]
            if bound.value_map and bound.value_map.unmapped == "fail":
                unlisted = [row for row in rows if row[0] == column]
                raise MappingError(
                    f"The value map {bound.map_name} does not list every code",
                    table=name,
                    column=column,
                    count=sum(row[2] for row in unlisted),
                    examples=[f"{row[1]} ({row[2]} rows)" for row in unlisted],
                    hint=f"add them to value_maps.{bound.map_name}",
                )
            self._codes.append((name, column, bound.map_name or CODE_TABLE, code, count))
