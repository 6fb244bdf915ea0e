"""The header that is there, when a file lacks columns."""

from collections.abc import Iterable, Sequence

from terrafusion_lib.connectors.files.not_rows import one_name
from terrafusion_lib.connectors.files.parts import FileReader
from terrafusion_lib.core.errors import ConnectError

LINES = 20
MOST_NAMES = 60


def explained(
    error: ConnectError, reader: FileReader, header: Sequence[str], wanted: Iterable[str]
) -> ConnectError:
    """The error with the file's header, and with the line that holds the wanted names.

    A line that looks like a row (a number, a date or nothing among its names) is not shown: it
    may be about a person.
    """
    names = {one_name(name).casefold() for name in wanted}
    for number, fields in reader.first_records(LINES):
        if names <= {one_name(field).casefold() for field in fields}:
            error.hint = f"line {number} has all of them: set header_row: {number} for this table"
            return error
    if any(_is_value(name) for name in header):
        error.cause = "its first line looks like data, not a header"
        error.hint = "set header: none and names, or header_row, for this table"
    else:
        shown = ", ".join(header[:MOST_NAMES])
        more = f" and {len(header) - MOST_NAMES} more" if len(header) > MOST_NAMES else ""
        error.cause = f"its header is: {shown}{more}"
    return error


def _is_value(name: str) -> bool:
    """Whether a name is empty, or a number, amount or date."""
    return not any(character.isalpha() or character == "_" for character in name)
