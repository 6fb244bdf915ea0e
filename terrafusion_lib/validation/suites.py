"""Suites: the rules of one canonical table, read from ``expectations/<table>.yaml``."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import Field

from terrafusion_lib.core.config import FrozenModel, did_you_mean, parse, read_yaml
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.tables import TableSpec
from terrafusion_lib.validation.base import RowRule, Rule, Severity, TableRule
from terrafusion_lib.validation.expressions import Scope
from terrafusion_lib.validation.rules import KINDS, Converted, Finite, InSet, References, Unique


def complete(parameters: Mapping[str, object]) -> dict[str, object]:
    """Parameters including those derived from the assessment year: tax year and its last day.

    Taxes on a value of assessment year N are payable in N + 1 (RCW 84.40.020, 84.56.020).
    """
    known = dict(parameters)
    if isinstance(year := known.get("assessment_year"), int):
        known |= {"tax_year": year + 1, "tax_year_end": date(year + 1, 12, 31)}
    return known


STAND_INS = complete({"county_id": "county", "assessment_year": 2000})
"""Parameters that every suite may use, with sample values for checking."""


class SuiteFile(FrozenModel):
    """A suite's file."""

    table: str
    meaning: str = Field(min_length=10)
    rules: tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Suite:
    """The rules of one canonical table: those of its schema first, then those of its file."""

    table: str
    meaning: str
    rules: tuple[Rule, ...]

    @property
    def row_rules(self) -> tuple[RowRule, ...]:
        return tuple(rule for rule in self.rules if isinstance(rule, RowRule))

    @property
    def table_rules(self) -> tuple[TableRule, ...]:
        return tuple(rule for rule in self.rules if isinstance(rule, TableRule))

    @property
    def needs(self) -> set[str]:
        """Tables that must be validated before this one."""
        return {rule.table for rule in self.rules if isinstance(rule, References)} - {self.table}


def schema_rules(table: TableSpec) -> tuple[Rule, ...]:
    """Rules derived from the canonical schema; they apply to every table."""
    rules: list[Rule] = [
        Unique(
            name="key_unique",
            kind="unique",
            columns=table.key,
            because="Rows with the same key contradict each other, and there is no safe way to "
            "pick the right one.",
            severity=Severity.ERROR,
        ),
        InSet(
            name="county_is_this_one",
            kind="in_set",
            column="county_id",
            values=("$county_id",),
            because="The row belongs to another county.",
            severity=Severity.ERROR,
        ),
        Finite(
            name="numbers_finite",
            kind="finite",
            because="A number is infinite or not a number, so it cannot be used in calculations.",
            severity=Severity.ERROR,
        ),
    ]
    if table.parent:
        rules.append(
            References(
                name="property_on_roll",
                kind="references",
                columns=("county_id", "property_id"),
                table=table.parent,
                because="The property is not among the accepted properties on the roll.",
                severity=Severity.ERROR,
            )
        )
    return tuple(rules)


def readable(table: TableSpec, rules: Sequence[Rule]) -> Rule:
    """A warning about failed conversions in all columns without a rule for them."""
    covered = {
        name
        for rule in rules
        if isinstance(rule, Converted) and not rule.except_reasons
        for name in rule.columns
    }
    return Converted(
        name="values_readable",
        kind="converted",
        columns=tuple(name for name in table.column_names if name not in covered),
        severity=Severity.WARNING,
        because="The source holds a value that the mapping could not read, or that looks garbled.",
    )


def load_suites(folder: Path, names: Sequence[str] = ()) -> dict[str, Suite]:
    """Read and check suites.

    Parameters
    ----------
    folder : Path
        Folder of ``<canonical table>.yaml``.
    names : sequence of str, optional
        Tables to read; empty: all in the folder.

    Returns
    -------
    dict
        Suite by table, in the order of the schema.

    Raises
    ------
    ConfigError
        No suite at all, an unknown table, kind, key, column or parameter (the closest name is
        suggested), or two rules with the same name.
    """
    files = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    if not files:
        raise ConfigError(f"{folder} has no suites", hint="<canonical table>.yaml")
    for name in names:
        if name not in files:
            raise _unknown("suite", name, files, where=str(folder))
    for name, path in files.items():
        if name not in TABLES:
            raise _unknown("canonical table", name, TABLES, where=str(path))
    chosen = [name for name in TABLES if name in (names or files)]
    return {name: _read(files[name], TABLES[name]) for name in chosen}


def _read(path: Path, table: TableSpec) -> Suite:
    file = parse(SuiteFile, read_yaml(path), where=str(path))
    if file.table != table.name:
        raise ConfigError(f"{path} says table: {file.table}, but its name says {table.name}")
    own = tuple(_rule(item, path) for item in file.rules)
    suite = Suite(table.name, file.meaning, (*schema_rules(table), *own, readable(table, own)))
    check_suite(suite, STAND_INS, where=str(path))
    return suite


def _rule(item: Mapping[str, Any], path: Path) -> Rule:
    where = f"{path}, rule {item.get('name', '?')}"
    kind = str(item.get("kind"))
    if kind not in KINDS:
        raise _unknown("kind of rule", kind, KINDS, where=where)
    return parse(KINDS[kind], dict(item), where=where)


def check_suite(suite: Suite, parameters: Mapping[str, object], *, where: str) -> None:
    """Reject duplicate rule names and rules that refer to something that does not exist."""
    seen: set[str] = set()
    for rule in suite.rules:
        scope = Scope(TABLES[suite.table], parameters, f"{where}, rule {rule.name}")
        if rule.name in seen:
            raise ConfigError(f"{scope.where}: another rule has the same name")
        seen.add(rule.name)
        rule.verify(scope)


def ordered(suites: Mapping[str, Suite]) -> list[Suite]:
    """Suites in an order such that each comes after the tables its rules refer to.

    Raises
    ------
    ConfigError
        A referenced table is not validated, or references form a circle.
    """
    done: dict[str, Suite] = {}
    while len(done) < len(suites):
        ready = [
            suite
            for name, suite in suites.items()
            if name not in done and suite.needs <= done.keys()
        ]
        if not ready:
            waiting = {name: suite.needs for name, suite in suites.items() if name not in done}
            raise _stuck(waiting, suites)
        done |= {suite.table: suite for suite in ready}
    return list(done.values())


def _stuck(waiting: dict[str, set[str]], suites: Mapping[str, Suite]) -> ConfigError:
    absent = sorted({need for needs in waiting.values() for need in needs} - suites.keys())
    if absent:
        return ConfigError(
            f"Rules refer to {', '.join(absent)}, which the mapping does not produce",
            examples=[name for name, needs in waiting.items() if needs & set(absent)],
        )
    return ConfigError(
        "The rules of these tables refer to each other in a circle", examples=sorted(waiting)
    )


def _unknown(what: str, name: str, known: Collection[str], *, where: str) -> ConfigError:
    hint = did_you_mean(name, known) or f"known: {', '.join(known)}"
    return ConfigError(f"{where}: there is no {what} {name!r}", hint=hint)
