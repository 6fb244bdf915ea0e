"""What DuckDB and ClickHouse write differently, so that an analysis is written once.

The answers are the same by construction: quantiles interpolate linearly between the two nearest
of all values (type 7 of Hyndman and Fan, 1996; Excel's PERCENTILE.INC), nulls are left out of
them, and money and areas are added up as whole hundredths, so that a total does not depend on the
order of the rows or the number of threads.
"""

from typing import Protocol

from terrafusion_lib.core.tables import Kind

HUNDREDTHS = 100
"""Parts of a dollar or square foot that are added up."""
UNKNOWN = "(none)"
"""How a group is called whose code is null."""


class Dialect(Protocol):
    """Pieces of SQL; arguments are expressions, results are expressions."""

    native_hash: bool
    """Whether rows are marked by DuckDB's own hash, which is fast, and not by one that both have.

    The source's rows are made by DuckDB, so they can be marked like those of either target.
    """

    def parameter(self, name: str, kind: Kind) -> str:
        """A bound value."""
        ...

    def quantile(self, value: str, share: float) -> str:
        """Quantile of the non-null values; null when there are none."""
        ...

    def quartiles(self, value: str) -> tuple[str, str, str]:
        """The quantiles at 0.25, 0.5 and 0.75, gathered in one aggregate."""
        ...

    def month(self, date: str) -> str:
        """First day of the month."""
        ...

    def whole(self, value: str, parts: int) -> str:
        """Whole number of the parts that make one, a half rounded up; null of null."""
        ...

    def text(self, value: str) -> str:
        """A value as text; null of null."""
        ...

    def mark(self, text: str) -> str:
        """Hash of a group's texts whatever their order: their MD5 halves, combined by xor."""
        ...


def total(dialect: Dialect, value: str, *, parts: int = HUNDREDTHS) -> str:
    """Exact sum of money or areas; null when there is nothing to add."""
    return f"sum({dialect.whole(value, parts)}) / {parts}.0"


def mean(dialect: Dialect, value: str, *, parts: int = HUNDREDTHS) -> str:
    """Mean by the exact sum; null when there is no value."""
    return f"({total(dialect, value, parts=parts)}) / nullif(count({value}), 0)"


def percent_change(new: str, old: str) -> str:
    """Change from `old` to `new` in percent; null when either is null or `old` is zero."""
    return f"100.0 * ({new} - {old}) / nullif({old}, 0)"


def earlier(value: str, by: str, position: str, steps: int) -> str:
    """The group's `value` exactly `steps` positions before; null where there is none."""
    return (
        f"max({value}) OVER (PARTITION BY {by} ORDER BY {position} "
        f"RANGE BETWEEN {steps} PRECEDING AND {steps} PRECEDING)"
    )


def ratio(numerator: str, denominator: str) -> str:
    """Quotient as a float; null when the denominator is zero or null."""
    return f"({numerator}) / nullif({denominator}, 0)"


def label(column: str) -> str:
    """A grouping code as text that is never null."""
    return f"coalesce({column}, '{UNKNOWN}')"


class DuckDbDialect:
    """DuckDB 2."""

    native_hash = True

    def parameter(self, name: str, kind: Kind) -> str:
        del kind  # a bound value has its own type here
        return f"${name}"

    def quantile(self, value: str, share: float) -> str:
        return f"quantile_cont({value}, {share!r})"

    def quartiles(self, value: str) -> tuple[str, str, str]:
        found = f"quantile_cont({value}, [0.25, 0.5, 0.75])"
        return f"{found}[1]", f"{found}[2]", f"{found}[3]"

    def month(self, date: str) -> str:
        return f"CAST(date_trunc('month', {date}) AS DATE)"

    def whole(self, value: str, parts: int) -> str:
        return f"CAST(floor(({value}) * {parts} + 0.5) AS BIGINT)"

    def text(self, value: str) -> str:
        return f"CAST({value} AS VARCHAR)"

    def mark(self, text: str) -> str:
        return f"bit_xor(md5_number_upper({text}))"


CLICKHOUSE_TYPES = {
    Kind.TEXT: "String",
    Kind.JSON: "String",
    Kind.INTEGER: "Int64",
    Kind.NUMBER: "Float64",
    Kind.MONEY: "Float64",
    Kind.BOOLEAN: "Bool",
    Kind.DATE: "Date32",
}
"""Date32 reaches back to 1900, Date to 1970 only."""


class ClickHouseDialect:
    """ClickHouse, server or in-process (chdb); run with version 26.9 of the engine."""

    native_hash = False

    def parameter(self, name: str, kind: Kind) -> str:
        return f"{{{name}:{CLICKHOUSE_TYPES[kind]}}}"

    def quantile(self, value: str, share: float) -> str:
        return f"quantileExactInclusive({share!r})({value})"

    def quartiles(self, value: str) -> tuple[str, str, str]:
        found = f"quantilesExactInclusive(0.25, 0.5, 0.75)({value})"
        some = f"count({value}) > 0"  # an array cannot be null, so without values it holds NaN
        first, median, third = (f"if({some}, {found}[{place}], NULL)" for place in (1, 2, 3))
        return first, median, third

    def month(self, date: str) -> str:
        return f"toStartOfMonth({date})"

    def whole(self, value: str, parts: int) -> str:
        return f"toInt64(floor(({value}) * {parts} + 0.5))"

    def text(self, value: str) -> str:
        return f"toString({value})"

    def mark(self, text: str) -> str:
        return f"groupBitXor(reinterpretAsUInt64(substring(MD5({text}), 1, 8)))"


CLICKHOUSE_SETTINGS = {
    "join_use_nulls": 1,
    "enable_extended_results_for_datetime_functions": 1,
    "prefer_column_name_to_alias": 1,
    "aggregate_functions_null_for_empty": 0,
    "data_type_default_nullable": 0,
}
"""Settings under which ClickHouse answers as the SQL standard says."""
