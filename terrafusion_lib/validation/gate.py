"""The gate: whether a run may load what was validated."""

from collections.abc import Mapping
from typing import Any

from terrafusion_lib.core.county import GateConfig
from terrafusion_lib.core.errors import GateError
from terrafusion_lib.validation.results import ValidationResult


def gate(result: ValidationResult, config: GateConfig, *, county: str) -> None:
    """Let the run pass, or stop it.

    Raises
    ------
    GateError
        A table has too large a share in quarantine or too few accepted rows; every such table is
        named with its worst rules.
    """
    reasons = []
    for name, rows in result.tables.items():
        share = rows.quarantined / rows.read if rows.read else 0.0
        if share > config.max_quarantined_share:
            reasons.append(
                f"{name}: {rows.quarantined:,} of {rows.read:,} rows ({share:.2%}) are "
                f"quarantined, {config.max_quarantined_share:.2%} are allowed{_worst(result, name)}"
            )
        fewest = config.min_rows.get(name, 0)
        if rows.accepted < fewest:
            reasons.append(f"{name}: {rows.accepted:,} rows accepted, {fewest:,} are expected")
    missing = [name for name in config.min_rows if name not in result.tables]
    reasons += [f"{name}: not there, {config.min_rows[name]:,} rows expected" for name in missing]
    if reasons:
        raise GateError(
            "The gate is closed: " + "; ".join(reasons),
            county=county,
            cause="the source changed, or the mapping or a rule does not fit it",
            hint="read the quarantine in 30_validate.ipynb, mend the source or the mapping",
        )


def _worst(result: ValidationResult, table: str) -> str:
    rules = [r for r in result.rules if r.table == table and r.failed and r.severity == "error"]
    worst = sorted(rules, key=lambda rule: -rule.failed)[:3]
    listed = ", ".join(f"{rule.rule} {rule.failed:,}" for rule in worst)
    return f" ({listed})" if listed else ""


def reconcile(rows: Mapping[str, Mapping[str, Any]], *, county: str) -> None:
    """Check that every row read is filtered, quarantined or accepted.

    Raises
    ------
    GateError
        Rows of a table were lost or made up; every such table is named.
    """
    wrong = [
        f"{name}: read {counts['read']:,}, filtered {counts['filtered']:,}, "
        f"quarantined {counts['quarantined']:,}, accepted {counts['accepted']:,}"
        for name, counts in rows.items()
        if counts["read"] != counts["filtered"] + counts["quarantined"] + counts["accepted"]
    ]
    if wrong:
        raise GateError("Rows do not reconcile: " + "; ".join(wrong), county=county)
