"""How sure a value is: intervals and confidence from errors on sales the model had not seen."""

from dataclasses import dataclass

import numpy as np

from terrafusion_lib.plugins.valuation.model import Prediction, fit
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.trend import tail_rank
from terrafusion_lib.plugins.valuation.units import Sales
from terrafusion_lib.stats.strata import FloatArray, IntArray

FOLDS = 5
CLOSE = 0.20
"""A value is called right when a sale would fall within 20 percent of it."""


@dataclass(frozen=True)
class Uncertainty:
    """Errors of one market, told apart by how far its comparables disagree and lie away.

    `scale` are the coefficients of the log of the expected absolute error on
    (1, log dispersion, log unlikeness); `scores` the out-of-fold errors (log price - log value)
    in units of that scale, sorted; `accuracy` is the share of sales within 20 percent of their
    out-of-fold value.
    """

    scale: FloatArray
    scores: FloatArray
    accuracy: float

    def interval(self, prediction: Prediction, level: float) -> tuple[FloatArray, FloatArray]:
        """Prediction interval, US dollars: split conformal on scaled errors.

        Papadopoulos et al., ECML 2002; ranks are those that guarantee the level for exchangeable
        sales, or the extremes where there are too few scores for it.
        """
        rank = tail_rank(self.scores.size, level)
        expected = self.expected_error(prediction)
        return (
            prediction.value * np.exp(self.scores[rank - 1] * expected),
            prediction.value * np.exp(self.scores[-rank] * expected),
        )

    def confidence(self, prediction: Prediction) -> FloatArray:
        """Share of unseen sales that, at this error scale, fell within 20 percent of the value."""
        expected = self.expected_error(prediction)
        above = np.searchsorted(self.scores, np.log(1 + CLOSE) / expected, side="right")
        below = np.searchsorted(self.scores, np.log(1 - CLOSE) / expected, side="left")
        share: FloatArray = (above - below) / self.scores.size
        return share

    def expected_error(self, prediction: Prediction) -> FloatArray:
        """Expected absolute error of each value, as a difference of logs."""
        return np.exp(_signs(prediction) @ self.scale)


def _signs(prediction: Prediction) -> FloatArray:
    return np.column_stack(
        [
            np.ones(prediction.value.size),
            np.log(prediction.dispersion + 0.02),
            np.log(prediction.unlikeness + 0.1),
        ]
    )


def learn(sales: Sales, params: ValuationParams, seed: int) -> Uncertainty:
    """Predict every sale by models that saw no sale of its parcel, and learn from the errors."""
    fold = folds(sales.unit.parcel, seed)
    error, signs = np.full(len(sales), np.nan), np.ones((len(sales), 3))
    for number in range(FOLDS):
        tested = fold == number
        prediction = fit(sales.take(~tested), params).predict(sales.unit.take(tested))
        error[tested] = np.log(sales.price[tested] / prediction.value)
        signs[tested] = _signs(prediction)
    scale = _error_scale(signs, error)
    near = (error <= np.log(1 + CLOSE)) & (error >= np.log(1 - CLOSE))
    return Uncertainty(scale, np.sort(error / np.exp(signs @ scale)), float(near.mean()))


def folds(parcel: IntArray, seed: int) -> IntArray:
    """Fold of each sale: all sales of a parcel in one, parcels spread evenly and at random."""
    parcels, row = np.unique(parcel, return_inverse=True)
    order = np.random.default_rng(seed).permutation(parcels.size)
    return np.asarray(order[row] % FOLDS, dtype=np.int64)


def _error_scale(signs: FloatArray, error: FloatArray) -> FloatArray:
    """Regression of log absolute error on the signs, slopes not below zero.

    A sign that would call agreeing or near comparables a bad omen is dropped: it is noise.
    """
    target = np.log(np.abs(error) + 0.005)
    used = [0, 1, 2]
    while True:
        found = np.linalg.lstsq(signs[:, used], target, rcond=None)[0]
        wrong = [used[i] for i in range(1, len(used)) if found[i] < 0]
        if not wrong:
            break
        used = [sign for sign in used if sign not in wrong]
    scale = np.zeros(signs.shape[1])
    scale[used] = found
    return scale
