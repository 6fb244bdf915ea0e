"""Rows of the analytics tables, made up: every column filled, some values null."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from terrafusion_lib.analytics.fact_table import FactTable
from terrafusion_lib.analytics.facts import facts
from terrafusion_lib.analytics.partitions import Partition

COUNTY = "test_wa"
CODES = np.array(["A", "B", "Çé", "d'x", ""])


def fact_rows(
    fact: FactTable, year: int, count: int, *, seed: int = 1, codes: int = len(CODES)
) -> pa.Table:
    """`count` rows of one year; about one value in twenty is null."""
    random = np.random.default_rng([seed, year])
    schema = fact.arrow_schema()
    names = CODES if codes <= len(CODES) else np.array([f"{n:06d}" for n in range(codes)])
    columns: list[pa.Array] = []
    for field in schema:
        if field.name == "county_id":
            columns.append(pa.repeat(pa.scalar(COUNTY), count))
        elif field.name == "year":
            columns.append(pa.repeat(pa.scalar(year, pa.int64()), count))
        elif field.name in fact.key:
            columns.append(pa.array([f"{number:08d}" for number in range(count)]))
        else:
            chosen = names[:codes] if field.name == "neighborhood_code" else CODES
            values = _values(field, random, year, count, chosen)
            columns.append(pa.array(values, field.type, mask=random.random(count) < 0.05))
    return pa.table(columns, schema=schema)


def _values(
    field: pa.Field, random: np.random.Generator, year: int, count: int, codes: np.ndarray
) -> np.ndarray:
    days = np.datetime64(f"{year}-01-01", "D") + random.integers(0, 365, count)
    kinds: dict[pa.DataType, Callable[[], np.ndarray]] = {
        pa.string(): lambda: codes[random.integers(0, len(codes), count)],
        pa.bool_(): lambda: random.random(count) < 0.9,
        pa.int64(): lambda: random.integers(0, 10, count),
        pa.date32(): lambda: days,
        pa.float64(): lambda: (
            np.round(random.lognormal(12, 0.5, count), 2) * (random.random(count) > 0.01)
        ),
    }
    return kinds[field.type]()


def partition(name: str, year: int, count: int, *, seed: int = 1, codes: int = 5) -> Partition:
    """A partition of made-up rows; its content mark tells rows of other seeds and sizes apart."""
    fact = facts()[name]
    rows = fact_rows(fact, year, count, seed=seed, codes=codes)
    return Partition(fact, COUNTY, year, rows, f"{name} {year} {count} {seed}")
