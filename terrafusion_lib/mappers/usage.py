"""Relations without the columns that nothing reads."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from terrafusion_lib.mappers.bound import BoundRelation, BoundTable, From
from terrafusion_lib.mappers.expressions import Expression

Used = defaultdict[str, set[str]]
"""Columns that something reads, by the name of their rows."""


def without_unread(
    relations: dict[str, BoundRelation], tables: Iterable[BoundTable]
) -> dict[str, BoundRelation]:
    """The relations with the columns that a table reads, be it through relations on top of them."""
    used: Used = defaultdict(set)
    for table in tables:
        _mark(used, table.reads, table.expressions())
    slim = {}
    for name, relation in reversed(relations.items()):
        slim[name] = _only(relation, used[name])
        _mark(used, relation.reads, slim[name].expressions())
        used[relation.reads.base.name] |= slim[name].reads_of_base()
    return dict(reversed(slim.items()))


def _only(relation: BoundRelation, used: set[str]) -> BoundRelation:
    needed = {*used, *relation.group_by, *relation.first_per}
    return replace(
        relation,
        kept=tuple(column for column in relation.kept if column in needed),
        columns={name: item for name, item in relation.columns.items() if name in used},
    )


def _mark(used: Used, reads: From, expressions: Iterable[Expression]) -> None:
    aliases = reads.aliases()
    matched = [expression for join in reads.joins for expression in join.match.values()]
    for expression in (*matched, *expressions):
        for alias, column in expression.references:
            used[aliases[alias]].add(column)
    for join in reads.joins:
        used[join.target.name] |= join.match.keys()
