"""Column helpers: whole arrays in, whole arrays out, never a loop over rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]
Days: TypeAlias = NDArray[np.datetime64]
Table: TypeAlias = dict[str, Any]
"""Columns of one source table by name: NumPy or Arrow arrays, or one value for every row."""


def pick(words: Sequence[str | None], index: Ints) -> pa.Array:
    """Text column: ``words[index]``; a None among the words is null."""
    return pa.array(list(words), pa.string()).take(pa.array(index))


def flag(mask: Bools) -> pa.Array:
    """PACS's character flags: T or F."""
    return pick(("F", "T"), mask.astype(np.int64))


def where(mask: Bools, values: Any, other: Any = None) -> pa.Array:
    """`values` where `mask` holds, else `other` (null by default)."""
    column = as_array(values, len(mask))
    fill = pa.scalar(other, column.type) if not isinstance(other, pa.Array) else other
    return pc.if_else(pa.array(mask), column, fill)


def as_array(values: Any, length: int) -> pa.Array:
    """Arrow array of `values`; one value is repeated `length` times."""
    if isinstance(values, pa.ChunkedArray):
        return values.combine_chunks()
    if isinstance(values, pa.Array):
        return values
    if isinstance(values, np.ndarray):
        return pa.array(values.astype(np.int64) if values.dtype == np.bool_ else values)
    if values is None:
        return pa.nulls(length, pa.string())
    return pa.repeat(pa.scalar(int(values) if isinstance(values, bool) else values), length)


def join(*parts: Any, separator: str = "") -> pa.Array:
    """Text of all `parts` (arrays or words) row by row; nulls are left out."""
    length = next(len(part) for part in parts if not isinstance(part, str))
    columns = [as_array(part, length).cast(pa.string()) for part in parts]
    return pc.binary_join_element_wise(*columns, separator, null_handling="skip")


def digits(numbers: Ints, width: int) -> pa.Array:
    """Numbers as text with leading zeros."""
    return pc.utf8_lpad(pa.array(numbers).cast(pa.string()), width, padding="0")


def moment(days: Days) -> pa.Array:
    """Dates as SQL Server datetimes in text, ``YYYY-MM-DD 00:00:00``; NaT is null."""
    unique, index = np.unique(days.astype("datetime64[D]"), return_inverse=True)
    words = [None if np.isnat(day) else f"{day} 00:00:00" for day in unique]
    return pick(words, index.astype(np.int64))


def day(year: Any, month: Any = 1, of_month: Any = 1) -> Any:
    """Date(s) from numbers, vectorized."""
    months = (np.asarray(year) - 1970) * 12 + np.asarray(month) - 1
    return months.astype("datetime64[M]").astype("datetime64[D]") + (np.asarray(of_month) - 1)


def year_of(days: Days) -> Ints:
    """Calendar year of each date."""
    return np.asarray(days.astype("datetime64[Y]").astype(np.int64) + 1970)


def rounded(values: NDArray[Any], unit: int) -> Ints:
    """Values rounded to a multiple of `unit`, as appraisers write them."""
    return (np.round(values / unit) * unit).astype(np.int64)


def row_versions(first: int, count: int) -> pa.Array:
    """SQL Server row versions: eight bytes, big end first, ascending."""
    numbers = np.arange(first, first + count, dtype=">u8")
    offsets = pa.py_buffer(np.arange(0, 8 * count + 1, 8, dtype=np.int32))
    return pa.BinaryArray.from_buffers(pa.binary(), count, [None, offsets, pa.py_buffer(numbers)])


def take(table: Mapping[str, Any], index: Ints) -> Table:
    """Rows of `table` by index; single values stay single."""
    return {
        name: column.take(pa.array(index))
        if isinstance(column, pa.Array | pa.ChunkedArray)
        else column[index]
        if isinstance(column, np.ndarray)
        else column
        for name, column in table.items()
    }


def draw(rng: np.random.Generator, weights: Sequence[float] | Floats, size: int) -> Ints:
    """Indices drawn in proportion to `weights` (they need not sum to 1)."""
    share = np.asarray(weights, dtype=np.float64)
    return rng.choice(len(share), size, p=share / share.sum())


def quotas(total: int, weights: Sequence[float], at_least: int = 1) -> Ints:
    """Whole numbers that sum to `total` in proportion to `weights`, each `at_least`."""
    share = np.asarray(weights, dtype=np.float64)
    spare = total - at_least * len(share)
    exact = share / share.sum() * spare
    counts = np.floor(exact).astype(np.int64)
    remainder = np.argsort(counts - exact, kind="stable")[: spare - int(counts.sum())]
    counts[remainder] += 1
    return np.asarray(counts + at_least)


@dataclass(frozen=True)
class Children:
    """Rows that belong to parents: `start` and `count` per parent into rows sorted by parent."""

    start: Ints
    count: Ints

    @classmethod
    def of(cls, parent: Ints, parents: int) -> "Children":
        """Index of child rows whose ascending `parent` is given."""
        count = np.bincount(parent, minlength=parents).astype(np.int64)
        return cls(np.cumsum(count) - count, count)

    def rows(self, parents: Ints) -> tuple[Ints, Ints]:
        """Child rows of `parents` in order, and for each its position in `parents`."""
        count = self.count[parents]
        position = np.repeat(np.arange(len(parents)), count)
        within = np.arange(len(position)) - np.repeat(np.cumsum(count) - count, count)
        return self.start[parents][position] + within, position
