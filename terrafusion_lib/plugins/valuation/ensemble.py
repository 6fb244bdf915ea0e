"""A market's ensemble: comparable sales, trees stacked upon them, and the equity calibration.

Stacked generalisation (Wolpert, Neural Networks 5, 1992): the trees learn from what comparables
said of sales that those comparables had not seen, so no sale reaches its own prediction.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from terrafusion_lib.plugins.valuation.boosting import TREES, Booster, boost
from terrafusion_lib.plugins.valuation.equity import Calibration, calibrate
from terrafusion_lib.plugins.valuation.model import MarketModel, Prediction, fit
from terrafusion_lib.plugins.valuation.params import TreeSettings, ValuationParams
from terrafusion_lib.plugins.valuation.signals import SIGNALS, Signals
from terrafusion_lib.plugins.valuation.units import Sales, Units
from terrafusion_lib.stats.strata import FloatArray, IntArray

FOLDS = 5
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
COMPARABLE_SALES, ENSEMBLE = "comparable_sales", "ensemble"


@dataclass(frozen=True)
class Ensemble:
    """What values a market: comparables, and `weight` times what the trees add to their logs.

    Without `booster` the comparables alone: too few sales, or unseen ones gain nothing from trees.
    """

    comparables: MarketModel
    booster: Booster | None
    weight: float
    calibration: Calibration

    @property
    def method(self) -> str:
        """Name of the method, as results carry it."""
        return ENSEMBLE if self.booster else COMPARABLE_SALES

    def predict(self, units: Units, like: Units | None = None) -> Prediction:
        """Value units, each for its own day, from the comparables of `like` where it is given."""
        found = self.comparables.predict(units, like=like)
        log_value = np.log(found.comparable_value)
        if self.booster:
            log_value += self.weight * self.booster.predict(self.signals(units, found))
        return replace(found, value=np.exp(self.calibration.apply(log_value)))

    def signals(self, units: Units, prediction: Prediction) -> FloatArray:
        """What the trees see of units."""
        return Signals(self.comparables).matrix(units, prediction)


@dataclass(frozen=True)
class OutOfFold:
    """Values of a market's own sales by models that saw no sale of their parcels.

    `log_value` after trees and before calibration, `comparables` what those said of the sales.
    """

    log_value: FloatArray
    comparables: "FirstLevel"


@dataclass(frozen=True)
class FirstLevel:
    """The comparables' out-of-fold words on a market's own sales.

    `dispersion` and `unlikeness` as in ``model.Prediction``; `signals` are the trees' input.
    """

    log_value: FloatArray
    dispersion: FloatArray
    unlikeness: FloatArray
    signals: FloatArray


def fit_ensemble(
    sales: Sales, params: ValuationParams, seed: int, threads: int = 1
) -> tuple[Ensemble, OutOfFold]:
    """Fit a market and value its own sales out of fold; the same for any number of threads."""
    fold = folds(sales.unit.identity, seed)
    with ThreadPoolExecutor(threads) as pool:
        whole = pool.submit(fit, sales, params)
        first = _first_level(sales, params, fold, pool)
        comparables = whole.result()
        log_value, booster, weight = first.log_value, None, 0.0
        if len(sales) >= params.min_ensemble_sales:
            target = np.log(sales.price) - first.log_value
            whole_booster = pool.submit(boost, first.signals, target, seed, settings=params.trees)
            added = second_level(first.signals, target, fold, seed, pool, settings=params.trees)
            trees, weight = best_use(added, target)
            log_value = first.log_value + weight * added[trees]
            booster = replace(whole_booster.result(), used=trees)
    calibration = calibrate(
        log_value, sales.price, params.equity, outlier_deviations=params.outlier_deviations
    )
    ensemble = Ensemble(comparables, booster if weight else None, weight, calibration)
    return ensemble, OutOfFold(log_value, first)


def best_use(added: Mapping[int, FloatArray], target: FloatArray) -> tuple[int, float]:
    """Number of trees, and share of what they add, with the least mean error of unseen sales."""
    choices = [(trees, weight) for trees in added for weight in WEIGHTS]
    return min(
        choices, key=lambda choice: float(np.abs(target - choice[1] * added[choice[0]]).mean())
    )


def folds(identity: IntArray, seed: int) -> IntArray:
    """Fold of each sale: all sales of a parcel in one, parcels spread evenly and at random.

    `identity` as in ``units.Units``: parcels that were sold together are in one fold too.
    """
    parcels, row = np.unique(identity, return_inverse=True)
    order = np.random.default_rng(seed).permutation(parcels.size)
    return np.asarray(order[row] % FOLDS, dtype=np.int64)


def _first_level(
    sales: Sales, params: ValuationParams, fold: IntArray, pool: ThreadPoolExecutor
) -> FirstLevel:
    def tested(number: int) -> tuple[Prediction, FloatArray]:
        model = fit(sales.take(fold != number), params)
        units = sales.unit.take(fold == number)
        found = model.predict(units)
        return found, Signals(model).matrix(units, found)

    size = len(sales)
    made = FirstLevel(
        np.empty(size), np.empty(size), np.empty(size), np.empty((size, len(SIGNALS)))
    )
    for number, (found, signals) in enumerate(pool.map(tested, range(FOLDS))):
        rows = fold == number
        made.log_value[rows] = np.log(found.comparable_value)
        made.dispersion[rows], made.unlikeness[rows] = found.dispersion, found.unlikeness
        made.signals[rows] = signals
    return made


def second_level(
    signals: FloatArray,
    target: FloatArray,
    fold: IntArray,
    seed: int,
    pool: ThreadPoolExecutor,
    *,
    settings: TreeSettings,
) -> dict[int, FloatArray]:
    """What the first trees add to each sale, by their number, fitted on other parcels only."""

    def tested(number: int) -> dict[int, FloatArray]:
        rest = fold != number
        booster = boost(signals[rest], target[rest], seed, settings=settings)
        return {trees: replace(booster, used=trees).predict(signals[~rest]) for trees in TREES}

    added = {trees: np.empty(target.size) for trees in TREES}
    for number, found in enumerate(pool.map(tested, range(FOLDS))):
        for trees, values in found.items():
            added[trees][fold == number] = values
    return added
