"""Intervals and confidence from errors on sales the model had not seen."""

from dataclasses import dataclass

import numpy as np

from terrafusion_lib.plugins.valuation.model.design import features
from terrafusion_lib.plugins.valuation.model.ensemble import OutOfFold
from terrafusion_lib.plugins.valuation.model.equity import Calibration
from terrafusion_lib.plugins.valuation.model.market_model import Prediction
from terrafusion_lib.plugins.valuation.model.signals import SIGNALS
from terrafusion_lib.plugins.valuation.model.trend import tail_rank
from terrafusion_lib.plugins.valuation.subjects import Subjects
from terrafusion_lib.stats import reproducible
from terrafusion_lib.stats.strata import FloatArray, IntArray

CLOSE = 0.20
"""A value counts as right if a sale price would be within 20 percent of it."""
STRATA = 3
MIN_SCORES = 150
TRAITS = ("size", "land", "age", "quality", "condition")
"""Traits that show where a market is harder to value: old, plain, neglected, large lots."""
TRAIT_RIDGE = 50.0
"""Penalty on the traits' effect on errors, in sales: few sales say little about old or plain
homes."""
AGREEMENT = 3
"""Measures of agreement between comparables and trees: more disagreement never means less error."""


@dataclass(frozen=True)
class Uncertainty:
    """Errors of one market, by disagreement of its comparables and by traits.

    `scale` are the coefficients of the log of the expected absolute error on the signs
    (1, log dispersion, log unlikeness, log disagreement of trees and comparables, then each of
    `TRAITS` and its square, less `means` and over `deviations`); `scores` the out-of-fold errors
    (log price - log value) in units of that scale, sorted, by stratum of value; `bounds` the log
    values between strata; `accuracy` the share of sales within 20 percent of their out-of-fold
    value.
    """

    scale: FloatArray
    means: FloatArray
    deviations: FloatArray
    bounds: FloatArray
    scores: tuple[FloatArray, ...]
    accuracy: float

    def interval(
        self, units: Subjects, prediction: Prediction, level: float
    ) -> tuple[FloatArray, FloatArray]:
        """Prediction interval of values for these subjects, US dollars.

        Conformal on scaled errors, stratum by stratum: Papadopoulos et al., ECML 2002 (scaled
        errors); Vovk, ACML 2012 (strata). Ranks are those that guarantee the level for
        exchangeable sales, or the extremes if there are too few scores.
        """
        ranks = [tail_rank(scores.size, level) for scores in self.scores]
        low = np.array([own[rank - 1] for own, rank in zip(self.scores, ranks, strict=True)])
        high = np.array([own[-rank] for own, rank in zip(self.scores, ranks, strict=True)])
        stratum, expected = self.stratum(prediction.value), self.expected_error(units, prediction)
        return (
            prediction.value * reproducible.exp(low[stratum] * expected),
            prediction.value * reproducible.exp(high[stratum] * expected),
        )

    def confidence(self, units: Subjects, prediction: Prediction) -> FloatArray:
        """Share of unseen sales at this error scale within 20 percent of the value."""
        expected, stratum = self.expected_error(units, prediction), self.stratum(prediction.value)
        share = np.empty(expected.size)
        for number, scores in enumerate(self.scores):
            rows = stratum == number
            above = np.searchsorted(
                scores, reproducible.log(1 + CLOSE) / expected[rows], side="right"
            )
            below = np.searchsorted(
                scores, reproducible.log(1 - CLOSE) / expected[rows], side="left"
            )
            share[rows] = (above - below) / scores.size
        return share

    def stratum(self, value: FloatArray) -> IntArray:
        """Value stratum of each subject, 0 the lowest."""
        return np.searchsorted(self.bounds, reproducible.log(value), side="right")

    def expected_error(self, units: Subjects, prediction: Prediction) -> FloatArray:
        """Expected absolute error of each value, as a difference of logs."""
        inputs = features(units)
        traits = np.column_stack([inputs[name] for name in TRAITS])
        agreement = _agreement(
            reproducible.log(prediction.value),
            reproducible.log(prediction.comparable_value),
            prediction.dispersion,
            prediction.unlikeness,
        )
        signs = np.hstack([agreement, _bent(traits, self.means, self.deviations)])
        return reproducible.exp(reproducible.product(signs, self.scale))


def _agreement(
    log_value: FloatArray, comparable: FloatArray, dispersion: FloatArray, unlikeness: FloatArray
) -> FloatArray:
    return np.column_stack(
        [
            np.ones(log_value.size),
            reproducible.log(dispersion + 0.02),
            reproducible.log(unlikeness + 0.1),
            reproducible.log(np.abs(log_value - comparable) + 0.02),
        ]
    )


def _bent(traits: FloatArray, means: FloatArray, deviations: FloatArray) -> FloatArray:
    """Each trait on the scale of the market's sales, at most three deviations out, and its square.

    An unknown trait is an average one.
    """
    scaled = np.nan_to_num(np.clip((traits - means) / deviations, -3.0, 3.0))
    return np.hstack([scaled, scaled**2])


def learn(price: FloatArray, found: OutOfFold, calibration: Calibration) -> Uncertainty:
    """Learn from the errors of out-of-fold values, calibrated, at these prices, US dollars."""
    log_value, first = calibration.apply(found.log_value), found.comparables
    error = reproducible.log(price) - log_value
    traits = first.signals[:, [SIGNALS.index(name) for name in TRAITS]]
    known = np.where(np.isfinite(traits).any(axis=0), traits, 0.0)
    means, deviations = np.nanmean(known, axis=0), np.maximum(np.nanstd(known, axis=0), 1e-9)
    agreement = _agreement(log_value, first.log_value, first.dispersion, first.unlikeness)
    signs = np.hstack([agreement, _bent(traits, means, deviations)])
    scale = _error_scale(signs, error)
    score = error / reproducible.exp(reproducible.product(signs, scale))
    strata = STRATA if price.size >= STRATA * MIN_SCORES else 1
    bounds = np.quantile(log_value, np.arange(1, strata) / strata)
    stratum = np.searchsorted(bounds, log_value, side="right")
    near = (error <= reproducible.log(1 + CLOSE)) & (error >= reproducible.log(1 - CLOSE))
    scores = tuple(np.sort(score[stratum == number]) for number in range(strata))
    return Uncertainty(scale, means, deviations, bounds, scores, float(near.mean()))


def _error_scale(signs: FloatArray, error: FloatArray) -> FloatArray:
    """Ridge regression of log absolute error on the measures; slopes of agreement are not
    negative. A measure by which agreeing or near comparables would raise the error is dropped as
    noise.
    """
    target = reproducible.log(np.abs(error) + 0.005)
    penalty = np.full(signs.shape[1], TRAIT_RIDGE)
    penalty[: 1 + AGREEMENT] = 1e-6
    used = list(range(signs.shape[1]))
    while True:
        gram = reproducible.gram(np.column_stack([signs[:, used], target]))
        slopes = reproducible.solve(gram[:-1, :-1] + np.diag(penalty[used]), gram[:-1, -1])
        wrong = [used[i] for i in range(len(used)) if 1 <= used[i] <= AGREEMENT and slopes[i] < 0]
        if not wrong:
            break
        used = [sign for sign in used if sign not in wrong]
    scale = np.zeros(signs.shape[1])
    scale[used] = slopes
    return scale
