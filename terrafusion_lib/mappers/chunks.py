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

from terrafusion_lib.core.sql import identifier, literal
from terrafusion_lib.mappers import pieces
from terrafusion_lib.mappers.bound import From, Rows
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
        value = identifier(column)
        if self.nulls:
            return f"{value} IS NULL"
        parts = [f"{value} >= {_bound(self.low)}"] if self.low is not None else []
        parts += [f"{value} < {_bound(self.high)}"] if self.high is not None else []
        return " AND ".join(parts) or f"{value} IS NOT NULL"

    def of(self, target: str, column: str) -> str:
        """`target`, cut to this chunk by `column`."""
        return f"(SELECT * FROM {target} WHERE {self.where(column)})"


def chunks_of(session: Session, reads: From, columns: Iterable[str]) -> list[Chunk | None]:
    """Chunks of the base by the column with the most values; [None] where one is enough.

    A column that an expression makes cannot be cut by: every chunk would make it anew.
    """
    stored = [name for name in columns if name not in reads.base.computed]
    most_rows = max(LEAST_ROWS, WORK_ROWS // (len(reads.joins) + 1))
    count = -(-session.count(reads.base) // most_rows)
    if count <= 1 or not stored:
        return [None]
    column, bounds = _bounds(session, reads.base, stored, count)
    ranges = [Chunk(column, low, high) for low, high in itertools.pairwise([None, *bounds, None])]
    return [*ranges, Chunk(column, nulls=True)]


def _bounds(session: Session, base: Rows, columns: list[str], count: int) -> tuple[str, list[Any]]:
    """The column with the most values, and where it is cut into `count` chunks."""
    session.run(
        f"CREATE OR REPLACE TEMP TABLE sample AS SELECT {pieces.columns(columns)} "
        f"FROM {base.sql} USING SAMPLE reservoir({SAMPLE_ROWS} ROWS) REPEATABLE (1)",
        where=base.name,
    )
    shares = pieces.listed(str(piece / count) for piece in range(1, count))
    samples = {
        name: session.rows(
            f"SELECT count(DISTINCT {identifier(name)}), "
            f"quantile_disc({identifier(name)}, [{shares}]) FROM sample",
            where=base.name,
        )[0]
        for name in columns
    }
    best = max(columns, key=lambda name: samples[name][0])
    return best, sorted(set(samples[best][1] or []))


def key_columns(reads: From) -> list[str]:
    """The base's columns that most look-ups go by, each as it stands."""
    used = Counter(
        column
        for join in reads.joins
        for alias, column in dict.fromkeys(filter(None, (k.column for k in join.match.values())))
        if alias == reads.base.alias
    )
    most = max(used.values(), default=0)
    return [name for name, count in used.items() if count == most]


def _bound(value: Any) -> str:
    """Numbers as they are, all else as text, which the engine compares as the column's type."""
    return literal(value if isinstance(value, int | float) else str(value))
