"""Differences between DuckDB and ClickHouse, so that each analysis is written once.

Results are the same by construction: quantiles interpolate linearly between the two nearest
of all values (type 7 of Hyndman and Fan, 1996; Excel's PERCENTILE.INC), ignore nulls, and money
and areas are summed in whole hundredths, so that totals do not depend on row order or the number
of threads.
"""

from typing import Protocol

from terrafusion_lib.core.tables import Kind

HUNDREDTHS = 100
"""Parts of a dollar or square foot used for sums."""
UNKNOWN = "(none)"
"""Name of the group without a code."""


class Dialect(Protocol):
    """SQL fragments; arguments and results are expressions."""

    native_hash: bool
    """Whether rows are hashed with DuckDB's fast hash rather than one that both engines have.
    DuckDB produces the source's rows, so it can hash them either way.
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
        """Value in whole parts, halves rounded up; null for null."""
        ...

    def text(self, value: str) -> str:
        """A value as text; null for null."""
        ...

    def mark(self, text: str) -> str:
        """Order-independent hash of a group's texts: MD5 halves combined by xor."""
        ...


def total(dialect: Dialect, value: str, *, parts: int = HUNDREDTHS) -> str:
    """Exact sum of money or areas; null if there is nothing to sum."""
    return f"sum({dialect.whole(value, parts)}) / {parts}.0"


def mean(dialect: Dialect, value: str, *, parts: int = HUNDREDTHS) -> str:
    """Mean from the exact sum; null without values."""
    return f"({total(dialect, value, parts=parts)}) / nullif(count({value}), 0)"


def percent_change(new: str, old: str) -> str:
    """Change from `old` to `new` in percent; null when either is null or `old` is zero."""
    return f"100.0 * ({new} - {old}) / nullif({old}, 0)"


def earlier(value: str, by: str, position: str, steps: int) -> str:
    """The group's `value` exactly `steps` positions earlier; null if none."""
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
        values = f"quantile_cont({value}, [0.25, 0.5, 0.75])"
        return f"{values}[1]", f"{values}[2]", f"{values}[3]"

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
        values = f"quantilesExactInclusive(0.25, 0.5, 0.75)({value})"
        some = f"count({value}) > 0"  # an array cannot be null, so it contains NaN without values
        first, median, third = (f"if({some}, {values}[{place}], NULL)" for place in (1, 2, 3))
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
"""Settings that make ClickHouse follow the SQL standard."""
