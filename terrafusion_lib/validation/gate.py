"""The gate between validation and loading, and the reconciliation of every row."""

from collections.abc import Mapping

from terrafusion_lib.core.county import GateConfig
from terrafusion_lib.core.errors import GateError
from terrafusion_lib.validation.base import Severity
from terrafusion_lib.validation.results import ValidationResult

REQUIRED = "properties_operational"
STEP = "30_validate"


def gate(result: ValidationResult, config: GateConfig, *, county: str | None = None) -> None:
    """Stop the run unless every table is within the county's limits.

    Raises
    ------
    GateError
        A table has too large a share in quarantine or too few accepted rows, fails an error rule
        for the whole table, or no property was accepted. The error lists all reasons.
    """
    problems = [*_quarantined(result, config), *_too_few(result, config), *_broken(result)]
    if problems:
        raise GateError(
            "The gate stopped the run: " + "; ".join(problems),
            county=county,
            step=STEP,
            cause="the source, its mapping or a rule is wrong",
            hint="read the quarantine and the failed rules before you change a limit",
        )


def _quarantined(result: ValidationResult, config: GateConfig) -> list[str]:
    limit = config.max_quarantined_share
    return [
        f"{name}: {counts.quarantined:,} of {counts.read:,} rows quarantined "
        f"({counts.quarantined / counts.read:.1%}, limit {limit:.1%}), "
        f"most by {_main_cause(result, name)}"
        for name, counts in result.tables.items()
        if counts.quarantined > limit * counts.read
    ]


def _main_cause(result: ValidationResult, table: str) -> str:
    errors = [
        rule
        for rule in result.rules
        if rule.table == table and rule.on_rows and rule.severity is Severity.ERROR
    ]
    worst = max(errors, key=lambda rule: rule.failed)
    return f"{worst.rule} ({worst.failed:,}, such as {', '.join(worst.examples[:3])})"


def _too_few(result: ValidationResult, config: GateConfig) -> list[str]:
    limits = {REQUIRED: 1} | config.min_rows
    accepted = {name: result.tables[name].accepted for name in result.tables}
    return [
        f"{name}: {accepted.get(name, 0):,} rows accepted, at least {limit:,} required"
        for name, limit in limits.items()
        if accepted.get(name, 0) < limit
    ]


def _broken(result: ValidationResult) -> list[str]:
    return [
        f"{rule.table}: {rule.rule} ({rule.failed:,} of {rule.checked:,}): {rule.because}"
        for rule in result.rules
        if not rule.on_rows and not rule.passed and rule.severity is Severity.ERROR
    ]


def reconcile(tables: Mapping[str, Mapping[str, int]], *, county: str | None = None) -> None:
    """Account for every source row: read = filtered + quarantined + loaded, by table.

    Parameters
    ----------
    tables : mapping
        ``read``, ``filtered``, ``quarantined`` and ``loaded`` (or ``accepted`` before the load)
        by table; missing counts are 0.

    Raises
    ------
    GateError
        Rows are missing or too many; each table is listed.
    """
    wrong = []
    for name, rows in tables.items():
        kept = rows.get("loaded", rows.get("accepted", 0))
        parts = rows.get("filtered", 0), rows.get("quarantined", 0), kept
        if rows["read"] != sum(parts):
            wrong.append(
                f"{name}: {rows['read']:,} read, but {parts[0]:,} filtered + "
                f"{parts[1]:,} quarantined + {parts[2]:,} kept = {sum(parts):,}"
            )
    if wrong:
        raise GateError(
            "Rows do not reconcile: " + "; ".join(wrong),
            county=county,
            step=STEP,
            cause="rows were lost or duplicated between the source and the load",
            hint="run the map and validate steps again with --force",
        )
