"""A county's mapping: read from YAML, checked against the canonical schema and itself."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from terrafusion_lib.core.config import SafeLoader, did_you_mean, parse, read_yaml
from terrafusion_lib.core.errors import MappingError
from terrafusion_lib.core.raw import SourceTable
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.tables import Kind
from terrafusion_lib.mappers.expressions import Expression, Scope, read_expression
from terrafusion_lib.mappers.model import (
    Column,
    Join,
    MappingFile,
    Member,
    Relation,
    Table,
    ValueMap,
)
from terrafusion_lib.mappers.transforms import read_step

MAPPED = "mapped."
MEASURES = ("area_sqft", "latitude", "longitude", "part_count", "geometry")
POSITION = ("latitude", "longitude")
PYTHON_TYPES: dict[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.INTEGER: (int,),
    Kind.NUMBER: (int, float),
    Kind.MONEY: (int, float),
    Kind.BOOLEAN: (bool,),
}


@dataclass(frozen=True)
class Mapping:
    """A checked mapping."""

    file: MappingFile
    path: Path

    def source_tables(self) -> dict[str, SourceTable]:
        """What to extract, by name in the raw layer."""
        return {
            name: source.source_table(name, self.file.source)
            for name, source in self.file.sources.items()
        }

    @cached_property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Columns of everything that an expression may read: raw tables, relations, results."""
        found = {name: tuple(table.columns) for name, table in self.source_tables().items()}
        found |= {MAPPED + name: TABLES[name].column_names for name in self.file.tables}
        for name, relation in self.file.relations.items():
            found[name] = relation_columns(relation, found.get(relation.base, ()))
        return found

    def scope(self, base: str, joins: dict[str, Join], names: Iterable[str] | None = None) -> Scope:
        """Columns in reach of an item with this base and the joins named (default all)."""
        columns = {alias_of(base): self.columns[base]}
        for alias in joins if names is None else names:
            columns[alias] = self.columns[joins[alias].to or alias]
        return Scope(alias_of(base), columns, frozenset(self.file.value_maps))

    def table_scope(self, table: Table) -> Scope:
        """What the drops and columns of a canonical table may read."""
        return replace(self.scope(table.base, table.joins), named=table.let)


def alias_of(name: str) -> str:
    """Name under which an expression reaches a relation."""
    return name.removeprefix(MAPPED)


def relation_columns(relation: Relation, base: tuple[str, ...]) -> tuple[str, ...]:
    """Columns that a relation has."""
    start = relation.group_by or base
    measures = MEASURES if relation.geometry else POSITION if relation.points else ()
    return tuple(dict.fromkeys((*start, *relation.columns, *measures)))


def measured_columns(relation: Relation) -> tuple[str, ...]:
    """Columns that a relation measures."""
    if relation.geometry:
        return (relation.geometry.column,)
    return (relation.points.x, relation.points.y) if relation.points else ()


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping.

    Raises
    ------
    ConfigError
        The file is missing, not YAML, or has an unknown key (the nearest is named).
    MappingError
        It names a table, column, transform or value map that does not exist (the nearest is
        named), or an expression that is not allowed.
    """
    mapping = Mapping(parse(MappingFile, read_yaml(path, _KeysAsWritten), where=str(path)), path)
    known = list(mapping.file.sources)
    _refuse_doubles(mapping)
    for name, relation in mapping.file.relations.items():
        with _place(mapping, f"relation {name}"):
            _check_relation(mapping, relation, known)
        known.append(name)
    for name, value_map in mapping.file.value_maps.items():
        with _place(mapping, f"value map {name}"):
            _check_value_map(value_map)
    for name, table in mapping.file.tables.items():
        with _place(mapping, f"table {name}"):
            _check_table(mapping, name, table, known)
        known.append(MAPPED + name)
    return mapping


class _KeysAsWritten(SafeLoader):  # type: ignore[misc]
    """YAML whose keys are text as written: the codes 01, 9 and No stay "01", "9" and "No"."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        self.flatten_mapping(node)
        return {
            str(key.value): self.construct_object(value, deep=deep) for key, value in node.value
        }


@contextmanager
def _place(mapping: Mapping, where: str) -> Iterator[None]:
    """Open an error's message with file and section."""
    try:
        yield
    except MappingError as error:
        error.what = f"{mapping.path}, {where}: {error.what}"
        error.args = (error.what,)
        raise


def _refuse_doubles(mapping: Mapping) -> None:
    file = mapping.file
    both = sorted(file.sources.keys() & file.relations.keys())
    if both:
        raise MappingError(f"{mapping.path}: {both[0]} is both a source and a relation")
    unknown = [name for name in file.tables if name not in TABLES]
    if unknown:
        _unknown("canonical table", unknown[0], list(TABLES), where=str(mapping.path))
    for name, source in file.sources.items():
        with _place(mapping, "sources"):
            if not (source.source or file.source):
                raise MappingError(f"source {name} names no source system")
            _all_known("key column", source.key, mapping.columns[name], where=name)


def _unknown(what: str, name: str, known: Iterable[str], *, where: str = "") -> None:
    known = list(known)
    meant = did_you_mean(name, known)
    raise MappingError(
        f"{where}: there is no {what} {name}" if where else f"there is no {what} {name}",
        examples=() if meant else sorted(known),
        hint=meant,
    )


def _all_known(what: str, names: Iterable[str], known: Iterable[str], *, where: str = "") -> None:
    known = list(known)
    for name in names:
        if name not in known:
            _unknown(what, name, known, where=where)


