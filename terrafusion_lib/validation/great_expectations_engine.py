"""The only file that uses Great Expectations.

A suite becomes expectations: built-in ones where possible, queries otherwise. They run as SQL on
DuckDB over the Parquet files; on pandas frames the same rules are several times slower and hold
the table in memory. Importing it takes seconds, so it happens inside `evaluate`.
"""

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from terrafusion_lib.core.progress import Progress, silent
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.validation.base import CHECKED, RowRule, Rule, Severity, key_text
from terrafusion_lib.validation.expressions import Scope
from terrafusion_lib.validation.results import RuleResult
from terrafusion_lib.validation.rules import Share
from terrafusion_lib.validation.session import ROW, Session
from terrafusion_lib.validation.suites import Suite

Own = tuple[str, dict[str, Any]]
"""Name of a built-in expectation, and its arguments."""
SEVERITY = {Severity.ERROR: "critical", Severity.WARNING: "warning"}
TASK = "Great Expectations"
QUERY = "unexpected_rows_expectation"
FORMAT = {"result_format": "SUMMARY", "partial_unexpected_count": 5}


@dataclass(frozen=True)
class Evaluation:
    """One evaluated suite: the framework's suite and result, for rendering and storing."""

    table: str
    suite: Any
    result: Any

    def counts(self) -> dict[str, tuple[int | None, bool]]:
        """By rule: how many rows failed (None for table rules) and whether it passed."""
        return {
            item.expectation_config.meta["rule"]: (_unexpected(item), bool(item.success))
            for item in self.result.results
        }

    def not_evaluated(self) -> dict[str, str]:
        """Reasons, by rule, why the framework could not evaluate it."""
        reasons = {
            item.expectation_config.meta["rule"]: _exception(item) for item in self.result.results
        }
        return {rule: reason for rule, reason in reasons.items() if reason}


def engine_name() -> str:
    """Name and version of the framework."""
    return f"Great Expectations {version('great_expectations')}"


