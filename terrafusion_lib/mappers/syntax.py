"""The engine's own parser: the text of one value as a syntax tree, and back."""

import json
from functools import cache, lru_cache
from typing import Any

import duckdb

from terrafusion_lib.core.errors import MappingError

Node = dict[str, Any]


@lru_cache(maxsize=4096)
def parse(text: str) -> Node:
    """Syntax tree of an expression; shared, so never changed in place.

    Raises
    ------
    MappingError
        Bad syntax, or more than one value.
    """
    tree: Node = json.loads(_ask("json_serialize_sql", f"SELECT {text}"))
    if tree["error"]:
        raise MappingError(tree["error_message"])
    select = tree["statements"][0]["node"]
    items: list[Node] = select["select_list"]
    rest = [select[key] for key in ("modifiers", "where_clause", "group_expressions", "having")]
    plain = select["from_table"]["type"] == "EMPTY" and not any(rest) and not select["qualify"]
    if len(tree["statements"]) != 1 or len(items) != 1 or not plain or items[0]["alias"]:
        raise MappingError("it is not one value")
    return items[0]


def sql_of(tree: Node) -> str:
    """SQL text of a syntax tree, in parentheses."""
    statement = json.loads(_empty_statement())
    statement["statements"][0]["node"]["select_list"] = [tree]
    text = _ask("json_deserialize_sql", json.dumps(statement))
    return f"({text.removeprefix('SELECT ')})"


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    """An empty database whose parser is used."""
    return duckdb.connect(":memory:", config={"threads": 1})


def _ask(function: str, text: str) -> str:
    row = _connection().cursor().execute(f"SELECT {function}(?)", [text]).fetchone()
    return str(row[0]) if row else ""


@cache
def _empty_statement() -> str:
    """A statement of one value, whose place another value takes."""
    return _ask("json_serialize_sql", "SELECT 1")
