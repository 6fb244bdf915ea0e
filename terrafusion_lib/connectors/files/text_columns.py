"""Converts text columns of a file to the types in the mapping, strictly and without guessing."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.connectors.protocol import ARROW_TYPES
from terrafusion_lib.core.raw import RawType

WHOLE_NUMBER = r"^[+-]?[0-9]+(\.0*)?$"
MOMENTS = (RawType.DATE, RawType.TIMESTAMP)


class NotReadableError(ValueError):
    """Some text in the column cannot be read as the declared type."""


def read_text(column: pa.Array, kind: RawType, date_formats: Sequence[str] = ()) -> pa.Array:
    """`column` as `kind`.

    Blanks around numbers and dates are dropped, and empty text is null. Whole numbers may be
    written ``3.0``. Dates are ISO 8601 unless `date_formats` (strptime) are given, of which the
    first that fits is used; nonexistent days do not fit.

    Raises
    ------
    NotReadableError
        At least one value does not fit; the column then stays text.
    """
    if kind is RawType.TEXT:
        return column
    if (plain := _plain(column, kind, date_formats)) is not None:
        return plain
    trimmed = pc.utf8_trim_whitespace(column)
    filled = pc.if_else(pc.equal(trimmed, ""), None, trimmed)
    try:
        return _convert(filled, kind, date_formats)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise NotReadableError(str(error)) from error


def _plain(column: pa.Array, kind: RawType, date_formats: Sequence[str]) -> pa.Array | None:
    """`column` as `kind` where every text is written as Arrow writes it, which is fast; or None."""
    if date_formats or kind is RawType.BOOLEAN or kind is RawType.GEOMETRY:
        return None
    try:
        read = (_iso(column) if kind in MOMENTS else column).cast(ARROW_TYPES[kind], safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    if (
        kind is RawType.INTEGER
        and pc.any(pc.match_substring(column, "x", ignore_case=True)).as_py()
    ):
        return None  # Arrow reads 0x1f
    return read if kind is not RawType.NUMBER or pc.all(pc.is_finite(read)).as_py() else None


def _convert(column: pa.Array, kind: RawType, date_formats: Sequence[str]) -> pa.Array:
    if kind is RawType.INTEGER:
        _require(pc.match_substring_regex(column, WHOLE_NUMBER))
        column = pc.replace_substring_regex(column, r"^\+|\.0*$", "")
    if kind in MOMENTS:
        moments = _with_formats(column, date_formats) if date_formats else _iso(column)
        return moments.cast(ARROW_TYPES[kind], safe=False)
    read = column.cast(ARROW_TYPES[kind])
    if kind is RawType.NUMBER:
        _require(pc.is_finite(read))
    return read


def _iso(column: pa.Array) -> pa.Array:
    return column.cast(pa.timestamp("us"))


def _with_formats(column: pa.Array, formats: Sequence[str]) -> pa.Array:
    """Timestamps by DuckDB, whose strptime rejects February 30 (Arrow returns March 1)."""
    import duckdb

    with duckdb.connect() as engine:
        engine.register("texts", pa.table({"value": column}))
        rows: Any = engine.sql(
            "SELECT try_strptime(value, ?::VARCHAR[]) FROM texts", params=[list(formats)]
        )
        moments = rows.to_arrow_table().column(0).combine_chunks()
    _require(pc.or_(pc.is_null(column), pc.is_valid(moments)))
    return moments


def _require(fits: pa.Array) -> None:
    if pc.all(fits).as_py() is False:
        raise NotReadableError("a value does not fit")