def _check_from(base: str, joins: dict[str, Join], known: list[str], mapping: Mapping) -> None:
    later = [name for name in (*mapping.file.relations, *mapping.columns) if name not in known]
    for name in (base, *(join.to or alias for alias, join in joins.items())):
        if name in later:
            raise MappingError(f"{name} is defined further down", hint=f"move {name} up")
        if name not in known:
            _unknown("source or relation", name, known)
    if alias_of(base) in joins:
        raise MappingError(f"the join {alias_of(base)} has the name of the table itself")


def _check_joins(mapping: Mapping, base: str, joins: dict[str, Join]) -> Scope:
    for position, (alias, join) in enumerate(joins.items()):
        target = join.to or alias
        _all_known("column", join.match, mapping.columns[target], where=f"join {alias}: {target}")
        reach = mapping.scope(base, joins, list(joins)[:position])
        for text in join.match.values():
            row_expression(text, reach)
    return mapping.scope(base, joins)


def row_expression(
    text: str, scope: Scope, parameters: dict[str, object] | None = None
) -> Expression:
    """An expression of one row; an aggregate is refused."""
    expression = read_expression(text, scope, parameters)
    if expression.aggregates:
        raise MappingError(
            f"Cannot use the expression «{text}»: it aggregates rows",
            hint="aggregate in a relation with group_by and join that",
        )
    return expression


def _check_relation(mapping: Mapping, relation: Relation, known: list[str]) -> None:
    _check_from(relation.base, relation.joins, known, mapping)
    if relation.group_by and relation.first_per:
        raise MappingError("group_by and first_per exclude each other")
    if bool(relation.first_per) != bool(relation.order_by):
        raise MappingError("first_per and order_by need each other")
    measured = bool(relation.geometry) + bool(relation.points)
    shaped = (
        relation.joins,
        relation.where,
        relation.columns,
        relation.group_by,
        relation.first_per,
    )
    if measured > 1 or (measured and any(shaped)):
        raise MappingError("geometry or points stands alone: add the rest in a relation on top")
    scope = _check_joins(mapping, relation.base, relation.joins)
    base = mapping.columns[relation.base]
    _all_known("column", (*relation.group_by, *relation.first_per), base, where=relation.base)
    _all_known("column", measured_columns(relation), base, where=relation.base)
    if relation.where:
        row_expression(relation.where, scope)
    for text in relation.order_by:
        row_expression(order_parts(text)[0], scope)
    for name, text in relation.columns.items():
        expression = read_expression(text, scope)
        if expression.aggregates != bool(relation.group_by):
            raise MappingError(
                f"column {name}: «{text}» "
                + ("is no aggregate" if relation.group_by else "aggregates without group_by"),
                hint="sum, min, max, count, string_agg … belong to relations with group_by",
            )


def order_parts(text: str) -> tuple[str, str]:
    """Expression and direction of an ``order_by`` item."""
    head, _, last = text.rpartition(" ")
    if last.lower() in ("asc", "desc") and head:
        return head, last.upper()
    return text, "ASC"


def _check_value_map(value_map: ValueMap) -> None:
    if (value_map.default is not None) != (value_map.unmapped == "default"):
        raise MappingError("default needs unmapped: default, and the other way round")


def _check_table(mapping: Mapping, name: str, table: Table, known: list[str]) -> None:
    _check_from(table.base, table.joins, known, mapping)
    if many := [alias for alias, join in table.joins.items() if join.many]:
        raise MappingError(
            f"the join {many[0]} may find many rows",
            hint="repeat rows in a relation, and map the table from that",
        )
    canonical = TABLES[name]
    _all_known("canonical column", table.fields, canonical.column_names)
    missing = [key for key in canonical.key if key not in table.fields and key != "county_id"]
    if missing:
        raise MappingError(f"the key column {missing[0]} is not mapped")
    plain = _check_joins(mapping, table.base, table.joins)
    for position, text in enumerate(table.let.values()):
        earlier = dict(list(table.let.items())[:position])
        row_expression(text, replace(plain, named=earlier))
    scope = mapping.table_scope(table)
    for drop in table.drop:
        row_expression(drop.when, scope)
    kinds = {column.name: column.kind for column in canonical.columns}
    for column, item in table.fields.items():
        try:
            _check_column(mapping, item, kinds[column], scope)
        except MappingError as error:
            error.what = f"column {column}: {error.what}"
            raise


def _check_column(mapping: Mapping, item: Column, kind: Kind, scope: Scope) -> None:
    if bool(item.value) == bool(item.members):
        raise MappingError("give a value, or json for a JSON column")
    if item.members and kind is not Kind.JSON:
        raise MappingError(f"is {kind}, not json")
    for member in (item, *item.members.values()):
        _check_member(member, scope)
    if item.known:
        row_expression(item.known, scope)
    results = [item.default]
    if item.value_map:
        _all_known("value map", [item.value_map], mapping.file.value_maps)
        value_map = mapping.file.value_maps[item.value_map]
        results += [value_map.default, *value_map.values.values()]
    allowed = PYTHON_TYPES.get(kind, (str,))
    for result in results:
        wrong_bool = isinstance(result, bool) and bool not in allowed
        if result is not None and (wrong_bool or not isinstance(result, allowed)):
            raise MappingError(f"{result!r} does not fit a column of kind {kind}")


def _check_member(member: Member, scope: Scope) -> None:
    if member.value:
        row_expression(member.value, scope)
    steps = [read_step(text) for text in member.transform]
    if sum(step.transform.kind is not None for step in steps) > 1:
        raise MappingError("one conversion is enough: " + ", ".join(member.transform))
