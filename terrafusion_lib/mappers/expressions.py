"""Expressions of a mapping: restricted SQL, checked and bound once to the columns in reach.

The engine's own parser reads the text; every node must be on the list of what is allowed, so an
expression can neither read a table or file nor give a result that changes from run to run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from terrafusion_lib.core.config import did_you_mean, nearest
from terrafusion_lib.core.errors import MappingError
from terrafusion_lib.core.sql import literal
from terrafusion_lib.mappers.parties import PARTY_RELATION
from terrafusion_lib.mappers.syntax import Node, parse, sql_of

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


@dataclass(frozen=True, eq=False)
class Expression:
    """A checked expression: every column qualified, the columns it reads, parameters still open."""

    tree: Node
    references: frozenset[tuple[str, str]]
    """Alias and name of the columns that it reads."""
    aggregates: bool

    @property
    def column(self) -> tuple[str, str] | None:
        """Alias and name, where the expression is a column as it stands."""
        if self.tree["class"] != "COLUMN_REF":
            return None
        alias, name = self.tree["column_names"]
        return alias, name

    def sql(self, parameters: Mapping[str, object]) -> str:
        """SQL text with the values of the parameters, in parentheses."""
        return sql_of(_filled(self.tree, parameters))


def _filled(node: Any, parameters: Mapping[str, object]) -> Any:
    """A tree with literals in place of its parameters."""
    if isinstance(node, list):
        return [_filled(item, parameters) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("class") == "PARAMETER":
        return parse(literal(parameters[node["identifier"]]))
    return {key: _filled(value, parameters) for key, value in node.items()}


@dataclass(frozen=True)
class Scope:
    """Columns in reach of an expression: those of the base, bare, and of each alias."""

    base: str
    columns: Mapping[str, tuple[str, ...]]
    functions: frozenset[str] = frozenset()
    """Names of value maps, callable as functions of a code."""
    named: Mapping[str, Expression] = field(default_factory=dict)
    """Expressions with a name of their own (``let``), which stand for a bare name."""

    def joined(self, alias: str, columns: tuple[str, ...]) -> "Scope":
        """The scope with the columns of one more join."""
        return replace(self, columns={**self.columns, alias: columns})

    def naming(self, name: str, expression: Expression) -> "Scope":
        """The scope with one more named expression."""
        return replace(self, named={**self.named, name: expression})

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


@dataclass
class _Binder:
    scope: Scope
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
        if kind == "PARAMETER" and node["identifier"] not in PARAMETERS:
            raise MappingError(
                f"There is no parameter ${node['identifier']}", examples=list(PARAMETERS)
            )
        if kind is not None and kind not in NODES:
            raise MappingError(f"{kind.lower().replace('_', ' ')} is not allowed in an expression")
        bound = {key: self.visit(value) for key, value in node.items()}
        if kind == "CAST" and _type_name(bound) in ("VARCHAR", "TEXT", "STRING"):
            return _plain_text(bound)
        return self._function(bound) if kind == "FUNCTION" else bound

    def _column(self, node: Node) -> Node:
        first, *more = node["column_names"]
        if not more and first in self.scope.named:
            named = self.scope.named[first]
            self.references |= named.references
            return named.tree
        column = self.scope.find(node["column_names"])
        self.references.add(column)
        return node | {"column_names": list(column)}

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


def _type_name(cast: Node) -> str:
    return str(cast["type_expr"].get("type_name")).upper()


def _plain_text(node: Node) -> Node:
    """Text of a value; a whole float has no decimals: ids and codes are compared by their text."""
    told = parse(
        "CASE WHEN typeof(x) IN ('DOUBLE', 'FLOAT') "
        "THEN regexp_replace(CAST(x AS VARCHAR), '[.]0$', '') ELSE CAST(x AS VARCHAR) END"
    )
    plain: Node = _put(told, node["child"])
    return plain


def _put(tree: Any, value: Node) -> Any:
    """A tree with a value in place of its column ``x``."""
    if isinstance(tree, list):
        return [_put(item, value) for item in tree]
    if not isinstance(tree, dict):
        return tree
    if tree.get("class") == "COLUMN_REF":
        return value
    return {key: _put(item, value) for key, item in tree.items()}


def _exact_sum(node: Node) -> Node:
    """Sum in decimals of four places: adding floats in another order gives another last digit."""
    argument = node["arguments"][0]
    cast = parse("CAST(x AS DECIMAL(28, 4))") | {"child": argument["expression"]}
    total = node | {"arguments": [argument | {"expression": cast}]}
    return parse("CAST(x AS DOUBLE)") | {"child": total}


def read_expression(text: str, scope: Scope) -> Expression:
    """Parse, check and bind an expression.

    Parameters
    ----------
    text : str
        SQL such as ``coalesce(main.stories, 1)``.
    scope : Scope
        Columns in reach; a bare name is one of the base.

    Raises
    ------
    MappingError
        Bad syntax, a column out of reach, or something that is not allowed; with the nearest name.
    """
    binder = _Binder(scope)
    try:
        bound = binder.visit(parse(text))
    except MappingError as error:
        raise MappingError(
            f"Cannot use the expression «{text}»: {error.what}",
            examples=error.examples,
            hint=error.hint,
        ) from error
    return Expression(bound, frozenset(binder.references), binder.aggregates)


def row_expression(text: str, scope: Scope) -> Expression:
    """An expression of one row; an aggregate is refused."""
    expression = read_expression(text, scope)
    if expression.aggregates:
        raise MappingError(
            f"Cannot use the expression «{text}»: it aggregates rows",
            hint="aggregate in a relation with group_by and join that",
        )
    return expression
