"""The location surface: what nearby prices show beyond traits and neighborhood."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from terrafusion_lib.plugins.valuation.subjects import Subjects
from terrafusion_lib.stats import reproducible
from terrafusion_lib.stats.strata import BoolArray, FloatArray, IntArray

NEIGHBORS = 30
PRIOR_NEIGHBORS = 1.0
"""Weight of "no effect": one neighbor at distance zero."""


@dataclass(frozen=True)
class LocationSurface:
    """Unexplained log prices of sales, smoothed over the nearest ones. A subject never uses a sale
    of its own parcel, so a sale cannot contribute to its own prediction.
    """

    sold: Subjects
    residual: FloatArray

    @cached_property
    def tree(self) -> cKDTree:
        """Locations of the sales."""
        return cKDTree(np.column_stack([self.sold.x_feet, self.sold.y_feet]))

    @cached_property
    def around(self) -> "Near":
        """The sales around each sale."""
        return self.near(self.sold)

    def at(self, units: Subjects) -> FloatArray:
        """Effect of each subject's location on the log of value."""
        return self.near(units).mean(self.residual)

    def near(self, units: Subjects) -> "Near":
        """The sales that determine the location value of each subject."""
        if not self.sold.located.any():
            none = np.zeros((len(units), 1))
            return Near(none.astype(np.int64), none, none.astype(np.bool_))
        most = most_sales_of_a_parcel(self.sold)
        count = min(NEIGHBORS + 2 * most, len(self.sold))  # a subject's own, and those of another
        where = np.column_stack([units.x_feet, units.y_feet])
        distance, index = self.tree.query(where, k=np.arange(1, count + 1))
        return Near(index, distance, self.sold.identity[index] != units.identity[:, None])


@dataclass(frozen=True)
class Near:
    """Sales near some subjects (last axis by rank), their distances, and which may count."""

    index: IntArray
    distance: FloatArray
    speaks: BoolArray

    @cached_property
    def weight(self) -> FloatArray:
        """Weights of the nearest `NEIGHBORS` that may count, by the distance of the last."""
        speaks = self.speaks & (np.cumsum(self.speaks, axis=-1) <= NEIGHBORS)
        reach = np.maximum(np.where(speaks, self.distance, 0.0).max(axis=-1, keepdims=True), 1.0)
        share = self.distance / reach
        return np.where(speaks, reproducible.exp(-2 * share * share), 0.0)

    def mean(self, residual: FloatArray) -> FloatArray:
        """Weighted mean of the sales' residuals, shrunk toward zero if they are far or few."""
        total = (self.weight * residual[self.index]).sum(axis=-1)
        return np.asarray(total / (self.weight.sum(axis=-1) + PRIOR_NEIGHBORS), dtype=np.float64)

    def without(self, rows: IntArray, silent: BoolArray) -> "Near":
        """Some subjects' neighbors, with some of them excluded."""
        return Near(self.index[rows], self.distance[rows], self.speaks[rows] & ~silent)


def most_sales_of_a_parcel(sold: Subjects) -> int:
    """Largest number of sales with one identity: the number of extra neighbors to search."""
    return int(np.unique(sold.identity, return_counts=True)[1].max())
