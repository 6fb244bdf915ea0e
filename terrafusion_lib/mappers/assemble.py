"""The base rows of a table with everything looked up, a few large look-ups at a time.

Every hash join keeps one of its sides in memory. Twenty of them in one query need more than they
should have, and none of them may go to disk alone. So where the base is large, the look-ups are
made in steps: each step joins a few large relations and stores the result, which can spill. A
stored step has one struct column per relation, so that ``owner.name`` means the same in every step.
"""

from terrafusion_lib.mappers.mapping import alias_of
from terrafusion_lib.mappers.model import Join, Table
from terrafusion_lib.mappers.relations import join_clause
from terrafusion_lib.mappers.session import Session
from terrafusion_lib.mappers.usage import table_references

LARGE_BASE = 200_000
"""Base rows from which look-ups are made in steps."""
LARGE_TARGET = 50_000
JOINS_PER_STEP = 3


def assemble(session: Session, name: str, table: Table) -> str:
    """FROM clause whose columns are those of the base and of every look-up."""
    base = f'FROM {session.identifier(table.base)} AS "{alias_of(table.base)}"'
    groups = _groups(session, table)
    if len(groups) == 1:
        return base + _joins(session, table, groups[0])
    references = table_references(session.mapping, table)
    packed = [alias_of(table.base)]
    for number, group in enumerate(groups):
        new = [*packed, *group] if number == 0 else list(group)
        columns = ([] if number == 0 else ["step.*"]) + [
            _struct(alias, references[alias]) for alias in new if references[alias]
        ]
        step = _step(name, number)
        session.run(
            f"CREATE TABLE {step} AS SELECT {', '.join(columns)} {base}"
            + _joins(session, table, group),
            where=name,
        )
        if number:
            session.run(f"DROP TABLE {_step(name, number - 1)}", where=name)
        base = f"FROM {step} AS step"
    return base


def release(session: Session, name: str, table: Table) -> None:
    """Drop what `assemble` stored."""
    last = len(_groups(session, table)) - 1
    session.run(f"DROP TABLE IF EXISTS {_step(name, last)}", where=name)


def _step(name: str, number: int) -> str:
    return f'"step {number} of {name}"'


def _struct(alias: str, columns: set[str]) -> str:
    members = ", ".join(f'"{column}" := "{alias}"."{column}"' for column in sorted(columns))
    return f'struct_pack({members}) AS "{alias}"'


def _joins(session: Session, table: Table, group: dict[str, Join]) -> str:
    return "".join(join_clause(session, table.base, table.joins, alias) for alias in group)


def _groups(session: Session, table: Table) -> list[dict[str, Join]]:
    """The joins in their order, cut so that none has more than a few large targets."""
    groups: list[dict[str, Join]] = [{}]
    if session.count(table.base) < LARGE_BASE:
        return [table.joins]
    large = 0
    for alias, join in table.joins.items():
        is_large = session.count(join.to or alias) >= LARGE_TARGET
        if is_large and large == JOINS_PER_STEP:
            groups.append({})
            large = 0
        large += is_large
        groups[-1][alias] = join
    return groups
