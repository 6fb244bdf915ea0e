"""Small pieces of SQL, from which the statements of a mapping are put together."""

from collections.abc import Iterable, Mapping

from terrafusion_lib.core.sql import identifier, literal


def listed(parts: Iterable[str]) -> str:
    """Parts with commas between them."""
    return ", ".join(parts)


def columns(names: Iterable[str]) -> str:
    """Column names with commas between them."""
    return listed(identifier(name) for name in names)


def named(value: str, name: str) -> str:
    """A value with the name of its column."""
    return f"{value} AS {identifier(name)}"


def column_of(alias: str, name: str) -> str:
    """A column of a table in reach."""
    return f"{identifier(alias)}.{identifier(name)}"


def cast(value: str, sql_type: str) -> str:
    """A value as another type."""
    return f"CAST({value} AS {sql_type})"


def case(branches: Iterable[tuple[str, str]], otherwise: str = "", *, of: str = "") -> str:
    """The value of the first branch whose condition holds; with `of`, that equals it."""
    when = "".join(f" WHEN {condition} THEN {value}" for condition, value in branches)
    head = f"CASE {of}" if of else "CASE"
    return f"{head}{when} ELSE {otherwise} END" if otherwise else f"{head}{when} END"


def struct(members: Mapping[str, str]) -> str:
    """A record of values by name."""
    return "{" + listed(f"{literal(name)}: {value}" for name, value in members.items()) + "}"


def text_array(texts: Iterable[str]) -> str:
    """A list of constant texts."""
    return f"[{listed(literal(text) for text in texts)}]"


def select(values: Iterable[str], source: str) -> str:
    """A query of `source`, which begins with FROM."""
    return f"SELECT {listed(values)} {source}"
