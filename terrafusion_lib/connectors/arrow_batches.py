"""Converts Arrow columns of any source type to the types of the raw layer."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.connectors.protocol import ARROW_TYPES, raw_schema
from terrafusion_lib.core.errors import ConnectError
from terrafusion_lib.core.raw import RawType, SourceTable

EXACT = 2.0**53
"""Largest number up to which a float holds every whole one."""
DATE_LENGTH = len("2026-01-01")


def raw_batch(columns: Sequence[pa.Array], table: SourceTable) -> pa.RecordBatch:
    """One batch of the raw layer from columns in the order of `table.columns`.

    Raises
    ------
    ConnectError
        A value cannot be read as the declared type; the error gives column and first value.
    """
    arrays = [
        _read(column, kind, name, table)
        for column, (name, kind) in zip(columns, table.columns.items(), strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=raw_schema(table))


def cast_raw(column: pa.Array, kind: RawType) -> pa.Array:
    """`column` as `kind`; nothing is rounded, truncated or guessed.

    A timestamp read as a date loses its time of day, as requested.

    Raises
    ------
    pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError
        A value, or the column's type, cannot be read as `kind`.
    """
    found, target = column.type, ARROW_TYPES[kind]
    if pa.types.is_timestamp(found) and kind is RawType.TEXT:
        return _moment_text(column)
    if pa.types.is_timestamp(found):
        return column.cast(target, safe=False)
    if pa.types.is_floating(found) and kind is RawType.TEXT:
        return _number_text(column)
    if pa.types.is_string(found) and kind is RawType.DATE:
        return pc.utf8_slice_codeunits(column, 0, DATE_LENGTH).cast(target)
    if pa.types.is_decimal(found) and kind is RawType.NUMBER:
        # Arrow divides by a power of ten, which may not give the nearest number; its parser does.
        return column.cast(pa.string()).cast(target)
    return column.cast(target)


def _moment_text(column: pa.Array) -> pa.Array:
    """ISO 8601 text, without fractions if every timestamp is a whole second."""
    try:
        return column.cast(pa.timestamp("s")).cast(pa.string())
    except pa.ArrowInvalid:
        return column.cast(pa.string())


def _number_text(column: pa.Array) -> pa.Array:
    """Text of floats: a whole one without decimals or exponent, as ids and codes are compared."""
    plain = pc.and_kleene(pc.equal(column, pc.trunc(column)), pc.less_equal(pc.abs(column), EXACT))
    plain = pc.fill_null(plain, False)
    whole = pc.if_else(plain, column, None).cast(pa.int64()).cast(pa.string())
    return pc.if_else(plain, whole, column.cast(pa.string()))


def _read(column: pa.Array, kind: RawType, name: str, table: SourceTable) -> pa.Array:
    try:
        return cast_raw(column, kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        bad = _first_bad(column, kind)
        raise ConnectError(
            f"A value of {table.table} cannot be read as {kind.value}",
            table=table.table,
            column=name,
            examples=[repr(bad)],
            cause="the column's type changed at the source, or the mapping declares the wrong type",
            hint="declare the column as text in the mapping and convert it there",
        ) from error


def _first_bad(column: pa.Array, kind: RawType) -> object:
    """The first value that cannot be read as `kind`, by bisection."""
    while len(column) > 1:
        half = len(column) // 2
        column = column[:half] if not _reads(column[:half], kind) else column[half:]
    return column[0].as_py()


def _reads(column: pa.Array, kind: RawType) -> bool:
    try:
        cast_raw(column, kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    return True
