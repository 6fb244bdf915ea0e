"""Is a new trait worth having? Compares the same trees with and without it on unseen sales."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from terrafusion_lib.plugins.valuation.model.boosting import TREES
from terrafusion_lib.plugins.valuation.model.ensemble import folds, second_level
from terrafusion_lib.plugins.valuation.model.markets import Market
from terrafusion_lib.plugins.valuation.model.signals import SIGNALS
from terrafusion_lib.stats import ratio, reproducible
from terrafusion_lib.stats.strata import FloatArray

NAME = "new_feature"
REPLICATES = 1_000


@dataclass(frozen=True)
class FeatureTrial:
    """COD of a market's unseen sales with and without a trait. `gain` is the reduction in COD,
    with its 95 percent interval over resampled parcels: an interval above zero means that the
    trait helps.
    """

    sales: int
    known: float
    cod_without: float
    cod_with: float
    gain: float
    gain_low: float
    gain_high: float


def try_feature(
    market: Market, feature: FloatArray, seed: int = 0, threads: int = 1
) -> FeatureTrial:
    """Try a trait on a market.

    Parameters
    ----------
    feature : array
        The trait by row of the properties table (``Subjects.parcel``); NaN if unknown.
    """
    sales, first = market.sales, market.out_of_fold.comparables
    column = feature[sales.unit.parcel]
    target = reproducible.log(sales.price) - first.log_value
    widened = np.column_stack([first.signals, column])
    fold, settings = folds(sales), market.model.finder.params.trees

    def valued(signals: FloatArray, names: tuple[str, ...]) -> FloatArray:
        with ThreadPoolExecutor(threads) as pool:
            added, _ = second_level(
                signals, target, fold, seed, pool, names=names, settings=settings
            )
        return reproducible.exp(first.log_value + added[TREES[-1]])

    before, after = valued(first.signals, SIGNALS), valued(widened, (*SIGNALS, NAME))
    gains = _gains(before, after, sales.price, sales.unit.parcel, seed)
    cods = ratio.cod(before, sales.price), ratio.cod(after, sales.price)
    return FeatureTrial(
        sales=len(sales),
        known=float(np.isfinite(column).mean()),
        cod_without=cods[0],
        cod_with=cods[1],
        gain=cods[0] - cods[1],
        gain_low=float(np.quantile(gains, 0.025)),
        gain_high=float(np.quantile(gains, 0.975)),
    )


def _gains(
    before: FloatArray, after: FloatArray, price: FloatArray, parcel: np.ndarray, seed: int
) -> FloatArray:
    """COD reduction for parcels drawn with replacement; medians are those of the whole sample."""
    row = np.unique(parcel, return_inverse=True)[1]
    count = np.bincount(row).astype(np.float64)
    sums = []
    for value in (before, after):
        ratios = value / price
        middle = np.median(ratios)
        sums.append(np.bincount(row, weights=100 * np.abs(ratios - middle) / middle))
    rng = np.random.default_rng(seed)
    saved = sums[0] - sums[1]
    drawn = rng.integers(0, count.size, size=(REPLICATES, count.size))
    return np.array([saved[rows].sum() / count[rows].sum() for rows in drawn])
