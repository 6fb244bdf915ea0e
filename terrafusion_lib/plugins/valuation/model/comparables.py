"""Comparable sales: the most similar in traits, location and time, adjusted to the subject."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.spatial import cKDTree

from terrafusion_lib.plugins.valuation.model.design import ITEMS, TRAIT_ITEMS
from terrafusion_lib.plugins.valuation.model.location import most_sales_of_a_parcel
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.subjects import DAYS_PER_MONTH, Subjects
from terrafusion_lib.stats import reproducible
from terrafusion_lib.stats.strata import BoolArray, FloatArray, IntArray

_TRAITS = [ITEMS.index(item) for item in TRAIT_ITEMS]


@dataclass(frozen=True)
class Found:
    """Comparables of some subjects (subject x rank), best first.

    `index` is the row of the sale (0 where `present` is False), `unlikeness` the distance in
    traits, location and time used for ranking, `weight` sums to 1 over a subject's row.
    """

    index: IntArray
    present: BoolArray
    unlikeness: FloatArray
    weight: FloatArray


@dataclass(frozen=True)
class ComparableFinder:
    """Finds the nearest sales in a space where one unit is a tenth of value, a mile or a year.

    Traits are measured by their worth in the regression, so the nearest sales need the least
    adjustment. Scales are parameters. `contributions` are the effects of the sold subjects, by
    line item.
    """

    sold: Subjects
    contributions: FloatArray
    params: ValuationParams

    @cached_property
    def _tree(self) -> cKDTree:
        return cKDTree(self._place(self.sold, self.contributions))

    def _place(self, units: Subjects, contributions: FloatArray) -> FloatArray:
        params = self.params
        return np.column_stack(
            [
                contributions[:, _TRAITS] / params.value_distance,
                units.x_feet / params.distance_scale_feet,
                units.y_feet / params.distance_scale_feet,
                units.day / (params.age_scale_months * DAYS_PER_MONTH),
            ]
        )

    def find(self, units: Subjects, contributions: FloatArray, wanted: int | None = None) -> Found:
        """The comparables of each subject, never a sale with the subject's own identity.

        `wanted` of them; default: from the parameters.
        """
        wanted = wanted or self.params.comparables
        count = min(wanted + most_sales_of_a_parcel(self.sold), len(self.sold))
        distance, index = self._tree.query(
            self._place(units, contributions), k=np.arange(1, count + 1)
        )
        own = self.sold.identity[index] == units.identity[:, None]
        distance = np.where(own, np.inf, distance)
        order = np.lexsort((index, distance), axis=1)[:, :wanted]
        distance = np.take_along_axis(distance, order, axis=1)
        present = np.isfinite(distance)
        index = np.where(present, np.take_along_axis(index, order, axis=1), 0)
        return Found(index, present, distance, weights(distance, present))


def weights(unlikeness: FloatArray, present: BoolArray) -> FloatArray:
    """Gaussian weights on the scale of the subject's own comparables; rows sum to 1."""
    known = np.where(present, unlikeness, 0.0)
    count = np.maximum(present.sum(axis=1, keepdims=True), 1)
    scale = np.maximum(known.sum(axis=1, keepdims=True) / count, 1e-9)
    weight = np.where(present, reproducible.exp(-0.5 * (known / scale) ** 2), 0.0)
    total = weight.sum(axis=1, keepdims=True)
    return np.where(total > 0, weight / np.where(total > 0, total, 1.0), 0.0)


@dataclass(frozen=True)
class Grid:
    """The adjustments of some comparables, as differences of logs by line item.

    `items` (subject x rank x ``ITEMS``) lead from the sale to the subject and the valuation date:
    log adjusted price = log price + items. `particular` is the part of the sale's deviation from
    the market that stays with the sale (negotiation, unobserved features): log of what the sale
    indicates for the subject = log adjusted price + particular.
    """

    items: FloatArray
    particular: FloatArray

    @property
    def net(self) -> FloatArray:
        """Sum of the line items, log."""
        total: FloatArray = self.items.sum(axis=2)
        return total

    def net_percent(self) -> FloatArray:
        """Net adjustment, percent of the price."""
        percent: FloatArray = 100 * (reproducible.exp(self.net) - 1)
        return percent

    def gross_percent(self) -> FloatArray:
        """Sum of the line items' sizes, percent of the price.

        In dollars the items sum to the net adjustment: each is weighted by the logarithmic mean of
        the price before and after, as in the grid (`logarithmic_mean`).
        """
        net = self.net
        mean = logarithmic_mean(reproducible.exp(net), np.ones_like(net))
        percent: FloatArray = 100 * mean * np.abs(self.items).sum(axis=2)
        return percent


def adjust(subject: FloatArray, sold: FloatArray, deviation: FloatArray, carry_over: float) -> Grid:
    """Adjustments of comparables.

    `subject` are the subjects' effects by line item, `sold` those of each one's comparables
    (subject x rank x ``ITEMS``), `deviation` the comparables' log prices beyond their effects
    (subject x rank), `carry_over` the share of it that is kept.
    """
    return Grid(subject[:, None, :] - sold, -(1 - carry_over) * deviation)


def logarithmic_mean(one: FloatArray, other: FloatArray) -> FloatArray:
    """(a - b) / (ln a - ln b), and a where they are equal."""
    ratio = reproducible.log(one / other)
    near = np.abs(ratio) < 1e-9
    return np.where(near, one, (one - other) / np.where(near, 1.0, ratio))
