"""Sales sorted by stratum and ratio, so that a statistic of every stratum is a few array passes."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from terrafusion_lib.core.errors import TerraFusionError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


class RatioDataError(TerraFusionError, ValueError):
    """Assessed values and prices that no ratio can be computed from."""


def usable(assessed: ArrayLike, price: ArrayLike) -> BoolArray:
    """Mask of the pairs that a ratio study can use.

    Both finite, price above zero, assessed value not negative. Statistics refuse other pairs; a
    caller that wants to leave them out filters by this mask and reports how many it left out.
    """
    value, paid = _vectors(assessed, price)
    return np.isfinite(value) & np.isfinite(paid) & (paid > 0) & (value >= 0)


@dataclass(frozen=True)
class Strata:
    """Validated sales sorted by stratum, then ratio, then price.

    `code` numbers the stratum of each sale from 0 to ``len(n) - 1``, `n` counts the sales of each
    stratum (0 is allowed), `start` is the first row of each stratum.
    """

    code: IntArray
    ratio: FloatArray
    assessed: FloatArray
    price: FloatArray
    n: IntArray
    start: IntArray

    def sums(self, values: FloatArray) -> FloatArray:
        """Sum of `values` (one per sale) by stratum."""
        summed = np.bincount(self.code, weights=values, minlength=self.n.size)
        return summed.astype(np.float64, copy=False)  # bincount of nothing counts in integers

    @cached_property
    def price_rank(self) -> FloatArray:
        """Rank of each sale's price within its stratum, from 1; equal prices share the mean."""
        order = np.argsort(self.price)
        if self.n.size > 1:
            order = order[np.argsort(self.code[order], kind="stable")]
        price, code = self.price[order], self.code[order]
        first = np.flatnonzero(np.diff(price, prepend=np.nan) != 0)
        if self.n.size > 1:
            first = np.union1d(first, self.start[self.n > 0])
        width = np.diff(first, append=price.size)
        mean = np.repeat(first + (width + 1) / 2, width) - self.start[code]
        rank = np.empty(price.size)
        rank[order] = mean
        return rank

    def rows(self, stratum: int) -> slice:
        """The rows of one stratum."""
        return slice(int(self.start[stratum]), int(self.start[stratum] + self.n[stratum]))


def stratify(
    assessed: ArrayLike, price: ArrayLike, codes: IntArray | None = None, count: int = 1
) -> Strata:
    """Validate and sort sales; without `codes` all are one stratum, a negative code leaves out.

    Values are positional: a pandas index is ignored, never aligned on.

    Raises
    ------
    RatioDataError
        Lengths differ, an array is not one-dimensional, a value is missing or infinite, a price
        is zero or negative, or an assessed value is negative.
    """
    value, paid = _vectors(assessed, price)
    _refuse_unusable(value, paid)
    if codes is None:
        codes = np.zeros(value.size, dtype=np.int64)
    elif codes.shape != value.shape:
        raise RatioDataError(f"{codes.size:,} stratum codes for {value.size:,} sales")
    kept = codes >= 0
    if not kept.all():
        value, paid, codes = value[kept], paid[kept], codes[kept]
    ratio = value / paid
    order = _order(codes, ratio, paid, count)
    n = np.bincount(codes, minlength=count)
    return Strata(
        code=codes[order],
        ratio=ratio[order],
        assessed=value[order],
        price=paid[order],
        n=n,
        start=np.concatenate(([0], np.cumsum(n)[:-1])),
    )


def _vectors(assessed: ArrayLike, price: ArrayLike) -> tuple[FloatArray, FloatArray]:
    value, paid = np.asarray(assessed, dtype=np.float64), np.asarray(price, dtype=np.float64)
    if value.ndim != 1 or paid.ndim != 1:
        raise RatioDataError("Assessed values and prices must be one-dimensional")
    if value.size != paid.size:
        raise RatioDataError(
            f"{value.size:,} assessed values for {paid.size:,} prices",
            cause="two selections of different rows",
        )
    return value, paid


def _refuse_unusable(value: FloatArray, paid: FloatArray) -> None:
    bad = np.flatnonzero(~(np.isfinite(value) & np.isfinite(paid) & (paid > 0) & (value >= 0)))
    if bad.size:
        shown = [f"row {i}: assessed {value[i]:g}, price {paid[i]:g}" for i in bad[:5]]
        raise RatioDataError(
            "A ratio needs a price above zero and an assessed value of zero or more",
            count=int(bad.size),
            examples=shown,
            hint="filter by terrafusion_lib.stats.strata.usable and report what is left out",
        )


def _order(codes: IntArray, ratio: FloatArray, price: FloatArray, count: int) -> IntArray:
    """Order by (code, ratio, price): what the input's order was is forgotten."""
    order = np.argsort(ratio)
    tied = np.flatnonzero(np.diff(ratio[order]) == 0)
    if tied.size:
        rows = np.union1d(tied, tied + 1)
        members = order[rows]
        order[rows] = members[np.lexsort((price[members], ratio[members]))]
    if count > 1:
        order = order[np.argsort(codes[order], kind="stable")]
    return order
