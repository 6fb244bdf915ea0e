"""Large tables in chunks of their rows, so that memory is bounded by the chunk and not the table.

A chunk is a range of one column of the base, such as prop_id. Look-ups on that very column need
only the same range of what they look up. Sources are read in the order of their keys, so a range
lies together in the file and the rest of it is skipped by its statistics.
"""

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from terrafusion_lib.core.sql import literal
from terrafusion_lib.mappers.model import Join
from terrafusion_lib.mappers.session import Session

WORK_ROWS = 2_000_000
"""Rows of a chunk times the tables read beside one another, at most …"""
LEAST_ROWS = 200_000
"""… but no fewer rows than these: every chunk has a price of its own."""
SAMPLE_ROWS = 20_000
"""Rows that the bounds of chunks are taken from; where exactly they lie changes no result."""


@dataclass(frozen=True)
class Chunk:
    """Rows whose `column` lies in [low, high); None is an open end."""

    column: str
    low: Any = None
    high: Any = None
    nulls: bool = False

    def where(self, column: str) -> str:
        """Condition on `column`, which holds the same values as the chunk's own."""
        if self.nulls:
            return f'"{column}" IS NULL'
        parts = [f'"{column}" >= {_bound(self.low)}'] if self.low is not None else []
        parts += [f'"{column}" < {_bound(self.high)}'] if self.high is not None else []
        return " AND ".join(parts) or f'"{column}" IS NOT NULL'

    def of(self, target: str, column: str) -> str:
        """`target`, cut to this chunk by `column`."""
        return f"(SELECT * FROM {target} WHERE {self.where(column)})"


def chunks_of(
    session: Session, base: str, columns: Iterable[str], joins: int
) -> list[Chunk | None]:
    """Chunks of `base` by the column with the most values; [None] where one is enough.

    A column that an expression makes cannot be cut by: every chunk would make it anew.
    """
    rows = session.count(base)
    names = [name for name in columns if _is_stored(session, base, name)]
    pieces = -(-rows // max(LEAST_ROWS, WORK_ROWS // (joins + 1)))
    if pieces == 1 or not names:
        return [None]
    listed = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join(str(piece / pieces) for piece in range(1, pieces))
    session.run(
        f"CREATE OR REPLACE TEMP TABLE sample AS SELECT {listed} FROM {session.identifier(base)} "
        f"USING SAMPLE reservoir({SAMPLE_ROWS} ROWS) REPEATABLE (1)",
        where=base,
    )
    found = [
        session.rows(
            f'SELECT count(DISTINCT "{name}"), quantile_disc("{name}", [{marks}]) FROM sample',
            where=base,
        )[0]
        for name in names
    ]
    most = max(range(len(names)), key=lambda at: found[at][0])
    column, bounds = names[most], sorted(set(found[most][1] or []))
    ranges = [Chunk(column, low, high) for low, high in itertools.pairwise([None, *bounds, None])]
    return [*ranges, Chunk(column, nulls=True)]


def _is_stored(session: Session, name: str, column: str) -> bool:
    """Whether a column comes as it is from a raw or a stored table."""
    relation = session.mapping.file.relations.get(name)
    if relation is None or relation.group_by or relation.first_per:
        return True
    if relation.geometry or relation.points:
        return True
    return column not in relation.columns and _is_stored(session, relation.base, column)


def key_columns(joins: dict[str, Join], base: tuple[str, ...]) -> list[str]:
    """The base's columns that most look-ups go by, each as it stands."""
    used = Counter(
        text for join in joins.values() for text in set(join.match.values()) if text in base
    )
    most = max(used.values(), default=0)
    return [name for name, count in used.items() if count == most]


def _bound(value: Any) -> str:
    """Numbers as they are, all else as text, which the engine compares as the column's type."""
    return literal(value if isinstance(value, int | float) else str(value))
