"""Checks all row rules of one table in one pass: counts and findings by row."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from terrafusion_lib.core.errors import ConfigError, GateError
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.sql import literal
from terrafusion_lib.validation.base import CHECKED, FAILURES, Check, Rule, Severity, key_text
from terrafusion_lib.validation.expressions import Scope
from terrafusion_lib.validation.results import RuleResult
from terrafusion_lib.validation.rules import RowCount, Share
from terrafusion_lib.validation.session import ROW, Session
from terrafusion_lib.validation.suites import Suite

EXAMPLES = 5


@dataclass(frozen=True)
class Checked:
    """One checked table: its rows, the result of each rule, and the location of the findings."""

    suite: Suite
    read: int
    results: tuple[RuleResult, ...]
    findings: str
    """DuckDB table with ``row`` (position in the file) and ``rule`` (index in row_rules)."""


def check_table(session: Session, suite: Suite, parameters: Mapping[str, object]) -> Checked:
    """Check one table against its suite.

    Raises
    ------
    ConfigError
        A rule does not fit the types of its columns; the error names it.
    GateError
        The file cannot be read completely, or memory ran out.
    """
    scope = Scope(TABLES[suite.table], parameters, f"suite {suite.table}")
    checks = [rule.check(scope) for rule in suite.row_rules]
    source = f'{CHECKED}."{suite.table}"'
    findings = f'"findings_{suite.table}"'
    try:
        session.connection.execute(f"CREATE TEMP TABLE {findings} AS {_findings(checks, source)}")
    except duckdb.Error as error:
        _name_culprit(session, suite, checks)
        raise GateError(
            "The table could not be checked",
            table=suite.table,
            cause=str(error).split("\n", maxsplit=1)[0],
            hint="if memory ran out, raise TERRAFUSION_DUCKDB_MEMORY_LIMIT",
        ) from error
    applied = ", ".join(f"count(*) FILTER (WHERE {check.applies})" for check in checks)
    read, *checked = session.rows(f"SELECT count(*), {applied} FROM {source}")[0]
    broken = dict(session.rows(f"SELECT rule, count(*) FROM {findings} GROUP BY rule"))
    examples = _examples(session, suite, findings)
    on_rows = [
        _result(suite, rule, checked[i], broken.get(i, 0), examples.get(i, ()))
        for i, rule in enumerate(suite.row_rules)
    ]
    on_table = [_table_result(session, suite, rule, read) for rule in suite.table_rules]
    return Checked(suite, read, (*on_rows, *on_table), findings)


def _name_culprit(session: Session, suite: Suite, checks: list[Check]) -> None:
    """Evaluate each rule separately and name the first that does not fit the data."""
    for rule, check in zip(suite.row_rules, checks, strict=True):
        try:
            session.rows(f'SELECT count_if({check.fails}) FROM {CHECKED}."{suite.table}"')
        except (duckdb.BinderException, duckdb.ConversionException) as error:
            raise ConfigError(
                f"The rule {rule.name} cannot be evaluated",
                table=suite.table,
                cause=str(error).split("\n", maxsplit=1)[0],
                hint=f"expectations/{suite.table}.yaml",
            ) from error
        except duckdb.Error:
            return


def _findings(checks: list[Check], source: str) -> str:
    """Each row with each rule it fails."""
    names = [f"broken_{i}" for i in range(len(checks))]
    columns = ", ".join(
        f"{check.fails} AS {name}" for check, name in zip(checks, names, strict=True)
    )
    indices = ", ".join(f"CASE WHEN {name} THEN {i}::USMALLINT END" for i, name in enumerate(names))
    return (
        f"SELECT row, unnest(list_filter([{indices}], lambda x: x IS NOT NULL)) AS rule "
        f"FROM (SELECT {ROW} AS row, {columns} FROM {source}) WHERE {' OR '.join(names)}"
    )


def _examples(session: Session, suite: Suite, findings: str) -> dict[int, tuple[str, ...]]:
    """Keys of the first rows that fail each rule."""
    first = f"SELECT rule, unnest(min(row, {EXAMPLES})) AS row FROM {findings} GROUP BY rule"
    rows = session.rows(
        f"SELECT rule, {key_text(TABLES[suite.table])} FROM ({first}) AS first "
        f'JOIN {CHECKED}."{suite.table}" ON first.row = {ROW} ORDER BY rule, first.row'
    )
    keys: dict[int, tuple[str, ...]] = {}
    for index, key in rows:
        keys[index] = (*keys.get(index, ()), key)
    return keys


def _result(
    suite: Suite, rule: Rule, checked: int, failed: int, examples: tuple[str, ...]
) -> RuleResult:
    return RuleResult(
        table=suite.table,
        rule=rule.name,
        kind=rule.kind,
        severity=rule.severity,
        because=rule.because,
        source=rule.source,
        on_rows=True,
        checked=checked,
        failed=failed,
        passed=not failed,
        examples=examples,
    )


def source_results(session: Session) -> list[RuleResult]:
    """Source values that do not match their declared type, by source table."""
    canonical = ", ".join(literal(name) for name in TABLES)
    rows = session.rows(
        f"SELECT table_name, count(*), min(source_key, {EXAMPLES}) FROM {FAILURES} "
        f"WHERE table_name NOT IN ({canonical}) GROUP BY 1 ORDER BY 1"
    )
    return [
        RuleResult(
            table=name,
            rule="source_readable",
            kind="converted",
            severity=Severity.WARNING,
            because="The source holds values that are not of their declared type.",
            source="",
            on_rows=False,
            checked=failed,
            failed=failed,
            passed=False,
            examples=tuple(keys),
        )
        for name, failed, keys in rows
    ]


def _table_result(session: Session, suite: Suite, rule: Rule, read: int) -> RuleResult:
    failed, passed = 0, True
    if isinstance(rule, Share):
        nulls = f'count(*) - count("{rule.column}")'
        query = f"SELECT {nulls}, {rule.exceeded(nulls, 'count(*)')}"
        failed, exceeded = session.rows(f'{query} FROM {CHECKED}."{suite.table}"')[0]
        passed = not exceeded
    elif isinstance(rule, RowCount):
        failed, passed = max(rule.min - read, 0), read >= rule.min
    return RuleResult(
        table=suite.table,
        rule=rule.name,
        kind=rule.kind,
        severity=rule.severity,
        because=rule.because,
        source=rule.source,
        on_rows=False,
        checked=read,
        failed=failed,
        passed=passed,
    )
