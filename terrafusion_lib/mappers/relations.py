"""Relations of a mapping as SQL: joins that can neither lose nor multiply rows, groups, firsts."""

from terrafusion_lib.core.errors import MappingError
from terrafusion_lib.mappers.chunks import Chunk, chunks_of
from terrafusion_lib.mappers.expressions import Scope, read_expression
from terrafusion_lib.mappers.geometry import add_measured
from terrafusion_lib.mappers.mapping import alias_of, order_parts
from terrafusion_lib.mappers.model import Join, Relation
from terrafusion_lib.mappers.session import Session


def prepare(session: Session, name: str) -> None:
    """Make a relation, and what it rests on, unless it is there."""
    relation = session.mapping.file.relations.get(name)
    if relation is None or name in session.ready:
        return
    prepare_all(session, relation.base, relation.joins)
    for alias, join in relation.joins.items():
        if not join.many:
            require_unique(session, alias, join, where=name)
    if relation.geometry or relation.points:
        add_measured(session, name, relation)
    else:
        _create(session, name, relation)
    session.ready.add(name)


def prepare_all(session: Session, base: str, joins: dict[str, Join]) -> None:
    """Make everything that an item with this base and these joins reads."""
    for name in (base, *(join.to or alias for alias, join in joins.items())):
        prepare(session, name)


def _create(session: Session, name: str, relation: Relation) -> None:
    """A view, or a table where rows are grouped or ranked; a large one chunk by chunk."""
    target, keys = session.identifier(name), relation.group_by or relation.first_per
    if not keys:
        session.run(f"CREATE VIEW {target} AS {_select(session, name, relation)}", where=name)
        return
    create = f"CREATE TABLE {target} AS"
    for chunk in chunks_of(session, relation.base, keys, len(relation.joins)):
        session.run(f"{create} {_select(session, name, relation, chunk)}", where=name)
        create = f"INSERT INTO {target}"


def from_clause(session: Session, base: str, joins: dict[str, Join], chunk: Chunk | None) -> str:
    """FROM and its left joins, cut to a chunk of the base."""
    source = session.identifier(base)
    text = f'FROM {chunk.of(source, chunk.column) if chunk else source} AS "{alias_of(base)}"'
    for position, (alias, join) in enumerate(joins.items()):
        scope = session.mapping.scope(base, joins, list(joins)[:position])
        pairs = [
            f'"{alias}"."{column}" = {sql(session, expression, scope)}'
            for column, expression in join.match.items()
        ]
        target = session.identifier(join.to or alias)
        same = [column for column, key in join.match.items() if chunk and key == chunk.column]
        if chunk and same:
            target = chunk.of(target, same[0])
        text += f' LEFT JOIN {target} AS "{alias}" ON {" AND ".join(pairs)}'
    return text


def sql(session: Session, text: str, scope: Scope) -> str:
    """SQL of an expression of the mapping."""
    return read_expression(text, scope, session.parameters).sql


def _select(session: Session, name: str, relation: Relation, chunk: Chunk | None = None) -> str:
    mapping = session.mapping
    scope = mapping.scope(relation.base, relation.joins)
    alias = alias_of(relation.base)
    kept = relation.group_by or mapping.columns[relation.base]
    wanted = session.used[name] | {*relation.group_by, *relation.first_per}
    columns = [
        f'"{alias}"."{column}" AS "{column}"'
        for column in kept
        if column not in relation.columns and column in wanted
    ]
    columns += [
        f'{sql(session, text, scope)} AS "{column}"'
        for column, text in relation.columns.items()
        if column in wanted
    ]
    source = from_clause(session, relation.base, relation.joins, chunk)
    select = f"SELECT {', '.join(columns)} {source}"
    if relation.where:
        select += f" WHERE {sql(session, relation.where, scope)}"
    if relation.group_by:
        keys = ", ".join(f'"{alias}"."{key}"' for key in relation.group_by)
        select += f" GROUP BY {keys}"
    if relation.first_per:
        select += f" QUALIFY {_is_first(session, relation, scope)}"
    return select


def _is_first(session: Session, relation: Relation, scope: Scope) -> str:
    alias = alias_of(relation.base)
    order = []
    for text in relation.order_by:
        expression, direction = order_parts(text)
        order.append(f"{sql(session, expression, scope)} {direction} NULLS LAST")
    order += [f'"{alias}"."{key}"' for key in session.row_key(relation.base)]
    groups = ", ".join(f'"{alias}"."{key}"' for key in relation.first_per)
    return f"row_number() OVER (PARTITION BY {groups} ORDER BY {', '.join(order)}) = 1"


def require_unique(session: Session, alias: str, join: Join, *, where: str) -> None:
    """Check that a join finds at most one row.

    Raises
    ------
    MappingError
        Its target has several rows with one key; count and keys are given.
    """
    target, columns = join.to or alias, frozenset(join.match)
    relation = session.mapping.file.relations.get(target)
    by_construction = relation and (relation.group_by or relation.first_per)
    if (by_construction and columns.issuperset(by_construction)) or (
        target,
        columns,
    ) in session.unique:
        return
    keys = ", ".join(f'"{column}"' for column in sorted(columns))
    groups = (
        f"SELECT {keys}, count(*) AS n FROM {session.identifier(target)} "
        "WHERE "
        + " AND ".join(f'"{column}" IS NOT NULL' for column in sorted(columns))
        + f" GROUP BY {keys} HAVING count(*) > 1"
    )
    found = session.rows(
        f"SELECT *, count(*) OVER () FROM ({groups}) ORDER BY ALL LIMIT 5", where=where
    )
    if not found:
        session.unique.add((target, columns))
        return
    raise MappingError(
        f"The join {alias} finds several rows of {target} for one row of {where}",
        table=target,
        column=", ".join(sorted(columns)),
        count=found[0][-1],
        examples=["/".join(map(str, row[:-2])) + f" ({row[-2]} rows)" for row in found],
        cause="a key is doubled at the source, or the join names only a part of the key",
        hint="join on the whole key, or look up a relation with first_per or group_by",
    )
