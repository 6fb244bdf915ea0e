"""Validate canonical tables: accepted rows, quarantine, warnings, results and Data Docs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.files import write_json
from terrafusion_lib.core.progress import Progress, silent
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.validation.check import check_table, source_results
from terrafusion_lib.validation.results import Opinion, RuleResult, TableCounts, ValidationResult
from terrafusion_lib.validation.session import Session, open_session
from terrafusion_lib.validation.suites import Suite, complete, ordered, readable, schema_rules
from terrafusion_lib.validation.write import findings_writer, write_accepted

TASK = "validate"


def validate_tables(
    suites: Mapping[str, Suite],
    tables: Mapping[str, Path],
    out_dir: Path,
    *,
    parameters: Mapping[str, object],
    settings: Settings,
    failures: Path | None = None,
    progress: Progress = silent,
    data_docs: bool = True,
) -> ValidationResult:
    """Check canonical tables and separate accepted from quarantined rows.

    Writes below `out_dir`: ``accepted/<table>.parquet`` (schema and order of the input),
    ``quarantine.parquet`` (one row per broken error rule and row), ``warnings.parquet`` (rule and
    key), ``results.json``, and of Great Expectations ``great_expectations/<table>.json`` and
    ``data_docs/index.html``.

    Parameters
    ----------
    suites : mapping
        Suite by table. A table without one is checked by its schema's rules.
    tables : mapping
        Parquet file by canonical table.
    parameters : mapping
        Values for parameters such as ``$county_id``: ``county_id`` and ``assessment_year``.
    failures : Path, optional
        The mapping's failed conversions; rules of kind ``converted`` read them.
    data_docs : bool
        Whether Great Expectations evaluates the suites too, which takes seconds to import.

    Raises
    ------
    ConfigError
        A suite refers to something that does not exist, or cannot be evaluated.
    GateError
        A file does not have the canonical columns.
    """
    known = complete(parameters)
    chosen = ordered({name: suites.get(name) or _schema_suite(name) for name in tables})
    results: list[RuleResult] = []
    counts: dict[str, TableCounts] = {}
    opinion = Opinion()
    (out_dir / "accepted").mkdir(parents=True, exist_ok=True)
    with open_session(tables, failures, out_dir, settings) as session:
        with findings_writer(session, out_dir) as findings:
            for done, suite in enumerate(chosen):
                progress(TASK, done, len(chosen))
                checked = check_table(session, suite, known)
                findings.add(checked)
                target = out_dir / "accepted" / f"{suite.table}.parquet"
                accepted = write_accepted(session, checked, target)
                session.accept(suite.table, target)
                session.connection.execute(f"DROP TABLE {checked.findings}")
                counts[suite.table] = TableCounts(checked.read, checked.read - accepted, accepted)
                results += checked.results
        results += source_results(session)
        if data_docs:
            opinion = _confirm(session, chosen, known, results, out_dir=out_dir, progress=progress)
    progress(TASK, len(chosen), len(chosen))
    in_order = {name: counts[name] for name in tables}
    changes = tuple(change for suite in chosen for change in suite.changes)
    result = ValidationResult(out_dir, in_order, tuple(results), opinion, changes)
    write_json(out_dir / "results.json", result.as_dict())
    return result


def _schema_suite(table: str) -> Suite:
    """The suite of a table without a file."""
    if table not in TABLES:
        raise ConfigError(f"{table!r} is not a canonical table", examples=list(TABLES))
    rules = schema_rules(TABLES[table])
    return Suite(table, TABLES[table].meaning, (*rules, readable(TABLES[table], rules)))


def _confirm(
    session: Session,
    suites: Sequence[Suite],
    parameters: Mapping[str, object],
    results: Sequence[RuleResult],
    *,
    out_dir: Path,
    progress: Progress,
) -> Opinion:
    """Also evaluate the suites with Great Expectations and keep its results and Data Docs."""
    from terrafusion_lib.validation import great_expectations_engine as framework
    from terrafusion_lib.validation.data_docs import write_data_docs

    evaluations = framework.evaluate(session, suites, parameters, progress)
    for item in evaluations:
        write_json(
            out_dir / "great_expectations" / f"{item.table}.json", item.result.to_json_dict()
        )
    write_data_docs(framework.pages(evaluations), results, out_dir / "data_docs")
    return Opinion(framework.engine_name(), framework.disagreements(evaluations, results))
