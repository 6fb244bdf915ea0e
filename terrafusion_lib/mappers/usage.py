"""What a mapping reads: the columns of each raw table and relation that something needs."""

from collections.abc import Iterable

from terrafusion_lib.mappers.expressions import Scope, read_expression
from terrafusion_lib.mappers.mapping import Mapping, alias_of, measured_columns, order_parts
from terrafusion_lib.mappers.model import Join, Table

Used = dict[str, set[str]]


def used_columns(mapping: Mapping) -> Used:
    """Columns of each raw table and relation that something reads."""
    used: Used = {name: set() for name in mapping.columns}
    for table in mapping.file.tables.values():
        names = _mark_joins(mapping, used, table.base, table.joins)
        _mark(used, names, mapping.table_scope(table), _texts(table))
    for name, relation in reversed(mapping.file.relations.items()):
        texts = [relation.where, *(order_parts(text)[0] for text in relation.order_by)]
        texts += [text for column, text in relation.columns.items() if column in used[name]]
        names = _mark_joins(mapping, used, relation.base, relation.joins)
        _mark(used, names, mapping.scope(relation.base, relation.joins), texts)
        own = {*relation.group_by, *relation.first_per, *measured_columns(relation)}
        if relation.first_per or relation.geometry or relation.points:
            own |= set(row_key(mapping, relation.base))
        through = used[name] - relation.columns.keys() if not relation.group_by else set()
        used[relation.base] |= own | (through & set(mapping.columns[relation.base]))
    return used


def _texts(table: Table) -> list[str]:
    """Expressions of a canonical table, those of its joins left out."""
    texts = [*table.let.values(), *(drop.when for drop in table.drop)]
    for item in table.fields.values():
        texts += [item.known, *(part.value for part in (item, *item.members.values()))]
    return texts


def _mark_joins(mapping: Mapping, used: Used, base: str, joins: dict[str, Join]) -> dict[str, str]:
    """Mark what joins read; returns what each alias stands for."""
    names = {alias_of(base): base} | {alias: join.to or alias for alias, join in joins.items()}
    for alias, join in joins.items():
        used[names[alias]] |= join.match.keys()
        _mark(used, names, mapping.scope(base, joins), join.match.values())
    return names


def _mark(used: Used, names: dict[str, str], scope: Scope, texts: Iterable[str]) -> None:
    for text in texts:
        if text:
            for alias, column in read_expression(text, scope).references:
                used[names[alias]].add(column)


def row_key(mapping: Mapping, name: str) -> tuple[str, ...]:
    """Columns that tell the rows of a relation apart; breaks ties the same way in every run."""
    if name in mapping.file.sources:
        return mapping.file.sources[name].key or mapping.columns[name]
    if name not in mapping.file.relations:
        return mapping.columns[name][:3]
    relation = mapping.file.relations[name]
    own = relation.group_by or relation.first_per
    if own or not any(join.many for join in relation.joins.values()):
        return own or row_key(mapping, relation.base)
    return tuple(dict.fromkeys((*row_key(mapping, relation.base), *relation.columns)))
