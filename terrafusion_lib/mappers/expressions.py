"""Expressions of a mapping: restricted SQL, parsed, checked and bound to the columns in reach.

The engine's own parser reads the text; every node must be on the list of what is allowed, so an
expression can neither read a table or file nor give a result that changes from run to run.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

import duckdb

from terrafusion_lib.core.config import did_you_mean, nearest
from terrafusion_lib.core.errors import MappingError
from terrafusion_lib.core.sql import literal
from terrafusion_lib.mappers.parties import PARTY_RELATION

Node = dict[str, Any]

NODES = frozenset([
    "BETWEEN", "CASE", "CAST", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION",
    "OPERATOR", "PARAMETER", "TYPE",
])  # fmt: skip
OPERATORS = frozenset(["+", "-", "*", "/", "//", "%", "||", "~~", "!~~", "~~*", "!~~*"])
AGGREGATES = frozenset([
    "bool_and", "bool_or", "count", "count_star", "max", "min", "string_agg", "sum",
])  # fmt: skip
SCALARS = frozenset([
    "abs", "ceil", "concat", "concat_ws", "contains", "date_diff", "date_trunc", "floor",
    "greatest", "if", "least", "left", "length", "lower", "lpad", "ltrim", "make_date", "month",
    "nullif", PARTY_RELATION, "regexp_extract", "regexp_matches", "regexp_replace", "replace",
    "right", "round", "rpad", "rtrim", "split_part", "starts_with", "strftime", "substr",
    "substring", "suffix", "trim", "trunc", "try_strptime", "upper", "year",
])  # fmt: skip
INSTEAD = {
    "avg": "sum(x) / count(x), which is the same in every run",
    "any_value": "min(x), which is the same in every run",
    "first": "a relation with first_per",
    "now": "the parameter $assessment_year",
    "random": "nothing: a run must be repeatable",
}
PARAMETERS = ("assessment_year", "county_id", "first_year")


@dataclass(frozen=True)
class Scope:
    """Columns in reach of an expression: those of the base, bare, and of each alias."""

    base: str
    columns: Mapping[str, tuple[str, ...]]
    functions: frozenset[str] = frozenset()
    """Names of value maps, callable as functions of a code."""
    named: Mapping[str, str] = field(default_factory=dict)
    """Expressions with a name of their own (``let``), which stand for a bare name."""

    def find(self, parts: list[str]) -> tuple[str, str]:
        """Alias and exact name of a column reference."""
        alias, name = (self.base, parts[0]) if len(parts) == 1 else (parts[0], parts[-1])
        if len(parts) > 2 or alias not in self.columns:
            raise MappingError(
                f"{'.'.join(parts)} names no table in reach",
                examples=sorted(self.columns),
                hint=did_you_mean(alias, self.columns, suffix=f".{name}") or "add it under joins",
            )
        exact = {column.casefold(): column for column in self.columns[alias]}.get(name.casefold())
        if exact is None:
            raise MappingError(f"{alias} has no column {name}", hint=self._suggest(alias, name))
        return alias, exact

    def _suggest(self, alias: str, name: str) -> str:
        elsewhere = [
            f"{other}.{column}"
            for other, columns in self.columns.items()
            for column in columns
            if column.casefold() == name.casefold()
        ]
        meant = did_you_mean((*elsewhere, name)[0], [*elsewhere, *self.columns[alias]])
        return meant or f"add it to the columns of {alias}"


@dataclass(frozen=True)
class Expression:
    """A checked expression, every column qualified, and the columns it reads."""

    tree: Node
    references: frozenset[tuple[str, str]]
    aggregates: bool

    @property
    def sql(self) -> str:
        """SQL text, in parentheses."""
        statement = json.loads(_empty_statement())
        statement["statements"][0]["node"]["select_list"] = [self.tree]
        text = _ask("json_deserialize_sql", json.dumps(statement))
        return f"({text.removeprefix('SELECT ')})"


@dataclass
class _Reader:
    scope: Scope
    parameters: Mapping[str, object]
    references: set[tuple[str, str]] = field(default_factory=set)
    aggregates: bool = False

    def visit(self, node: Any) -> Any:
        """The node bound to the scope, checked all the way down."""
        if isinstance(node, list):
            return [self.visit(item) for item in node]
        if not isinstance(node, dict):
            return node
        kind = node.get("class")
        if kind == "COLUMN_REF":
            return self._column(node)
        if kind == "PARAMETER":
            return self._parameter(node["identifier"])
        if kind is not None and kind not in NODES:
            raise MappingError(f"{kind.lower().replace('_', ' ')} is not allowed in an expression")
        bound = {key: self.visit(value) for key, value in node.items()}
        return self._function(bound) if kind == "FUNCTION" else bound

    def _column(self, node: Node) -> Node:
        first, *more = node["column_names"]
        if not more and first in self.scope.named:
            bound: Node = self.visit(_parse(self.scope.named[first]))
            return bound
        found = self.scope.find(node["column_names"])
        self.references.add(found)
        return node | {"column_names": list(found)}

    def _parameter(self, name: str) -> Node:
        if name not in self.parameters:
            raise MappingError(f"There is no parameter ${name}", examples=list(self.parameters))
        value = self.parameters[name]
        return _parse(literal(value))

    def _function(self, node: Node) -> Node:
        name = node["function_name"].lower()
        known = SCALARS | AGGREGATES | self.scope.functions
        if name not in known | OPERATORS:
            close = INSTEAD.get(name) or ", ".join(nearest(name, sorted(known)))
            raise MappingError(
                f"The function {name} is not allowed in an expression",
                hint=f"use {close}" if close else "docs/reference/mapping.md lists those allowed",
            )
        if name == "string_agg" and not node["order_bys"]["orders"]:
            raise MappingError("string_agg needs an ORDER BY to give the same text in every run")
        self.aggregates |= name in AGGREGATES
        return _exact_sum(node) if name == "sum" and len(node["arguments"]) == 1 else node


def _exact_sum(node: Node) -> Node:
    """Sum in decimals of four places: adding floats in another order gives another last digit."""
    argument = node["arguments"][0]
    cast = _parse("CAST(x AS DECIMAL(28, 4))") | {"child": argument["expression"]}
    total = node | {"arguments": [argument | {"expression": cast}]}
    return _parse("CAST(x AS DOUBLE)") | {"child": total}


def read_expression(
    text: str, scope: Scope, parameters: Mapping[str, object] | None = None
) -> Expression:
    """Parse, check and bind an expression.

    Parameters
    ----------
    text : str
        SQL such as ``coalesce(main.stories, 1)``.
    scope : Scope
        Columns in reach; a bare name is one of the base.
    parameters : mapping, optional
        Values of $assessment_year, $first_year and $county_id; without it any value, to check.

    Raises
    ------
    MappingError
        Bad syntax, a column out of reach, or something that is not allowed; with the nearest name.
    """
    reader = _Reader(scope, parameters or dict.fromkeys(PARAMETERS, 0))
    try:
        bound = reader.visit(_parse(text))
    except MappingError as error:
        raise MappingError(
            f"Cannot use the expression «{text}»: {error.what}",
            examples=error.examples,
            hint=error.hint,
        ) from error
    return Expression(bound, frozenset(reader.references), reader.aggregates)


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    """An empty database whose parser is used."""
    return duckdb.connect(":memory:", config={"threads": 1})


def _ask(function: str, text: str) -> str:
    row = _connection().cursor().execute(f"SELECT {function}(?)", [text]).fetchone()
    return str(row[0]) if row else ""


@lru_cache(maxsize=4096)
def _parse(text: str) -> Node:
    """Syntax tree of an expression; shared, so never changed in place."""
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


@cache
def _empty_statement() -> str:
    """A statement of one value, whose place another value takes."""
    return _ask("json_serialize_sql", "SELECT 1")
