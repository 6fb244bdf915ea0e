"""Suites: engine-neutral rules on canonical tables, read from ``expectations/<table>.yaml``."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from terrafusion_lib.core.config import FrozenModel, load, nearest
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.schema import TABLES


class Severity(StrEnum):
    """An error quarantines the row; a warning reports it."""

    ERROR = "error"
    WARNING = "warning"


class RuleKind(StrEnum):
    """What a rule demands of each row; a null passes every kind but not_null."""

    NOT_NULL = "not_null"
    UNIQUE = "unique"
    IN_SET = "in_set"
    MATCHES = "matches"
    BETWEEN = "between"
    REFERENCES = "references"
    EXPRESSION = "expression"


NEEDS: dict[RuleKind, tuple[str, ...]] = {
    RuleKind.NOT_NULL: ("column",),
    RuleKind.UNIQUE: ("columns",),
    RuleKind.IN_SET: ("column", "values"),
    RuleKind.MATCHES: ("column", "pattern"),
    RuleKind.BETWEEN: ("column",),
    RuleKind.REFERENCES: ("columns", "table"),
    RuleKind.EXPRESSION: ("expression",),
}
OPTIONAL = {RuleKind.BETWEEN: ("min", "max")}
FIELDS = ("column", "columns", "values", "pattern", "min", "max", "table", "expression")


class Rule(FrozenModel):
    """One rule. `because` is the sentence that a quarantined row carries."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: RuleKind
    severity: Severity = Severity.ERROR
    because: str
    source: str = Field(default="", description="Citation: standard, code, office practice")
    when: str = Field(default="", description="SQL condition: the rule applies to these rows only")
    column: str = ""
    columns: tuple[str, ...] = ()
    values: tuple[str | int | float, ...] = ()
    pattern: str = Field(default="", description="Regular expression that the whole value matches")
    min: float | str | None = Field(default=None, description="Inclusive; number or SQL expression")
    max: float | str | None = Field(default=None, description="Inclusive; number or SQL expression")
    table: str = Field(default="", description="Canonical table that the columns refer to")
    expression: str = Field(default="", description="SQL condition that must hold")

    @model_validator(mode="after")
    def _check_fields(self) -> Self:
        needed = NEEDS[self.kind]
        allowed = (*needed, *OPTIONAL.get(self.kind, ()))
        missing = [name for name in needed if not getattr(self, name)]
        extra = [n for n in FIELDS if getattr(self, n) not in ("", (), None) and n not in allowed]
        if missing or extra:
            word = f"needs {missing[0]}" if missing else f"does not take {extra[0]}"
            raise ValueError(f"rule {self.name}: a rule of kind {self.kind} {word}")
        if self.kind is RuleKind.BETWEEN and self.min is None and self.max is None:
            raise ValueError(f"rule {self.name}: between needs min, max or both")
        return self

    @property
    def own_columns(self) -> tuple[str, ...]:
        """Columns that the rule names outside SQL text."""
        return (self.column,) if self.column else self.columns


class Suite(FrozenModel):
    """The rules of one canonical table."""

    table: str
    rules: tuple[Rule, ...]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.table not in TABLES:
            close = nearest(self.table, list(TABLES))
            hint = f"; did you mean {close[0]}?" if close else ""
            raise ValueError(f"{self.table} is no canonical table{hint}")
        known = TABLES[self.table].column_names
        names: set[str] = set()
        for rule in self.rules:
            if rule.name in names:
                raise ValueError(f"rule {rule.name} stands twice")
            names.add(rule.name)
            for column in rule.own_columns:
                if column not in known:
                    close = nearest(column, list(known))
                    hint = f"; did you mean {close[0]}?" if close else ""
                    raise ValueError(f"rule {rule.name}: no column {column}{hint}")
        return self


def load_suites(folder: Path, names: Sequence[str] = ()) -> dict[str, Suite]:
    """Suites by table, of `names` when given.

    Raises
    ------
    ConfigError
        A suite is missing or not valid: unknown keys, kinds, tables and columns are named.
    """
    found = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    unknown = [name for name in names if name not in found]
    if unknown:
        raise ConfigError(f"{folder} has no suite {unknown[0]}", examples=list(found))
    suites = {stem: load(Suite, found[stem]) for stem in (names or found)}
    for stem, suite in suites.items():
        if suite.table != stem:
            raise ConfigError(f"{found[stem]} is the suite of {suite.table}: name it so")
    return suites
