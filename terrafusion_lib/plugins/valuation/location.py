"""The location surface: what neighbours' prices say beyond traits and neighbourhood."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from terrafusion_lib.plugins.valuation.units import Units
from terrafusion_lib.stats.strata import FloatArray

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
    tree: cKDTree

    @classmethod
    def of(cls, sold: Units, residual: FloatArray) -> "LocationSurface":
        """The surface of these sales' residuals."""
        return cls(sold, residual, cKDTree(np.column_stack([sold.x_feet, sold.y_feet])))

    def at(self, units: Units) -> FloatArray:
        """Effect of each unit's place on the log of value."""
        if not self.sold.located.any():
            return np.zeros(len(units))
        own = most_sales_of_a_parcel(self.sold)
        count = min(NEIGHBORS + own, len(self.sold))
        where = np.column_stack([units.x_feet, units.y_feet])
        distance, index = self.tree.query(where, k=np.arange(1, count + 1))
        reach = np.maximum(distance[:, [min(NEIGHBORS, count) - 1]], 1.0)
        weight = np.exp(-2 * (distance / reach) ** 2)
        weight[self.sold.parcel[index] == units.parcel[:, None]] = 0.0
        total = np.einsum("ij,ij->i", weight, self.residual[index])
        return np.asarray(total / (weight.sum(axis=1) + PRIOR_NEIGHBORS), dtype=np.float64)


def most_sales_of_a_parcel(sold: Units) -> int:
    """Largest number of sales of one parcel: how many extra neighbours to look at."""
    return int(np.unique(sold.parcel, return_counts=True)[1].max())