def evaluate(
    session: Session,
    suites: Sequence[Suite],
    parameters: Mapping[str, object],
    progress: Progress = silent,
) -> list[Evaluation]:
    """Evaluate suites with Great Expectations on the tables of a session."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from sqlalchemy.pool import StaticPool

    from terrafusion_lib.validation.duckdb_dialect import URL

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    with warnings.catch_warnings():
        # Because of the dialect's name, it suggests its own PostgreSQL source.
        warnings.simplefilter("ignore")
        source = context.data_sources.add_sql(
            name="canonical",
            connection_string=URL,
            create_temp_table=False,
            kwargs={"creator": session.connection.cursor, "poolclass": StaticPool},
        )
    for suite in suites:
        session.connection.execute(
            f'CREATE VIEW "{suite.table}" AS '
            f'SELECT * EXCLUDE ({ROW}) FROM {CHECKED}."{suite.table}"'
        )
    try:
        evaluated: list[Evaluation] = []
        for suite in suites:
            progress(TASK, len(evaluated), len(suites))
            evaluated.append(_evaluate(gx, context, source, suite, parameters))
        progress(TASK, len(evaluated), len(suites))
        return evaluated
    finally:
        source.get_execution_engine().close()
        source.get_engine().dispose()


def _evaluate(
    gx: Any, context: Any, source: Any, suite: Suite, parameters: Mapping[str, object]
) -> Evaluation:
    scope = Scope(TABLES[suite.table], parameters, suite.table)
    compiled = context.suites.add(
        gx.ExpectationSuite(
            name=suite.table, expectations=[expectation(rule, scope) for rule in suite.rules]
        )
    )
    asset = source.add_table_asset(suite.table, table_name=suite.table)
    batch = asset.add_batch_definition_whole_table("whole table")
    definition = gx.ValidationDefinition(name=suite.table, data=batch, suite=compiled)
    result = context.validation_definitions.add(definition).run(result_format=FORMAT)
    return Evaluation(suite.table, compiled, result)


def _exception(item: Any) -> str:
    """Why an expectation could not be evaluated; empty if it was."""
    raised = item.exception_info or {}
    details = [raised] if "raised_exception" in raised else list(raised.values())
    messages = [str(part.get("exception_message")) for part in details if part["raised_exception"]]
    return messages[0] if messages else ""


def _unexpected(item: Any) -> int | None:
    """Rows found by a row expectation; None for a table expectation."""
    name = "unexpected_count"
    if item.expectation_config.type == QUERY:
        name = "observed_value"
    return int(item.result[name] or 0) if name in item.result else None


def expectation(rule: Rule, scope: Scope) -> Any:
    """A rule as an expectation: built-in if there is one, otherwise a query."""
    from great_expectations import expectations as classes

    common = {
        "meta": {"rule": rule.name, "kind": rule.kind, "source": rule.source},
        "severity": SEVERITY[rule.severity],
        "description": f"{rule.name}: {rule.because}",
    }
    conditional = isinstance(rule, RowRule) and bool(rule.when)
    own = None if conditional or rule.kind not in OWN else OWN[rule.kind](rule, scope)
    name, arguments = own or ("UnexpectedRowsExpectation", _query(rule, scope))
    return getattr(classes, name)(**arguments, **common)


def _not_null(rule: Any, _: Scope) -> Own:
    return "ExpectColumnValuesToNotBeNull", {"column": rule.column}


def _in_set(rule: Any, scope: Scope) -> Own:
    values = [scope.constant(value) for value in rule.values]
    return "ExpectColumnValuesToBeInSet", {"column": rule.column, "value_set": values}


def _matches(rule: Any, _: Scope) -> Own:
    return "ExpectColumnValuesToMatchRegex", {"column": rule.column, "regex": rule.anchored}


def _between(rule: Any, scope: Scope) -> Own | None:
    low, high = scope.constant(rule.min), scope.constant(rule.max)
    if rule.by or isinstance(low, str) or isinstance(high, str):
        return None
    limits = {"column": rule.column, "min_value": low, "max_value": high}
    return "ExpectColumnValuesToBeBetween", limits


def _compare(rule: Any, scope: Scope) -> Own | None:
    of_columns = rule.to in scope.table.column_names
    if rule.tolerance or not of_columns or rule.operator not in (">", ">="):
        return None
    return "ExpectColumnPairValuesAToBeGreaterThanB", {
        "column_A": rule.column,
        "column_B": rule.to,
        "or_equal": rule.operator == ">=",
        "ignore_row_if": "either_value_is_missing",
    }


def _row_count(rule: Any, _: Scope) -> Own:
    return "ExpectTableRowCountToBeBetween", {"min_value": rule.min}


OWN: dict[str, Callable[[Any, Scope], Own | None]] = {
    "not_null": _not_null,
    "in_set": _in_set,
    "matches": _matches,
    "between": _between,
    "compare": _compare,
    "row_count": _row_count,
}
"""Kinds of rules with a built-in expectation that streams. Its uniqueness
keeps every row in memory (five million rows: twice the time and memory of a query)."""


def _query(rule: Rule, scope: Scope) -> dict[str, str]:
    """Keys of the rows that fail a rule; braces in patterns are doubled for the framework.

    A share is a query too, because a proportion is not exact where the number of rows is: the
    framework finds 3 of 10 below 1 - 0.7.
    """
    if isinstance(rule, RowRule):
        fails = rule.check(scope).fails.replace("{", "{{").replace("}", "}}")
        query = f"SELECT {key_text(scope.table)} AS source_key FROM {{batch}} WHERE {fails}"
    elif isinstance(rule, Share):
        nulls = f"count(*) - count({scope.column(rule.column)})"
        query = f"SELECT {nulls} FROM {{batch}} HAVING {rule.exceeded(nulls, 'count(*)')}"
    else:
        raise TypeError(f"{rule.kind} has no query")
    return {"unexpected_rows_query": query}


def disagreements(
    evaluations: Sequence[Evaluation], results: Sequence[RuleResult]
) -> tuple[str, ...]:
    """Rules that Great Expectations counts differently or cannot evaluate; normally none."""
    ours = {(rule.table, rule.rule): rule for rule in results}
    different = []
    for item in evaluations:
        failed = item.not_evaluated()
        for name, (theirs, passed) in item.counts().items():
            rule = ours[item.table, name]
            if name in failed:
                different.append(f"{item.table}.{name}: not evaluated, {failed[name]}")
            elif passed != rule.passed or (rule.on_rows and theirs != rule.failed):
                different.append(
                    f"{item.table}.{name}: {theirs} by {TASK}, {rule.failed} by the DuckDB engine"
                )
    return tuple(different)


def pages(evaluations: Sequence[Evaluation]) -> dict[str, str]:
    """The framework's Data Docs as HTML by relative path, one page per suite and per result."""
    from great_expectations.render import renderer as renderers
    from great_expectations.render import view as views

    view = views.DefaultJinjaPageView()
    rendered = {}
    for item in evaluations:
        suite = renderers.ExpectationSuitePageRenderer().render(item.suite)
        rendered[f"expectations/{item.table}.html"] = view.render(suite)
        result = renderers.ValidationResultsPageRenderer().render(item.result)
        rendered[f"validations/{item.table}.html"] = view.render(result)
    return rendered
