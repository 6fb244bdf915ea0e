"""Sales sorted by stratum and ratio, so that a statistic of all strata takes a few array passes."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from terrafusion_lib.core.errors import TerraFusionError
from terrafusion_lib.stats.ordering import BoolArray, FloatArray, IntArray, order_by, order_by_code

__all__ = ["BoolArray", "FloatArray", "IntArray", "RatioDataError", "Strata", "stratify", "usable"]


class RatioDataError(TerraFusionError, ValueError):
    """Appraised values and prices from which no ratio can be computed."""


def usable(appraised: ArrayLike, price: ArrayLike) -> BoolArray:
    """Mask of the pairs that a ratio study can use.

    Both finite, price above zero, appraised value not negative. Statistics reject other pairs. To
    leave them out, filter by this mask and report how many were excluded.
    """
    value, paid = _vectors(appraised, price)
    return np.isfinite(value) & np.isfinite(paid) & (paid > 0) & (value >= 0)


@dataclass(frozen=True)
class Strata:
    """Validated sales sorted by stratum, then ratio, then price.

    `code` numbers the stratum of each sale from 0 to ``len(n) - 1``, `n` counts the sales of each
    stratum (0 is allowed), `start` is the first row of each stratum.
    """

    code: IntArray
    ratio: FloatArray
    appraised: FloatArray
    price: FloatArray
    n: IntArray
    start: IntArray

    def sums(self, values: FloatArray) -> FloatArray:
        """Sum of `values` (one per sale) by stratum: independent of other strata, bit for bit."""
        summed = np.zeros(self.n.size)
        some = self.n > 0
        if some.any():
            summed[some] = np.add.reduceat(values, self.start[some])
        return summed

    def spread(self, figures: FloatArray) -> FloatArray:
        """Repeat a figure per stratum for each of its sales; with one stratum, a scalar."""
        return figures if self.n.size == 1 else np.repeat(figures, self.n)

    @cached_property
    def median(self) -> FloatArray:
        """Median ratio by stratum; NaN where it has no sales."""
        medians = np.full(self.n.size, np.nan)
        some = self.n > 0
        low = self.start[some] + (self.n[some] - 1) // 2
        high = self.start[some] + self.n[some] // 2
        medians[some] = (self.ratio[low] + self.ratio[high]) / 2
        return medians

    @cached_property
    def deviation(self) -> FloatArray:
        """Distance of each ratio from the median of its stratum."""
        deviation = self.ratio - self.spread(self.median)
        return np.abs(deviation, out=deviation)

    @cached_property
    def value_proxy(self) -> FloatArray:
        """Average of the price and the appraised value divided by the median ratio, US dollars. A
        proxy for the unknown market value that favors neither, so that price errors alone do not
        look like regressivity.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            proxy = self.appraised * self.spread(1 / np.where(self.median > 0, self.median, np.nan))
        proxy += self.price
        proxy /= 2
        return proxy

    @cached_property
    def price_rank(self) -> FloatArray:
        """Rank of each sale's price within its stratum, from 1; equal prices share the mean."""
        order = order_by(self.price)
        if self.n.size > 1:
            order = order[order_by_code(self.code[order], self.n.size)]
        price = self.price[order]
        opens = np.ones(price.size, dtype=np.bool_)
        np.not_equal(price[1:], price[:-1], out=opens[1:])
        opens[self.start[self.n > 0]] = True
        first = np.flatnonzero(opens)
        width = np.diff(first, append=price.size)
        rank = np.empty(price.size)
        rank[order] = np.repeat(first + (width + 1) / 2, width)
        rank -= self.spread(self.start.astype(np.float64))
        return rank

    @cached_property
    def ginis(self) -> tuple[FloatArray, FloatArray]:
        """Gini coefficients of appraised values and of prices by stratum, in the order of price."""

        def gini(values: FloatArray) -> FloatArray:
            ranked = self.sums(values * self.price_rank)
            with np.errstate(invalid="ignore", divide="ignore"):
                return 2 * ranked / (self.n * self.sums(values)) - (self.n + 1) / self.n

        return gini(self.appraised), gini(self.price)

    def rows(self, stratum: int) -> slice:
        """The rows of one stratum."""
        return slice(int(self.start[stratum]), int(self.start[stratum] + self.n[stratum]))


def stratify(
    appraised: ArrayLike, price: ArrayLike, codes: IntArray | None = None, count: int = 1
) -> Strata:
    """Validate and sort sales; without `codes` all are one stratum; negative codes are excluded.

    Values are positional: a pandas index is ignored, never aligned on.

    Raises
    ------
    RatioDataError
        Lengths differ, an array is not one-dimensional, a value is missing or infinite, a price
        is zero or negative, or an appraised value is negative.
    """
    value, paid = _vectors(appraised, price)
    _refuse_unusable(value, paid)
    if codes is None:
        codes, count = np.zeros(value.size, dtype=np.int64), 1
    elif codes.shape != value.shape:
        raise RatioDataError(f"{codes.size:,} stratum codes for {value.size:,} sales")
    kept = codes >= 0
    if not kept.all():
        value, paid, codes = value[kept], paid[kept], codes[kept]
    ratio = value / paid
    order = _order(codes, ratio, paid, count)
    n = np.bincount(codes, minlength=count)
    return Strata(
        code=codes[order] if count > 1 else codes,
        ratio=ratio[order],
        appraised=value[order],
        price=paid[order],
        n=n,
        start=np.cumsum(n) - n,
    )


def _vectors(appraised: ArrayLike, price: ArrayLike) -> tuple[FloatArray, FloatArray]:
    value, paid = np.asarray(appraised, dtype=np.float64), np.asarray(price, dtype=np.float64)
    if value.ndim != 1 or paid.ndim != 1:
        raise RatioDataError("Appraised values and prices must be one-dimensional")
    if value.size != paid.size:
        raise RatioDataError(
            f"{value.size:,} appraised values for {paid.size:,} prices",
            cause="values and prices were selected from different rows",
        )
    return value, paid


def _refuse_unusable(value: FloatArray, paid: FloatArray) -> None:
    bad = np.flatnonzero(~(np.isfinite(value) & np.isfinite(paid) & (paid > 0) & (value >= 0)))
    if bad.size:
        shown = [f"row {i}: appraised {value[i]:g}, price {paid[i]:g}" for i in bad[:5]]
        raise RatioDataError(
            "Ratios need prices above zero and appraised values of zero or more",
            count=int(bad.size),
            examples=shown,
            hint="filter by terrafusion_lib.stats.strata.usable and report what is left out",
        )


def _order(codes: IntArray, ratio: FloatArray, price: FloatArray, count: int) -> IntArray:
    """Order by (code, ratio, price), independent of the input order."""
    order = order_by(ratio, price)
    return order[order_by_code(codes[order], count)] if count > 1 else order
