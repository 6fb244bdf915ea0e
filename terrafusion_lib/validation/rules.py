"""The kinds of rules in a suite."""

import re
from typing import Literal, get_args

from pydantic import Field, field_validator, model_validator

from terrafusion_lib.core.config import FrozenModel
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.sql import literal
from terrafusion_lib.core.tables import Kind
from terrafusion_lib.validation.base import (
    ACCEPTED,
    CHECKED,
    FAILURES,
    RowRule,
    Rule,
    TableRule,
    Test,
    given,
    key_text,
)
from terrafusion_lib.validation.expressions import NUMBERS, ORDERED, Bound, Scope


class NotNull(RowRule):
    """The column has a value."""

    kind: Literal["not_null"]
    column: str

    def test(self, scope: Scope) -> Test:
        return Test((), f"{scope.column(self.column)} IS NOT NULL")


class Unique(RowRule):
    """No two rows have equal values in these columns; all rows with a shared key fail."""

    kind: Literal["unique"]
    columns: tuple[str, ...] = Field(min_length=1)

    def test(self, scope: Scope) -> Test:
        columns = [scope.column(name) for name in self.columns]
        key, conditions = ", ".join(columns), " AND ".join(given(columns))
        rows = f'FROM {CHECKED}."{scope.table.name}" WHERE {conditions}'
        # Grouping by a hash first keeps eight bytes a row in memory instead of the whole key.
        suspects = f"SELECT hash({key}) {rows} GROUP BY ALL HAVING count(*) > 1"
        repeated = (
            f"SELECT {key} {rows} AND hash({key}) IN ({suspects}) GROUP BY ALL HAVING count(*) > 1"
        )
        return Test(given(columns), f"({key}) NOT IN ({repeated})")

    def evidence(self) -> tuple[str, ...]:
        return self.columns


class InSet(RowRule):
    """The column has one of the values."""

    kind: Literal["in_set"]
    column: str
    values: tuple[str | int | float, ...] = Field(min_length=1)

    def test(self, scope: Scope) -> Test:
        column = scope.column(self.column)
        values = ", ".join(scope.literal(scope.constant(value)) for value in self.values)
        return Test(given([column]), f"{column} IN ({values})")

    def evidence(self) -> tuple[str, ...]:
        return (self.column,)


class Matches(RowRule):
    """The whole text of the column matches a regular expression (RE2)."""

    kind: Literal["matches"]
    column: str
    pattern: str

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"is not a regular expression: {error}") from error
        return value

    @property
    def anchored(self) -> str:
        """The pattern, anchored to the whole text."""
        return f"^(?:{self.pattern})$"

    def test(self, scope: Scope) -> Test:
        column = scope.column(self.column, (Kind.TEXT,))
        return Test(given([column]), f"regexp_matches({column}, {literal(self.anchored)})")

    def evidence(self) -> tuple[str, ...]:
        return (self.column,)


class Range(FrozenModel):
    """An inclusive range; a missing limit is open."""

    min: Bound | None = None
    max: Bound | None = None

    def test(self, column: str, scope: Scope) -> Test:
        """Conditions and test for a column in the range; a null bound sets no limit."""
        sides = [(">=", self.min), ("<=", self.max)]
        parts = [
            f"coalesce({column} {sign} ({scope.value(bound)}), true)"
            for sign, bound in sides
            if bound is not None
        ]
        return Test(given([column]), " AND ".join(parts) or "true")


class Between(RowRule):
    """The column is in a range, or in the range of its stratum (`by` and `ranges`)."""

    kind: Literal["between"]
    column: str
    min: Bound | None = None
    max: Bound | None = None
    by: str = ""
    ranges: dict[str, Range] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_form(self) -> "Between":
        plain = self.min is not None or self.max is not None
        strata = bool(self.by) and bool(self.ranges)
        if plain == strata or bool(self.by) != bool(self.ranges):
            raise ValueError("give min and max, or by and ranges")
        return self

    def test(self, scope: Scope) -> Test:
        column = scope.column(self.column, ORDERED)
        if not self.by:
            return Range(min=self.min, max=self.max).test(column, scope)
        by = scope.column(self.by, (Kind.TEXT,))
        cases = " ".join(
            f"WHEN {literal(stratum)} THEN {limits.test(column, scope).passes}"
            for stratum, limits in self.ranges.items()
        )
        strata = ", ".join(literal(stratum) for stratum in self.ranges)
        return Test((*given([column, by]), f"{by} IN ({strata})"), f"CASE {by} {cases} END")

    def evidence(self) -> tuple[str, ...]:
        return (self.column, self.by) if self.by else (self.column,)


class Compare(RowRule):
    """The column compares as stated with another column or expression."""

    kind: Literal["compare"]
    column: str
    operator: Literal["<", "<=", "=", ">=", ">", "!="]
    to: Bound
    tolerance: float = Field(default=0, ge=0, description="Tolerance of <, <=, >= and >")

    def test(self, scope: Scope) -> Test:
        column, other = scope.column(self.column), f"({scope.value(self.to)})"
        slack = {"<": f" + {self.tolerance}", ">": f" - {self.tolerance}"}
        limit = other + (slack.get(self.operator[0], "") if self.tolerance else "")
        return Test(given([column, other]), f"{column} {self.operator} {limit}")

    def evidence(self) -> tuple[str, ...]:
        names = re.findall(r"[a-z_][a-z0-9_]*(?![a-z0-9_]*[(}])", str(self.to))
        return (self.column, *names)


