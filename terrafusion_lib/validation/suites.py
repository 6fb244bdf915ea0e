"""Suites: the rules of one canonical table, read from ``expectations/<table>.yaml``."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import Field

from terrafusion_lib.core.config import FrozenModel, did_you_mean, parse, read_yaml
from terrafusion_lib.core.county import RuleChange
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.states.load import GENERIC, load_state
from terrafusion_lib.core.states.profile import StateProfile
from terrafusion_lib.core.tables import TableSpec
from terrafusion_lib.validation.base import RowRule, Rule, Severity, TableRule
from terrafusion_lib.validation.changes import Changes, changed_rules
from terrafusion_lib.validation.expressions import Scope
from terrafusion_lib.validation.rules import KINDS, Converted, Finite, InSet, References, Unique
from terrafusion_lib.validation.state_facts import facts_of, settle


def complete(parameters: Mapping[str, object]) -> dict[str, object]:
    """Parameters with those that follow from the assessment year.

    ``tax_year`` is the year after, unless it is given; ``tax_year_end`` the last day of the year
    after.
    """
    known = dict(parameters)
    if isinstance(year := known.get("assessment_year"), int):
        known = {"tax_year": year + 1, "tax_year_end": date(year + 1, 12, 31)} | known
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
    """The rules of one canonical table: of its schema, of its file, of the state.

    `changes` says what the county does with them: table, rule, change, reason.
    """

    table: str
    meaning: str
    rules: tuple[Rule, ...]
    changes: tuple[dict[str, str], ...] = ()

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


def load_suites(
    folder: Path,
    names: Sequence[str] = (),
    *,
    profile: StateProfile | None = None,
    crs: str = "",
    changes: Changes | None = None,
) -> dict[str, Suite]:
    """Read and check suites.

    Parameters
    ----------
    folder : Path
        Folder of ``<canonical table>.yaml``.
    names : sequence of str, optional
        Tables to read; empty: all in the folder.
    profile : StateProfile, optional
        Whose facts the rules take their limits from; the generic one when None.
    crs : str
        The county's coordinate system.
    changes : mapping, optional
        What the county does with rules, by table and rule.

    Returns
    -------
    dict
        Suite by table, in the order of the schema.

    Raises
    ------
    ConfigError
        No suite at all, an unknown table, kind, key, column, parameter or rule to change (the
        closest name is suggested), or two rules with the same name.
    """
    files = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    if not files:
        raise ConfigError(f"{folder} has no suites", hint="<canonical table>.yaml")
    for name in (*names, *(changes or {})):
        if name not in files:
            raise _unknown("suite", name, files, where=str(folder))
    for name, path in files.items():
        if name not in TABLES:
            raise _unknown("canonical table", name, TABLES, where=str(path))
    chosen = [name for name in TABLES if name in (names or files)]
    state = profile or load_state(GENERIC)
    facts = facts_of(state, crs)
    return {
        name: _read(files[name], TABLES[name], state, facts, (changes or {}).get(name, {}))
        for name in chosen
    }


def _read(
    path: Path,
    table: TableSpec,
    state: StateProfile,
    facts: Mapping[str, object],
    changes: Mapping[str, RuleChange],
) -> Suite:
    file = parse(SuiteFile, read_yaml(path), where=str(path))
    if file.table != table.name:
        raise ConfigError(f"{path} says table: {file.table}, but its name says {table.name}")
    items = [*file.rules, *state.rules.get(table.name, ())]
    changed, told = changed_rules(items, changes, table.name, facts)
    settled = [settle(item, facts, _where(item, path)) for item in changed]
    own = tuple(_rule(item, path) for item in settled if item)
    rules = (*schema_rules(table), *own, readable(table, own))
    suite = Suite(table.name, file.meaning, rules, told)
    check_suite(suite, STAND_INS, where=str(path))
    return suite


def _where(item: Mapping[str, Any], path: Path) -> str:
    return f"{path}, rule {item.get('name', '?')}"


def _rule(item: Mapping[str, Any], path: Path) -> Rule:
    kind = str(item.get("kind"))
    if kind not in KINDS:
        raise _unknown("kind of rule", kind, KINDS, where=_where(item, path))
    return parse(KINDS[kind], dict(item), where=_where(item, path))


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
    sorted_suites: dict[str, Suite] = {}
    while len(sorted_suites) < len(suites):
        ready = [
            suite
            for name, suite in suites.items()
            if name not in sorted_suites and suite.needs <= sorted_suites.keys()
        ]
        if not ready:
            waiting = {
                name: suite.needs for name, suite in suites.items() if name not in sorted_suites
            }
            raise _stuck(waiting, suites)
        sorted_suites |= {suite.table: suite for suite in ready}
    return list(sorted_suites.values())


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
