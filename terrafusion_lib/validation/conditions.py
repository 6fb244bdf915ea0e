"""A rule as the SQL condition that a row passes."""

import re
from collections.abc import Mapping
from pathlib import Path

from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.validation.suites import Rule, RuleKind

PARAMETER = re.compile(r"\{(\w+)\}")


def quoted(value: object) -> str:
    """A value as a SQL literal."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


def condition(rule: Rule, parameters: Mapping[str, object], parents: Mapping[str, Path]) -> str:
    """SQL that is true where the row passes `rule`, and never null.

    Parameters
    ----------
    parameters : mapping
        Values for ``{name}`` in SQL texts, such as assessment_year.
    parents : mapping
        Parquet file of accepted rows by table, for rules that refer to another table.

    Raises
    ------
    ConfigError
        A parameter or the table referred to is not known.
    """
    test = _fill(_test(rule, parents), rule, parameters)
    passes = test if rule.kind is RuleKind.NOT_NULL else f"coalesce({test}, true)"
    if not rule.when:
        return passes
    return f"(NOT coalesce({_fill(rule.when, rule, parameters)}, false) OR {passes})"


def _test(rule: Rule, parents: Mapping[str, Path]) -> str:
    column = rule.column
    if rule.kind is RuleKind.NOT_NULL:
        return f"({column} IS NOT NULL)"
    if rule.kind is RuleKind.UNIQUE:
        return f"(count(*) OVER (PARTITION BY {', '.join(rule.columns)}) = 1)"
    if rule.kind is RuleKind.IN_SET:
        return f"({column} IN ({', '.join(quoted(value) for value in rule.values)}))"
    if rule.kind is RuleKind.MATCHES:
        return f"regexp_full_match({column}, {quoted(rule.pattern)})"
    if rule.kind is RuleKind.BETWEEN:
        limits = [(">=", rule.min), ("<=", rule.max)]
        tests = [f"{column} {sign} {limit}" for sign, limit in limits if limit is not None]
        return f"({' AND '.join(tests)} AND NOT isnan(CAST({column} AS DOUBLE)))"
    if rule.kind is RuleKind.REFERENCES:
        return _references(rule, parents)
    return f"({rule.expression})"


def _references(rule: Rule, parents: Mapping[str, Path]) -> str:
    if rule.table not in parents:
        raise ConfigError(f"Rule {rule.name} refers to {rule.table}, which is not validated first")
    columns = ", ".join(rule.columns)
    present = " AND ".join(f"{column} IS NOT NULL" for column in rule.columns)
    source = f"read_parquet({quoted(str(parents[rule.table]))})"
    return f"(NOT ({present}) OR ({columns}) IN (SELECT ({columns}) FROM {source}))"


def _fill(sql: str, rule: Rule, parameters: Mapping[str, object]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in parameters:
            raise ConfigError(
                f"Rule {rule.name} asks for {{{found[1]}}}, which is no parameter",
                examples=list(parameters),
            )
        return quoted(parameters[found[1]])

    return sql if rule.kind is RuleKind.MATCHES else PARAMETER.sub(value, sql)
