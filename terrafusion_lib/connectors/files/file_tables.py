"""How a file becomes a raw table: options, column types, filters."""

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from terrafusion_lib.connectors.arrow_batches import cast_raw
from terrafusion_lib.connectors.files.text_columns import NotReadableError, read_text
from terrafusion_lib.connectors.protocol import SourceColumn, find_columns
from terrafusion_lib.core.config import FrozenModel, parse
from terrafusion_lib.core.errors import ConfigError, ConnectError
from terrafusion_lib.core.raw import RawType, SourceFilter, SourceTable


class TableOptions(FrozenModel):
    """How to read one file (``options`` of a source table in the mapping)."""

    encoding: str = "utf-8"
    delimiter: str = Field(default="", max_length=1, description="Default: from the file extension")
    date_format: str = Field(
        default="", description="strptime formats, separated by |; default: ISO 8601"
    )
    null_values: str = Field(default="", description="Text that means null, separated by |")
    sheet: str = Field(default="", description="Sheet of a workbook; default: the first")
    layer: str = Field(default="", description="Layer to read from a file with several layers")
    crs: str = Field(
        default="EPSG:4326",
        description="Coordinate system to read shapes in; empty: the file's own",
    )

    @property
    def date_formats(self) -> list[str]:
        return [item for item in self.date_format.split("|") if item]

    @property
    def nulls(self) -> list[str]:
        return [item for item in self.null_values.split("|") if item]


def table_options(table: SourceTable) -> TableOptions:
    """The options of a source table, checked."""
    return parse(TableOptions, table.options, where=f"options of source table {table.name}")


def find_unique(table: SourceTable, known: Sequence[SourceColumn]) -> list[str]:
    """The file's names of the wanted columns, in the mapping's order.

    Raises
    ------
    ConnectError
        A wanted column is missing, or the header repeats its name.
    """
    columns = find_columns(list(table.columns), known, table=table.table)
    found = [column.name for column in columns.values()]
    counts = Counter(column.name for column in known)
    twice = [name for name in found if counts[name] > 1]
    if twice:
        raise ConnectError(
            f"The header of {table.table} repeats a column name",
            table=table.table,
            column=", ".join(twice),
            count=sum(counts[name] for name in twice),
            hint="rename the duplicate columns in the file",
        )
    return found


def readable(column: pa.Array, kind: RawType, options: TableOptions) -> bool:
    """Whether every value can be read as `kind`."""
    try:
        as_kind(column, kind, options)
    except (NotReadableError, pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    return True


def as_kind(column: pa.Array, kind: RawType, options: TableOptions) -> pa.Array:
    """`column` of a file as `kind`."""
    if pa.types.is_string(column.type):
        return read_text(column, kind, options.date_formats)
    return cast_raw(column, kind)


def keep(
    batch: pa.RecordBatch, item: SourceFilter, years: Sequence[int], table: SourceTable
) -> pa.Array:
    """Mask of the rows that a filter of the mapping keeps.

    Raises
    ------
    ConfigError
        The filter is for databases only, or its column is not read.
    """
    if item.kind == "current_supplement" or item.column not in table.columns:
        raise ConfigError(
            f"A file cannot be filtered by {item.kind}",
            table=table.table,
            column=item.column,
            hint="filter by years or equals on a column that is read, or filter in the mapping",
        )
    column = batch[item.column]
    if item.kind == "equals" and item.value is None:
        return pc.is_null(column)
    wanted = sorted(set(years) - {0}) if item.kind == "years" else [item.value]
    return pc.is_in(column.cast(pa.string()), pa.array([str(value) for value in wanted]))
