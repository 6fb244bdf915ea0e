"""A market's ensemble: comparable sales, stacked trees, and the equity calibration.

Stacked generalization (Wolpert, Neural Networks 5, 1992): the trees train on out-of-fold estimates
from comparables, so no sale contributes to its own prediction.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np

from terrafusion_lib.plugins.valuation.model.boosting import TREES, Booster, boost
from terrafusion_lib.plugins.valuation.model.equity import Calibration, calibrate
from terrafusion_lib.plugins.valuation.model.market_model import MarketModel, Prediction, fit
from terrafusion_lib.plugins.valuation.model.signals import SIGNALS, Signals
from terrafusion_lib.plugins.valuation.params import TreeSettings, ValuationParams
from terrafusion_lib.plugins.valuation.subjects import Sales, Subjects
from terrafusion_lib.stats import reproducible
from terrafusion_lib.stats.strata import FloatArray, IntArray

FOLDS = 5
BOOSTERS_PER_FOLD = 2
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
COMPARABLE_SALES, ENSEMBLE = "comparable_sales", "ensemble"


@dataclass(frozen=True)
class Ensemble:
    """A market's valuation model: comparables, plus `weight` times the trees' correction in logs.
    Without `booster`, comparables alone: too few sales, or trees do not improve unseen sales.
    """

    comparables: MarketModel
    booster: Booster | None
    weight: float
    calibration: Calibration

    @property
    def method(self) -> str:
        """Name of the method in results."""
        return ENSEMBLE if self.booster else COMPARABLE_SALES

    def predict(self, units: Subjects, like: Subjects | None = None) -> Prediction:
        """Value subjects, each for its own day, optionally with the comparables of `like`."""
        prediction = self.comparables.predict(units, like=like)
        log_value = reproducible.log(prediction.comparable_value)
        signals = None
        if self.booster:
            signals = Signals(self.comparables).matrix(units, prediction)
            log_value += self.weight * self.booster.predict(signals)
        value = reproducible.exp(self.calibration.apply(log_value))
        return replace(prediction, value=value, signals=signals)


@dataclass(frozen=True)
class OutOfFold:
    """Values of a market's own sales by models that saw no sale of their parcels.

    `log_value` after trees and before calibration, `comparables` the comparables' values.
    """

    log_value: FloatArray
    comparables: "FirstLevel"


@dataclass(frozen=True)
class FirstLevel:
    """The comparables' out-of-fold estimates of a market's own sales.

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
    fold = folds(sales)
    with ThreadPoolExecutor(threads) as pool:
        whole = pool.submit(fit, sales, params)
        first = _first_level(sales, params, fold, pool)
        comparables = whole.result()
        log_value, booster, weight = first.log_value, None, 0.0
        if len(sales) >= params.min_ensemble_sales:
            target = reproducible.log(sales.price) - first.log_value
            added, grown = second_level(
                first.signals, target, fold, seed, pool, settings=params.trees
            )
            trees, weight = best_use(added, target)
            log_value = first.log_value + weight * added[trees]
            booster = replace(grown, used=trees)
    calibration = calibrate(
        log_value, sales.price, params.equity, outlier_deviations=params.outlier_deviations
    )
    ensemble = Ensemble(comparables, booster if weight else None, weight, calibration)
    return ensemble, OutOfFold(log_value, first)


def best_use(added: Mapping[int, FloatArray], target: FloatArray) -> tuple[int, float]:
    """Number of trees and weight of their correction with the lowest mean error on unseen sales."""
    choices = [(trees, weight) for trees in added for weight in WEIGHTS]
    return min(
        choices, key=lambda choice: float(np.abs(target - choice[1] * added[choice[0]]).mean())
    )


def folds(sales: Sales) -> IntArray:
    """Fold of each sale; all sales of a parcel, and of parcels sold together, share one. A
    parcel's fold depends only on its property id, not on chance, row order or other sales, so an
    additional sale does not move the others.
    """
    names, row = np.unique(sales.property_id.astype(str), return_inverse=True)
    drawn = [int.from_bytes(blake2b(name.encode(), digest_size=7).digest()) for name in names]
    _, group = np.unique(sales.unit.identity, return_inverse=True)
    first = np.full(group.max(initial=-1) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, group, np.array(drawn, dtype=np.int64)[row])
    return first[group] % FOLDS


def _first_level(
    sales: Sales, params: ValuationParams, fold: IntArray, pool: ThreadPoolExecutor
) -> FirstLevel:
    """The comparables' estimate of each sale with a regression that had not seen its parcel.
    Comparables and neighbors are all other parcels' sales, as when valuing a property, so that
    trees train on the inputs they will see.
    """

    def tested(number: int) -> tuple[Prediction, FloatArray]:
        model = fit(sales.take(fold != number), params).with_sales(sales)
        units = sales.unit.take(fold == number)
        found = model.predict(units)
        return found, Signals(model).matrix(units, found)

    size = len(sales)
    level = FirstLevel(
        np.empty(size), np.empty(size), np.empty(size), np.empty((size, len(SIGNALS)))
    )
    numbers = np.unique(fold).tolist()
    for number, (found, signals) in zip(numbers, pool.map(tested, numbers), strict=True):
        rows = fold == number
        level.log_value[rows] = reproducible.log(found.comparable_value)
        level.dispersion[rows], level.unlikeness[rows] = found.dispersion, found.unlikeness
        level.signals[rows] = signals
    return level


def second_level(
    signals: FloatArray,
    target: FloatArray,
    fold: IntArray,
    seed: int,
    pool: ThreadPoolExecutor,
    *,
    names: Sequence[str] = SIGNALS,
    settings: TreeSettings,
) -> tuple[dict[int, FloatArray], Booster]:
    """The correction of each sale by the number of trees, and all boosters combined. Each fold's
    boosters are trained only on the other folds' parcels and correct its own sales. New subjects
    are valued by the mean of all boosters.
    """

    def grown(task: tuple[int, int]) -> Booster:
        number, draw = task
        rest = fold != number
        own = seed + 7_919 * (FOLDS * draw + number)
        return boost(signals[rest], target[rest], own, names=names, settings=settings)

    tasks = [(int(number), draw) for number in np.unique(fold) for draw in range(BOOSTERS_PER_FOLD)]
    boosters = list(pool.map(grown, tasks))
    added = {trees: np.zeros(target.size) for trees in TREES}
    for (number, _), booster in zip(tasks, boosters, strict=True):
        rows = fold == number
        for trees in TREES:
            said = replace(booster, used=trees).predict(signals[rows])
            added[trees][rows] += said / BOOSTERS_PER_FOLD
    texts = tuple(text for booster in boosters for text in booster.texts)
    return added, Booster(texts, TREES[-1])
