"""What all rules share, and how a rule becomes SQL.

A rule applies to a row when its `when` is true and the columns it needs are not null; a row fails
when the rule applies and its test is not met. So a county is not flagged for columns it does not
keep.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from pydantic import Field

from terrafusion_lib.core.config import FrozenModel
from terrafusion_lib.core.tables import TableSpec
from terrafusion_lib.validation.expressions import Scope

FAILURES = "mapping.failures"
ACCEPTED = "accepted"
CHECKED = "checked"
"""DuckDB schemas: rows to check, and accepted rows of earlier tables."""


class Severity(StrEnum):
    """Effect of a failed rule: an error quarantines the row, a warning is reported."""

    ERROR = "error"
    WARNING = "warning"


class Test(NamedTuple):
    """SQL of the conditions for the rule to apply, and of its test."""

    needs: tuple[str, ...]
    passes: str


@dataclass(frozen=True)
class Check:
    """A row rule as two SQL booleans, never null; `fails` implies `applies`."""

    applies: str
    fails: str


class Rule(FrozenModel):
    """What all rules have: name, severity, reason and source."""

    name: str = Field(pattern="^[a-z][a-z0-9_]*$")
    kind: str
    severity: Severity
    because: str = Field(min_length=10, description="One sentence for county staff")
    source: str = Field(default="", description="Statute, standard or practice, if any")

    def verify(self, scope: Scope) -> None:
        """Reject a rule that refers to something that does not exist (ConfigError)."""


class RowRule(Rule):
    """A rule that each row passes or fails."""

    when: str = Field(default="", description="The rule applies where this expression is true")

    def test(self, scope: Scope) -> Test:
        raise NotImplementedError

    def verify(self, scope: Scope) -> None:
        self.check(scope)

    def evidence(self) -> tuple[str, ...]:
        """Columns whose values are shown in the reason."""
        return ()

    def check(self, scope: Scope) -> Check:
        """The rule as SQL over one row of its table."""
        needs, passes = self.test(scope)
        conditions = [*needs]
        if self.when:
            conditions.insert(0, f"coalesce(({scope.expression(self.when)}), false)")
        applies = " AND ".join(conditions) or "true"
        return Check(applies, f"({applies}) AND NOT coalesce(({passes}), false)")


class TableRule(Rule):
    """A rule for a whole table; a failed error rule stops the run at the gate."""


def given(columns: Sequence[str]) -> tuple[str, ...]:
    """SQL that requires columns to be non-null."""
    return tuple(f"{column} IS NOT NULL" for column in columns)


def key_text(table: TableSpec) -> str:
    """SQL text of a row's key without the county, parts joined by a slash."""
    parts = ", ".join(f'"{key}"' for key in table.key if key != "county_id")
    return f"concat_ws('/', {parts})"
