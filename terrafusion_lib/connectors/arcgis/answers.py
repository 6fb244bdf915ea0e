"""Strict reading of an ArcGIS server's responses; anything malformed is an error."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.core.errors import ConnectError

HINT = (
    "open the layer's address in a browser; report the problem to the layer's owner, or "
    "export the layer to a file"
)


def objects(found: Any, what: str, *, place: str, keys: Sequence[str] = ()) -> list[dict[str, Any]]:
    """A list of objects that have `keys`; a missing list is empty.

    Raises
    ------
    ConnectError
        It is something else.
    """
    items = [] if found is None else found
    if not isinstance(items, list):
        raise _odd(f"The server's {what} are not a list", found, place)
    for item in items:
        if not isinstance(item, dict) or any(item.get(key) is None for key in keys):
            raise _odd(f"One of the server's {what} cannot be read", item, place)
    return items


def whole_number(found: Any, what: str, *, place: str) -> int:
    """A whole number, possibly as text.

    Raises
    ------
    ConnectError
        It is not a whole number.
    """
    try:
        number = int(found) if isinstance(found, str) else found
        if not isinstance(number, bool) and int(number) == number:
            return int(number)
    except (TypeError, ValueError, OverflowError):
        pass
    raise _odd(f"The server's {what} is not a whole number", found, place)


def moments(column: pa.ChunkedArray, *, name: str, place: str) -> pa.ChunkedArray:
    """Timestamps from whole milliseconds since 1970, or from ISO 8601 text.

    Raises
    ------
    ConnectError
        A value is neither.
    """
    try:
        if pa.types.is_string(column.type):
            return _parsed(column)
        if pa.types.is_boolean(column.type):
            raise pa.ArrowInvalid("true and false are not dates")
        return column.cast(pa.int64()).cast(pa.timestamp("ms"))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise ConnectError(
            "A date in the layer is not in whole milliseconds since 1970",
            table=place,
            column=name,
            examples=column.drop_null().slice(0, 5).to_pylist(),
            cause=str(error),
            hint="leave the column out of the mapping, or export the layer to a file",
        ) from error


def _parsed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    zoned = pc.match_substring_regex(column, r"T.*(Z|[+-]\d\d:?\d\d)$")
    if pc.any(zoned).as_py():
        return column.cast(pa.timestamp("ms", "UTC")).cast(pa.timestamp("ms"))
    return column.cast(pa.timestamp("ms"))


def _odd(what: str, found: Any, place: str) -> ConnectError:
    return ConnectError(what, table=place, examples=[repr(found)[:80]], hint=HINT)
