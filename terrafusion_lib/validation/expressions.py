"""The small expression language of rules: columns, parameters, numbers, text, and a few functions.

``building_area_sqft >= 100 * bedrooms`` or ``property_type in ('residential', 'multifamily')``.
Parameters are written as in mappings: ``$assessment_year + 1``. Anything else is rejected, so a
suite cannot access files or other tables.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from terrafusion_lib.core.config import did_you_mean
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.sql import literal
from terrafusion_lib.core.tables import Kind, TableSpec

TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<text>'(?:[^']|'')*')|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<parameter>\$[a-z_]+)|(?P<braces>\{[a-z_]*\})|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<symbol><=|>=|<>|!=|[<>=+\-*/(),])"
)
KEYWORDS = frozenset(("and", "or", "not", "is", "null", "in", "between", "like", "true", "false"))
FUNCTIONS = frozenset(
    (
        "abs",
        "coalesce",
        "greatest",
        "json_valid",
        "least",
        "length",
        "lower",
        "round",
        "upper",
        "year",
    )
)
NUMBERS = (Kind.INTEGER, Kind.NUMBER, Kind.MONEY)
ORDERED = (*NUMBERS, Kind.DATE)

Bound = int | float | date | str
"""A limit: a constant, or an expression such as ``year_built`` or ``$assessment_year + 1``."""


@dataclass(frozen=True)
class Scope:
    """What the rules of one table may refer to; `where` starts the error message."""

    table: TableSpec
    parameters: Mapping[str, object]
    where: str = ""

    def column(self, name: str, kinds: tuple[Kind, ...] = tuple(Kind)) -> str:
        """SQL identifier of a column of the table; its kind must be one of `kinds`."""
        match = next((column for column in self.table.columns if column.name == name), None)
        if match is None:
            raise self.unknown("column", name, self.table.column_names)
        if match.kind not in kinds:
            raise ConfigError(
                f"{self.where}: {name} is {match.kind.value}, but the rule needs "
                + " or ".join(kind.value for kind in kinds)
            )
        return f'"{name}"'

    def value(self, bound: Bound) -> str:
        """SQL of a constant or of an expression."""
        return self.expression(bound) if isinstance(bound, str) else self.literal(bound)

    def literal(self, value: object) -> str:
        """SQL literal of a constant.

        Raises
        ------
        ConfigError
            The value is not text, a number, a date or a boolean.
        """
        if not isinstance(value, str | int | float | date):
            raise ConfigError(f"{self.where}: a rule cannot use the constant {value!r}")
        return literal(value)

    def constant(self, bound: object) -> object:
        """A constant unchanged, or the value of ``$parameter`` if that is the whole text."""
        token = TOKEN.fullmatch(bound) if isinstance(bound, str) else None
        if token and token.lastgroup in ("parameter", "braces"):
            return self.parameter(token.group())
        return bound

    def parameter(self, token: str) -> object:
        """Value of ``$name``.

        Raises
        ------
        ConfigError
            There is no such parameter, or it is written in braces, as in older suites.
        """
        name = token.strip("${}")
        if token.startswith("{"):
            raise ConfigError(
                f"{self.where}: a parameter is written ${name}, not {token}",
                hint=f"replace {token} with ${name}, as in mappings",
            )
        if name not in self.parameters:
            raise self.unknown("parameter", name, tuple(self.parameters))
        return self.parameters[name]

    def expression(self, text: str) -> str:
        """SQL of an expression of the language.

        Raises
        ------
        ConfigError
            It has an unknown column, parameter or function, or an invalid symbol.
        """
        parts, position = [], 0
        while position < len(text):
            token = TOKEN.match(text, position)
            if token is None:
                raise ConfigError(f"{self.where}: {text[position:][:20]!r} cannot be read")
            parts.append(self._translate(token, text))
            position = token.end()
        return "".join(parts)

    def _translate(self, found: re.Match[str], text: str) -> str:
        token = found.group()
        if found.lastgroup in ("parameter", "braces"):
            return self.literal(self.parameter(token))
        if found.lastgroup != "word" or token.lower() in KEYWORDS:
            return token
        if text[found.end() :].lstrip().startswith("("):
            if token.lower() not in FUNCTIONS:
                raise self.unknown("function", token, tuple(sorted(FUNCTIONS)))
            return token
        return self.column(token)

    def unknown(self, what: str, name: str, known: tuple[str, ...]) -> ConfigError:
        """The error for an unknown name, with the closest suggestion."""
        return ConfigError(
            f"{self.where}: there is no {what} {name!r}",
            hint=did_you_mean(name, known) or f"known: {', '.join(known)}",
        )
