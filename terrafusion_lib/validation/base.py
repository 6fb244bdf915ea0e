"""What all rules have in common, and how one becomes SQL.

A rule applies to a row when its `when` is true and the columns it needs are not null; it is
broken when it applies and its test is not met. So a county that does not hold a column is not
accused of it.
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
"""Schemas of the engine: rows to check, and rows of earlier tables that were accepted."""


class Severity(StrEnum):
    """What a broken rule does: an error quarantines the row, a warning is reported."""

    ERROR = "error"
    WARNING = "warning"


class Test(NamedTuple):
    """SQL of what must not be null (or must hold) for the rule to apply, and of its test."""

    needs: tuple[str, ...]
    passes: str


@dataclass(frozen=True)
class Check:
    """A rule on rows as two SQL truth values that are never null; `fails` implies `applies`."""

    applies: str
    fails: str


class Rule(FrozenModel):
    """What all rules say: a name, how severe a breach is, why, and by which authority."""

    name: str = Field(pattern="^[a-z][a-z0-9_]*$")
    kind: str
    severity: Severity
    because: str = Field(min_length=10, description="One sentence for county staff")
    source: str = Field(default="", description="Statute, standard or practice, if any")

    def verify(self, scope: Scope) -> None:
        """Refuse a rule that names what does not exist (ConfigError)."""


class RowRule(Rule):
    """A rule that each row meets or breaks."""

    when: str = Field(default="", description="The rule applies where this expression is true")

    def test(self, scope: Scope) -> Test:
        raise NotImplementedError

    def verify(self, scope: Scope) -> None:
        self.check(scope)

    def evidence(self) -> tuple[str, ...]:
        """Names whose values the reason shows, those that are columns of the table."""
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
    """A rule that a table meets or breaks as a whole; a broken error rule closes the gate."""


def given(columns: Sequence[str]) -> tuple[str, ...]:
    """SQL of columns that are not null."""
    return tuple(f"{column} IS NOT NULL" for column in columns)


def key_text(table: TableSpec) -> str:
    """SQL text of a row's key without the county, parts joined by a slash."""
    parts = ", ".join(f'"{key}"' for key in table.key if key != "county_id")
    return f"concat_ws('/', {parts})"
