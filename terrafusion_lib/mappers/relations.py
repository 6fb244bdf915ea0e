"""Relations of a mapping as SQL: joins that can neither lose nor multiply rows, groups, firsts."""

from terrafusion_lib.core.errors import MappingError
from terrafusion_lib.core.sql import identifier
from terrafusion_lib.mappers.bound import BoundJoin, BoundRelation, From
from terrafusion_lib.mappers.chunks import Chunk, chunks_of
from terrafusion_lib.mappers.geometry import add_measured
from terrafusion_lib.mappers.pieces import column_of, columns, listed, named, select
from terrafusion_lib.mappers.session import Session


def prepare(session: Session, reads: From) -> None:
    """Make the relations that an item reads, and what they rest on, unless they are there."""
    for rows in reads.rows():
        relation = session.mapping.relations.get(rows.name)
        if relation is not None and rows.name not in session.ready:
            _make(session, relation)
            session.ready.add(rows.name)


def _make(session: Session, relation: BoundRelation) -> None:
    prepare(session, relation.reads)
    for join in relation.reads.joins:
        if not join.many:
            require_unique(session, join, where=relation.rows.name)
    if relation.geometry or relation.points:
        add_measured(session, relation)
    elif relation.rows.one_per:
        _store(session, relation)
    else:
        view = f"CREATE VIEW {relation.rows.sql} AS {_query(session, relation)}"
        session.run(view, where=relation.rows.name)


def _store(session: Session, relation: BoundRelation) -> None:
    """A table of rows that are grouped or ranked; a large one chunk by chunk."""
    target = relation.rows.sql
    create = f"CREATE TABLE {target} AS"
    for chunk in chunks_of(session, relation.reads, relation.rows.one_per):
        session.run(f"{create} {_query(session, relation, chunk)}", where=relation.rows.name)
        create = f"INSERT INTO {target}"


def from_clause(session: Session, reads: From, chunk: Chunk | None = None) -> str:
    """FROM and its left joins, cut to a chunk of the base."""
    base = reads.base
    source = chunk.of(base.sql, chunk.column) if chunk else base.sql
    joins = [_left_join(session, reads, join, chunk) for join in reads.joins]
    return " ".join([f"FROM {named(source, base.alias)}", *joins])


def _left_join(session: Session, reads: From, join: BoundJoin, chunk: Chunk | None) -> str:
    target = join.target.sql
    if chunk:
        cut_by = (reads.base.alias, chunk.column)
        same = [column for column, key in join.match.items() if key.column == cut_by]
        target = chunk.of(target, same[0]) if same else target
    pairs = [
        f"{column_of(join.alias, column)} = {session.sql(key)}"
        for column, key in join.match.items()
    ]
    return f"LEFT JOIN {named(target, join.alias)} ON {' AND '.join(pairs)}"


def _query(session: Session, relation: BoundRelation, chunk: Chunk | None = None) -> str:
    """The rows of a relation."""
    alias = relation.reads.base.alias
    values = [named(column_of(alias, column), column) for column in relation.kept]
    values += [named(session.sql(value), name) for name, value in relation.columns.items()]
    query = select(values, from_clause(session, relation.reads, chunk))
    if relation.where:
        query += f" WHERE {session.sql(relation.where)}"
    if relation.group_by:
        query += f" GROUP BY {listed(column_of(alias, key) for key in relation.group_by)}"
    if relation.first_per:
        query += f" QUALIFY {_is_first(session, relation)}"
    return query


def _is_first(session: Session, relation: BoundRelation) -> str:
    """Condition on the first row of each group; the base's key breaks ties."""
    base = relation.reads.base
    groups = listed(column_of(base.alias, key) for key in relation.first_per)
    order = [f"{session.sql(value)} {direction} NULLS LAST" for value, direction in relation.order]
    order += [column_of(base.alias, key) for key in base.key]
    return f"row_number() OVER (PARTITION BY {groups} ORDER BY {listed(order)}) = 1"


def require_unique(session: Session, join: BoundJoin, *, where: str) -> None:
    """Check that a join finds at most one row.

    Raises
    ------
    MappingError
        Its target has several rows with one key; count and keys are given.
    """
    target, keys = join.target, frozenset(join.match)
    by_construction = target.one_per and keys.issuperset(target.one_per)
    if by_construction or (target.name, keys) in session.unique:
        return
    doubled = session.rows(_doubled_keys(join), where=where)
    if not doubled:
        session.unique.add((target.name, keys))
        return
    raise MappingError(
        f"The join {join.alias} finds several rows of {target.name} for one row of {where}",
        table=target.name,
        column=listed(sorted(keys)),
        count=doubled[0][-1],
        examples=["/".join(map(str, row[:-2])) + f" ({row[-2]} rows)" for row in doubled],
        cause="a key is doubled at the source, or the join names only a part of the key",
        hint="join on the whole key, or look up a relation with first_per or group_by",
    )


def _doubled_keys(join: BoundJoin) -> str:
    """Query of the first keys with several rows, their rows, and how many such keys there are."""
    keys = columns(sorted(join.match))
    present = " AND ".join(f"{identifier(column)} IS NOT NULL" for column in sorted(join.match))
    groups = (
        f"SELECT {keys}, count(*) AS n FROM {join.target.sql} WHERE {present} "
        f"GROUP BY {keys} HAVING count(*) > 1"
    )
    return f"SELECT *, count(*) OVER () FROM ({groups}) ORDER BY ALL LIMIT 5"
