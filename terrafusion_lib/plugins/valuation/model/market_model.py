"""A model of one market: fit on sales, predict any subject on any day."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from terrafusion_lib.plugins.valuation.model.comparables import (
    ComparableFinder,
    Found,
    Grid,
    adjust,
)
from terrafusion_lib.plugins.valuation.model.design import (
    ITEMS,
    LOCATION,
    Design,
    features,
    indicators,
    labels_as_codes,
    make_design,
    side_by_side,
)
from terrafusion_lib.plugins.valuation.model.hedonic import (
    Hedonic,
    huber_weights,
    penalized_gram,
    robust_deviation,
    robust_ridge,
)
from terrafusion_lib.plugins.valuation.model.location import LocationSurface
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.subjects import DAYS_PER_YEAR, Sales, Subjects
from terrafusion_lib.stats import reproducible
from terrafusion_lib.stats.strata import BoolArray, FloatArray, IntArray
from terrafusion_lib.stats.time_index import drift_variance

BACKFITTING_ROUNDS = 3
LEAST_DEVIATION = 0.01
"""If the regression explains nearly everything, a sale 5 percent off is still not an outlier."""


@dataclass(frozen=True)
class Evidence:
    """What explains some values: as in `Prediction`."""

    comparable_value: FloatArray
    effects: FloatArray
    signals: FloatArray | None


@dataclass(frozen=True)
class Prediction:
    """Values of some subjects and what they are based on.

    `value` in US dollars; `comparable_value` what the comparables alone reconcile to: the weighted
    mean of `indicated_value`, which is `adjusted_price` less the part that stays with the sale;
    `effects` the regression's effects by line item (``ITEMS``), log; `deviation` the weighted mean
    of the comparables' log deviations from the market and `dispersion` its weighted standard
    deviation;
    `unlikeness` their mean distance in traits, location and time; `signals` the trees' inputs,
    None if the market has no trees.
    """

    value: FloatArray
    comparable_value: FloatArray
    found: Found
    grid: Grid
    adjusted_price: FloatArray
    indicated_value: FloatArray
    effects: FloatArray
    deviation: FloatArray
    dispersion: FloatArray
    unlikeness: FloatArray
    signals: FloatArray | None = None

    @property
    def evidence(self) -> Evidence:
        """The parts needed for an explanation, without the large grid."""
        return Evidence(self.comparable_value, self.effects, self.signals)


@dataclass(frozen=True)
class MarketModel:
    """Regression, location surface and comparables of one market."""

    sales: Sales
    hedonic: Hedonic
    surface: LocationSurface
    effects: FloatArray
    deviation: FloatArray
    finder: ComparableFinder
    carry_over: float
    outliers: int

    @cached_property
    def covariance(self) -> FloatArray:
        """Covariance of the regression's coefficients: that of a ridge regression seen as Bayesian.

        From the residuals of the location surface.
        """
        design = self.hedonic.design
        matrix = design.matrix(self.sales.unit)
        weight = huber_weights(self.deviation)
        gram = penalized_gram(matrix, weight, design.penalty, self.deviation)[:-1, :-1]
        inverse = reproducible.solve(gram, np.eye(len(gram)))
        return robust_deviation(self.deviation) ** 2 * inverse

    def effects_of(self, units: Subjects) -> FloatArray:
        """Effect of each line item on the log of value, location surface included."""
        effects = self.hedonic.contributions(units)
        effects[:, ITEMS.index(LOCATION)] += self.surface.at(units)
        return effects

    def predict(
        self, units: Subjects, comparables: int | None = None, like: Subjects | None = None
    ) -> Prediction:
        """Value subjects, each for its own day, from sales of other parcels.

        Uses `comparables` sales (default: from the parameters), or those of `like`, the same
        subjects with other traits, if given.
        """
        effects = self.effects_of(units)
        chooser, chosen_by = (units, effects) if like is None else (like, self.effects_of(like))
        chosen = self.finder.find(chooser, chosen_by, comparables)
        return self.reconcile(effects, chosen, units.identity)

    def reconcile(self, effects: FloatArray, found: Found, identity: IntArray) -> Prediction:
        """Value subjects with given effects and identities from selected comparables."""
        shift = self._own_word(found, identity)
        sold = self.effects[found.index]
        sold[:, :, ITEMS.index(LOCATION)] -= shift
        deviation = self.deviation[found.index] + shift
        grid = adjust(effects, sold, deviation, self.carry_over)
        adjusted = self.sales.price[found.index] * reproducible.exp(grid.net)
        indicated = adjusted * reproducible.exp(grid.particular)
        mean = (found.weight * deviation).sum(axis=1)
        variance = (found.weight * (deviation - mean[:, None]) ** 2).sum(axis=1)
        near = np.where(found.present, found.unlikeness, 0.0)
        value = (found.weight * indicated).sum(axis=1)
        return Prediction(
            value=value,
            comparable_value=value,
            found=found,
            grid=grid,
            adjusted_price=adjusted,
            indicated_value=indicated,
            effects=effects,
            deviation=mean,
            dispersion=np.sqrt(variance),
            unlikeness=(found.weight * near).sum(axis=1),
        )

    def _own_word(self, found: Found, identity: IntArray) -> FloatArray:
        """What the subject's own sales add to the location effects of its comparables. A nearby
        comparable's location is valued by the sales around it, including the subject's own. This
        contribution is removed, so that no sale contributes to its own prediction through a
        neighbor.
        """
        word = np.zeros(found.index.shape)
        rows = np.flatnonzero(np.isin(identity, self.sales.unit.identity))
        around, sales = self.surface.around, found.index[rows]
        own = self.sales.unit.identity[around.index[sales]] == identity[rows, None, None]
        subject, rank = np.nonzero((own & (around.weight[sales] > 0)).any(axis=2))
        if subject.size:
            sale = sales[subject, rank]
            others = around.without(sale, own[subject, rank]).mean(self.surface.residual)
            word[rows[subject], rank] = self.location[sale] - others
        return word

    @cached_property
    def location(self) -> FloatArray:
        """Location effect of each sale from the sales around it, log."""
        return self.surface.around.mean(self.surface.residual)

    def with_sales(self, sales: Sales) -> "MarketModel":
        """The same regression with these sales around it: as comparables and as neighbors.

        They must be in the market. Sales that the regression misses by more than
        `params.outlier_deviations` are excluded.
        """
        params = self.finder.params
        level = reproducible.log(sales.price) - self.hedonic.constant
        effects = self.hedonic.contributions(sales.unit)
        residual = level - effects.sum(axis=1)
        spread = max(robust_deviation(self.surface.residual), LEAST_DEVIATION)
        kept = np.abs(residual) <= params.outlier_deviations * spread
        sold, effects = sales.take(kept), effects[kept]
        surface = LocationSurface(sold.unit, residual[kept])
        location = surface.around.mean(surface.residual)
        effects[:, ITEMS.index(LOCATION)] += location
        return MarketModel(
            sales=sold,
            hedonic=self.hedonic,
            surface=surface,
            effects=effects,
            deviation=surface.residual - location,
            finder=ComparableFinder(sold.unit, effects, params),
            carry_over=self.carry_over,
            outliers=len(sales) - len(sold),
        )

    def time_factor(self, units: Subjects) -> FloatArray:
        """Factor from the price level of each subject's day to the valuation date's."""
        return reproducible.exp(-self.hedonic.time_effect(units))

    def can_value(self, units: Subjects) -> BoolArray:
        """Whether a subject has the trait required for similarity: building area, or land area."""
        known = np.isfinite(units.trait("building_area_sqft"))
        if "size" not in self.hedonic.design.scales and "land" in self.hedonic.design.scales:
            known |= np.isfinite(units.trait("land_area_sqft"))
        elif "size" not in self.hedonic.design.scales:
            known[:] = True
        return known

    def outside_market(self, units: Subjects, margin: float = 0.0) -> BoolArray:
        """Whether a trait is outside the range of sales by more than `margin` of that range."""
        inputs = features(units)
        outside = np.zeros(len(units), dtype=np.bool_)
        for name, scale in self.hedonic.design.scales.items():
            beyond = margin * (scale.high - scale.low)
            outside |= (inputs[name] < scale.low - beyond) | (inputs[name] > scale.high + beyond)
        return outside

    def missing_traits(self, units: Subjects) -> BoolArray:
        """Whether a trait used by the regression is unknown and was assumed to be average."""
        inputs = features(units)
        missing = np.zeros(len(units), dtype=np.bool_)
        for name in self.hedonic.design.scales:
            missing |= np.isnan(inputs[name])
        return missing


def fit(sales: Sales, params: ValuationParams) -> MarketModel:
    """Fit a market: regression and location surface in turn, then the comparables' space.

    The sales must include two parcels or more. Sales that the regression misses by more than
    `params.outlier_deviations` robust standard deviations are excluded and counted.
    """
    kept = _without_outliers(sales, params)
    log_price = reproducible.log(kept.price)
    level = log_price - kept.unit.trend
    design, matrix, coefficients = _regression(kept.unit, level, params)
    near = LocationSurface(kept.unit, level).near(kept.unit)
    for _ in range(BACKFITTING_ROUNDS):
        location = near.mean(level - reproducible.product(matrix, coefficients))
        coefficients = robust_ridge(
            matrix, design.penalty, level - location, start=coefficients, rounds=1
        )
    surface = LocationSurface(kept.unit, level - reproducible.product(matrix, coefficients))
    location = near.mean(surface.residual)
    hedonic = Hedonic(design, coefficients)
    effects = hedonic.contributions(kept.unit)
    effects[:, ITEMS.index(LOCATION)] += location
    deviation = log_price - hedonic.constant - effects.sum(axis=1)
    finder = ComparableFinder(kept.unit, effects, params)
    carry_over = params.carry_over
    if carry_over is None:
        carry_over = _fitted_carry_over(finder.find(kept.unit, effects), deviation)
    return MarketModel(
        sales=kept,
        hedonic=hedonic,
        surface=surface,
        effects=effects,
        deviation=deviation,
        finder=finder,
        carry_over=carry_over,
        outliers=len(sales) - len(kept),
    )


def _regression(
    sold: Subjects, level: FloatArray, params: ValuationParams
) -> tuple[Design, FloatArray, FloatArray]:
    """Design, columns and coefficients; areas drift only to the extent that sales show it."""
    design = make_design(sold, time_adjustment=params.time_adjustment)
    matrix = design.matrix(sold)
    coefficients = robust_ridge(matrix, design.penalty, level)
    if not params.time_adjustment or not design.neighborhoods:
        return design, matrix, coefficients
    residual = level - reproducible.product(matrix, coefficients)
    noise = robust_deviation(residual) ** 2
    area = labels_as_codes(sold.neighborhood, design.neighborhoods)
    between = drift_variance(
        area, sold.day / DAYS_PER_YEAR, residual, huber_weights(residual), noise
    )
    if between == 0:
        return design, matrix, coefficients
    design = design.with_drift(noise / between)
    areas = indicators(sold.neighborhood, design.neighborhoods)
    matrix = side_by_side([matrix, design.drift_columns(sold.day, areas)])
    start = np.concatenate([coefficients, np.zeros(len(design.neighborhoods))])
    return design, matrix, robust_ridge(matrix, design.penalty, level, start=start, rounds=2)


def _without_outliers(sales: Sales, params: ValuationParams) -> Sales:
    design = make_design(sales.unit, time_adjustment=params.time_adjustment)
    matrix, level = design.matrix(sales.unit), reproducible.log(sales.price) - sales.unit.trend
    residual = level - reproducible.product(matrix, robust_ridge(matrix, design.penalty, level))
    deviation = max(robust_deviation(residual), LEAST_DEVIATION)
    near = np.abs(residual) <= params.outlier_deviations * deviation
    return sales.take(near) if near.any() else sales


def _fitted_carry_over(found: Found, deviation: FloatArray) -> float:
    """Least-squares share of comparables' deviations that the subject has too, 0 to 1.

    The subjects are the sales themselves, whose own parcel is never among their comparables.
    """
    mean = (found.weight * deviation[found.index]).sum(axis=1)
    power = float((mean * mean).sum())
    return float(np.clip((mean * deviation).sum() / power, 0.0, 1.0)) if power > 0 else 0.0
