"""Constants and names as SQL text, where a statement cannot take them as parameters."""

from datetime import date, datetime


def literal(value: object) -> str:
    """SQL literal for a constant; text is quoted safely.

    Raises
    ------
    TypeError
        The value is not null, text, a number, a date, a time or a boolean.
    """
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    raise TypeError(f"SQL has no literal for {type(value).__name__}")


def identifier(name: str) -> str:
    """A name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
