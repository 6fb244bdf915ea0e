"""Validation results as plain values for the gate, the command line and notebooks."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from terrafusion_lib.validation.base import Severity


@dataclass(frozen=True)
class RuleResult:
    """One rule on one table.

    `checked` counts the rows that the rule applies to, `failed` those that fail it; `examples` has
    up to five keys.
    """

    table: str
    rule: str
    kind: str
    severity: Severity
    because: str
    source: str
    on_rows: bool
    checked: int
    failed: int
    passed: bool
    examples: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Share of checked rows that failed; 0 if none was checked."""
        return self.failed / self.checked if self.checked else 0.0


@dataclass(frozen=True)
class TableCounts:
    """Rows of one table; ``read == quarantined + accepted``."""

    read: int
    quarantined: int
    accepted: int


@dataclass(frozen=True)
class Opinion:
    """The framework's summary; empty if it did not run. `disagreements` are the rules that it
    counts differently. A run's figures come from the DuckDB engine: a difference is a software
    error for the tests to catch and does not stop a county.
    """

    engine: str = ""
    disagreements: tuple[str, ...] = ()

    def __str__(self) -> str:
        count = len(self.disagreements)
        return self.engine + (f", which differs on {count} of the rules" if count else "")


@dataclass(frozen=True)
class ValidationResult:
    """The results of `validate_tables` and their location."""

    folder: Path
    tables: dict[str, TableCounts]
    rules: tuple[RuleResult, ...]
    second: Opinion = Opinion()
    changes: tuple[dict[str, str], ...] = ()
    """What the county does with shared rules: table, rule, change, reason."""

    def summary(self) -> list[dict[str, Any]]:
        """One row per table: counts of rows, and of rules with findings."""
        return [
            {"table": name, **asdict(counts)}
            | {
                "rules": sum(rule.table == name for rule in self.rules),
                "errors": self._broken(Severity.ERROR, name),
                "warnings": self._broken(Severity.WARNING, name),
            }
            for name, counts in self.tables.items()
        ]

    def headline(self) -> dict[str, Any]:
        """Figures for a run's summary."""
        return {
            "rules": len(self.rules),
            "passed": sum(rule.passed for rule in self.rules),
            "failed_errors": self._broken(Severity.ERROR),
            "failed_warnings": self._broken(Severity.WARNING),
            "rows_quarantined": sum(table.quarantined for table in self.tables.values()),
            "engine": str(self.second),
        } | ({"changed_rules": list(self.changes)} if self.changes else {})

    def rows(self) -> list[dict[str, Any]]:
        """One row per rule, in the order of the suites."""
        return [
            asdict(rule)
            | {
                "severity": rule.severity.value,
                "examples": list(rule.examples),
                "share": round(rule.share, 6),
            }
            for rule in self.rules
        ]

    def as_dict(self) -> dict[str, Any]:
        """All results, for ``results.json``."""
        return {
            "tables": {name: asdict(counts) for name, counts in self.tables.items()},
            "rules": self.rows(),
            "headline": self.headline(),
            "disagreements": list(self.second.disagreements),
        }

    def _broken(self, severity: Severity, table: str | None = None) -> int:
        return sum(
            not rule.passed and rule.severity is severity and table in (None, rule.table)
            for rule in self.rules
        )
