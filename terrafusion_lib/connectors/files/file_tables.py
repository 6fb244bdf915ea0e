"""How one file becomes a raw table: the names and types of its columns, its filters."""

from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.connectors.arrow_batches import cast_raw
from terrafusion_lib.connectors.files.not_rows import one_name
from terrafusion_lib.connectors.files.options import TableOptions
from terrafusion_lib.connectors.files.text_columns import NotReadableError, read_text
from terrafusion_lib.connectors.protocol import SourceColumn, find_columns
from terrafusion_lib.core.errors import ConfigError, ConnectError
from terrafusion_lib.core.raw import RawType, SourceFilter, SourceTable


def find_unique(table: SourceTable, known: Sequence[SourceColumn], *, file: str) -> list[str]:
    """The file's names of the wanted columns, in the mapping's order.

    Raises
    ------
    ConnectError
        A wanted column is missing, or the header repeats its name.
    """
    wanted = [one_name(name) for name in table.columns]
    columns = find_columns(wanted, known, table=file)
    names = [column.name for column in columns.values()]
    counts = Counter(column.name.casefold() for column in known)
    twice = [name for name in names if counts[name.casefold()] > 1]
    if twice:
        raise ConnectError(
            f"The header of {file} repeats a column name",
            table=file,
            column=", ".join(twice),
            count=sum(counts[name.casefold()] for name in twice),
            hint="rename the duplicate columns in the file",
        )
    return names


def typed(column: pa.Array, kind: RawType, options: TableOptions) -> pa.Array:
    """`column` as `kind` when every value can be read so, else as text."""
    try:
        return as_kind(column, kind, options)
    except (NotReadableError, pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return as_kind(column, RawType.TEXT, options)


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
