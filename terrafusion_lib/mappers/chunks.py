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

from terrafusion_lib.mappers.conversions import quote
from terrafusion_lib.mappers.model import Join
from terrafusion_lib.mappers.session import Session

CHUNK_ROWS = 250_000
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
        parts = [f'"{column}" >= {_literal(self.low)}'] if self.low is not None else []
        parts += [f'"{column}" < {_literal(self.high)}'] if self.high is not None else []
        return " AND ".join(parts) or f'"{column}" IS NOT NULL'

    def of(self, target: str, column: str) -> str:
        """`target`, cut to this chunk by `column`."""
        return f"(SELECT * FROM {target} WHERE {self.where(column)})"


def chunks_of(session: Session, base: str, columns: Iterable[str]) -> list[Chunk | None]:
    """Chunks of `base` by the column with the most values; [None] where one is enough."""
    rows, names = session.count(base), list(columns)
    if rows <= CHUNK_ROWS or not names:
        return [None]
    counts = ", ".join(f'approx_count_distinct("{name}")' for name in names)
    source = session.identifier(base)
    distinct = session.rows(f"SELECT {counts} FROM {source}", where=base)[0]
    column = names[max(range(len(names)), key=lambda at: distinct[at])]
    pieces = -(-rows // CHUNK_ROWS)
    marks = ", ".join(str(piece / pieces) for piece in range(1, pieces))
    sample = (
        f'SELECT "{column}" FROM {source} USING SAMPLE reservoir({SAMPLE_ROWS} ROWS) REPEATABLE (1)'
    )
    found = session.rows(f'SELECT quantile_disc("{column}", [{marks}]) FROM ({sample})', where=base)
    bounds = sorted(set(found[0][0] or []))
    edges = [None, *bounds, None]
    ranges = [Chunk(column, low, high) for low, high in itertools.pairwise(edges)]
    return [*ranges, Chunk(column, nulls=True)]


def key_columns(joins: dict[str, Join], base: tuple[str, ...]) -> list[str]:
    """The base's columns that most look-ups go by, each as it stands."""
    used = Counter(
        text for join in joins.values() for text in set(join.match.values()) if text in base
    )
    most = max(used.values(), default=0)
    return [name for name, count in used.items() if count == most]


def _literal(value: Any) -> str:
    return str(value) if isinstance(value, int | float) else quote(str(value))
