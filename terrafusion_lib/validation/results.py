"""What validation found."""

from dataclasses import asdict, dataclass
from typing import Any

from terrafusion_lib.validation.suites import Severity


@dataclass(frozen=True)
class RuleResult:
    """How one rule went: `checked` rows, of which `failed`; up to five example keys."""

    table: str
    rule: str
    kind: str
    severity: str
    because: str
    source: str
    checked: int
    failed: int
    examples: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """No row failed."""
        return self.failed == 0

    def as_dict(self) -> dict[str, Any]:
        """The result as plain data."""
        return asdict(self) | {"passed": self.passed}


@dataclass(frozen=True)
class TableResult:
    """Rows of one table: read = quarantined + accepted."""

    read: int
    quarantined: int
    accepted: int


@dataclass(frozen=True)
class ValidationResult:
    """Every rule and every table."""

    rules: tuple[RuleResult, ...]
    tables: dict[str, TableResult]

    def headline(self) -> dict[str, int]:
        """Figures for the run summary."""
        errors = [rule for rule in self.rules if rule.severity == Severity.ERROR]
        warnings = [rule for rule in self.rules if rule.severity == Severity.WARNING]
        return {
            "evaluated": len(self.rules),
            "passed": sum(rule.passed for rule in self.rules),
            "failed_errors": sum(not rule.passed for rule in errors),
            "warnings": sum(not rule.passed for rule in warnings),
            "quarantined_rows": sum(table.quarantined for table in self.tables.values()),
            "warned_rows": sum(rule.failed for rule in warnings),
        }