class Change(RowRule):
    """The column changed by no more than these shares of its prior value."""

    kind: Literal["change"]
    column: str
    prior: str
    max_rise: float = Field(gt=0, description="0.5 allows 50 % more")
    max_fall: float = Field(gt=0, le=1, description="0.5 allows 50 % less")

    def test(self, scope: Scope) -> Test:
        now, prior = scope.column(self.column, NUMBERS), scope.column(self.prior, NUMBERS)
        limits = f"{prior} * {1 - self.max_fall} AND {prior} * {1 + self.max_rise}"
        return Test((*given([now, prior]), f"{prior} > 0"), f"{now} BETWEEN {limits}")

    def evidence(self) -> tuple[str, ...]:
        return (self.column, self.prior)


class SumOf(RowRule):
    """The column is the sum of its parts within a tolerance."""

    kind: Literal["sum_of"]
    column: str
    parts: tuple[str, ...] = Field(min_length=2)
    tolerance: float = Field(default=1, ge=0)

    def test(self, scope: Scope) -> Test:
        columns = [scope.column(name, NUMBERS) for name in (self.column, *self.parts)]
        total, parts = columns[0], " - ".join(columns[1:])
        return Test(given(columns), f"abs({total} - {parts}) <= {self.tolerance}")

    def evidence(self) -> tuple[str, ...]:
        return (self.column, *self.parts)


class References(RowRule):
    """The columns identify an accepted row of another table."""

    kind: Literal["references"]
    columns: tuple[str, ...] = Field(min_length=1)
    table: str

    def test(self, scope: Scope) -> Test:
        columns = [scope.column(name) for name in self.columns]
        if self.table not in TABLES:
            raise scope.unknown("canonical table", self.table, tuple(TABLES))
        other = Scope(TABLES[self.table], scope.parameters, scope.where)
        key = ", ".join(other.column(name) for name in self.columns)
        return Test(given(columns), f'({key}) IN (SELECT {key} FROM {ACCEPTED}."{self.table}")')

    def evidence(self) -> tuple[str, ...]:
        return tuple(name for name in self.columns if name != "county_id")


class Finite(RowRule):
    """No number in the row is infinite or NaN."""

    kind: Literal["finite"]

    def test(self, scope: Scope) -> Test:
        columns = [f'"{c.name}"' for c in scope.table.columns if c.kind in NUMBERS]
        tests = [f"coalesce(isfinite({column}::DOUBLE), true)" for column in columns]
        return Test((), " AND ".join(tests) or "true")


class GroupSize(RowRule):
    """No more rows share the columns `by` than the value of `max` in each."""

    kind: Literal["group_size"]
    by: tuple[str, ...] = Field(min_length=1)
    max: str

    def test(self, scope: Scope) -> Test:
        columns = [scope.column(name) for name in self.by]
        key, limit = ", ".join(columns), scope.column(self.max, NUMBERS)
        conditions = " AND ".join(given([*columns, limit]))
        too_many = (
            f'SELECT {key} FROM {CHECKED}."{scope.table.name}" WHERE {conditions} '
            f"GROUP BY ALL HAVING count(*) > min({limit})"
        )
        return Test(given([*columns, limit]), f"({key}) NOT IN ({too_many})")

    def evidence(self) -> tuple[str, ...]:
        return (self.max, *(name for name in self.by if name != "county_id"))


class Converted(RowRule):
    """The mapping could read the source's value of these columns."""

    kind: Literal["converted"]
    columns: tuple[str, ...] = Field(min_length=1)
    except_reasons: tuple[str, ...] = Field(
        default=(), description="Failure reasons of the mapping that do not fail the rule"
    )

    def test(self, scope: Scope) -> Test:
        for name in self.columns:
            scope.column(name)
        columns = ", ".join(literal(name) for name in self.columns)
        failed = (
            f"SELECT source_key FROM {FAILURES} WHERE table_name = {literal(scope.table.name)} "
            f"AND column_name IN ({columns})"
        )
        if self.except_reasons:
            failed += f" AND reason NOT IN ({', '.join(map(literal, self.except_reasons))})"
        return Test((), f"{key_text(scope.table)} NOT IN ({failed})")


class Expression(RowRule):
    """An expression is true; if it is null, the rule does not apply."""

    kind: Literal["expression"]
    check_: str = Field(alias="check")
    show: tuple[str, ...] = Field(
        default=(), description="Columns whose values are shown in the reason"
    )

    def test(self, scope: Scope) -> Test:
        for name in self.show:
            scope.column(name)
        passes = scope.expression(self.check_)
        return Test(given([f"({passes})"]), passes)

    def evidence(self) -> tuple[str, ...]:
        return self.show


class Share(TableRule):
    """The column is null in at most this share of rows."""

    kind: Literal["share"]
    column: str
    max_null: float = Field(ge=0, le=1)

    def verify(self, scope: Scope) -> None:
        scope.column(self.column)

    def exceeded(self, nulls: str, rows: str) -> str:
        """SQL condition for too many nulls."""
        return f"({nulls}) > {self.max_null} * ({rows})"


class RowCount(TableRule):
    """The table has at least this many rows."""

    kind: Literal["row_count"]
    min: int = Field(ge=0)


KINDS: dict[str, type[Rule]] = {
    get_args(model.model_fields["kind"].annotation)[0]: model
    for model in (
        NotNull,
        Unique,
        InSet,
        Matches,
        Between,
        Compare,
        Change,
        SumOf,
        References,
        Finite,
        GroupSize,
        Converted,
        Expression,
        Share,
        RowCount,
    )
}
"""Model by kind of rule."""
