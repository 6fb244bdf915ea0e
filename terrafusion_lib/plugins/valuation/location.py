"""The location surface: what neighbours' prices say beyond traits and neighbourhood."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from terrafusion_lib.plugins.valuation.units import Units
from terrafusion_lib.stats.strata import FloatArray, IntArray

NEIGHBORS = 30
PRIOR_NEIGHBORS = 1.0
"""Weight of "no effect": one neighbour at distance zero."""


@dataclass(frozen=True)
class LocationSurface:
    """Unexplained log prices of sales, smoothed over the nearest ones.

    A unit never sees a sale of its own parcel, so a sale cannot reach its own prediction.
    """

    sold: Units
    residual: FloatArray

    @cached_property
    def tree(self) -> cKDTree:
        """Places of the sales."""
        return cKDTree(np.column_stack([self.sold.x_feet, self.sold.y_feet]))

    def at(self, units: Units) -> FloatArray:
        """Effect of each unit's place on the log of value."""
        return self.near(units).mean(self.residual)

    def near(self, units: Units) -> "Near":
        """The sales that say what a place is worth, for each unit."""
        if not self.sold.located.any():
            none = np.zeros((len(units), 1))
            return Near(none.astype(np.int64), none)
        own = most_sales_of_a_parcel(self.sold)
        count = min(NEIGHBORS + own, len(self.sold))
        where = np.column_stack([units.x_feet, units.y_feet])
        distance, index = self.tree.query(where, k=np.arange(1, count + 1))
        reach = np.maximum(distance[:, [min(NEIGHBORS, count) - 1]], 1.0)
        weight = np.exp(-2 * (distance / reach) ** 2)
        weight[self.sold.identity[index] == units.identity[:, None]] = 0.0
        return Near(index, weight)


@dataclass(frozen=True)
class Near:
    """Sales near some units (unit x rank) and their weights; a unit's own parcel weighs nothing."""

    index: IntArray
    weight: FloatArray

    def mean(self, residual: FloatArray) -> FloatArray:
        """Weighted mean of the sales' residuals, drawn towards zero where they are far or few."""
        total = np.einsum("ij,ij->i", self.weight, residual[self.index])
        return np.asarray(total / (self.weight.sum(axis=1) + PRIOR_NEIGHBORS), dtype=np.float64)


def most_sales_of_a_parcel(sold: Units) -> int:
    """Largest number of sales of one identity: how many extra neighbours to look at."""
    return int(np.unique(sold.identity, return_counts=True)[1].max())
