"""The hedonic regression: log of price on the design's columns, robust to bad sales."""

from dataclasses import dataclass, replace

import numpy as np

from terrafusion_lib.plugins.valuation.model.design import ITEMS, TIME, Design, side_by_side
from terrafusion_lib.plugins.valuation.subjects import Subjects
from terrafusion_lib.stats import reproducible
from terrafusion_lib.stats.strata import FloatArray

HUBER = 1.345
ROUNDS = 4
LEAST_SPREAD = 0.001
"""Minimum scatter of log prices for weighting, if most are equal: a tenth of a percent."""
MAD_TO_DEVIATION = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


@dataclass(frozen=True)
class Hedonic:
    """A fitted regression: every effect is a share of value, as a difference of logs."""

    design: Design
    coefficients: FloatArray

    def contributions(self, units: Subjects) -> FloatArray:
        """Effect of each line item (columns as in ``ITEMS``) on the log of value, by subject."""
        matrix = self.design.matrix(units)
        effects = np.zeros((len(units), len(ITEMS)))
        for number in range(len(ITEMS)):
            own = np.flatnonzero(self.design.item == number)
            effects[:, number] = reproducible.product(matrix[:, own], self.coefficients[own])
        effects[:, ITEMS.index(TIME)] += units.trend
        return effects

    @property
    def constant(self) -> float:
        """Log of the value of a subject with every effect at zero."""
        return float(self.coefficients[0])

    def time_effect(self, units: Subjects) -> FloatArray:
        """Log of the price level on each subject's day relative to the valuation date."""
        today = replace(units, day=np.zeros(len(units)), trend=np.zeros(len(units)))
        item = ITEMS.index(TIME)
        return self.contributions(units)[:, item] - self.contributions(today)[:, item]


def robust_ridge(
    matrix: FloatArray,
    penalty: FloatArray,
    target: FloatArray,
    *,
    start: FloatArray | None = None,
    rounds: int = ROUNDS,
) -> FloatArray:
    """Coefficients of a ridge regression with Huber weights (iteratively reweighted).

    Huber, Annals of Mathematical Statistics 35 (1964): a residual beyond 1.345 robust standard
    deviations counts by its size, not its square, so that unrecognized bad sales have little
    effect. Starting from the coefficients of a similar regression (`start`) saves iterations.
    """
    weight = (
        np.ones(target.size)
        if start is None
        else huber_weights(target - reproducible.product(matrix, start))
    )
    coefficients: FloatArray = np.zeros(matrix.shape[1])
    for _ in range(rounds):
        gram = penalized_gram(matrix, weight, penalty, target)
        coefficients = reproducible.solve(gram[:-1, :-1], gram[:-1, -1])
        weight = huber_weights(target - reproducible.product(matrix, coefficients))
    return coefficients


def penalized_gram(
    matrix: FloatArray, weight: FloatArray, penalty: FloatArray, target: FloatArray
) -> FloatArray:
    """Normal equations of the weighted ridge regression; the target's row and column are last."""
    rooted = side_by_side([matrix, target[:, None]])
    rooted *= np.sqrt(weight)[:, None]
    gram = reproducible.gram(rooted)
    gram[np.diag_indices(penalty.size)] += penalty
    return gram


def huber_weights(residual: FloatArray) -> FloatArray:
    """Weight of each residual: 1 near zero, less beyond 1.345 robust standard deviations."""
    spread = max(robust_deviation(residual), LEAST_SPREAD)
    return np.minimum(1.0, HUBER * spread / np.maximum(np.abs(residual), 1e-12))


def robust_deviation(values: FloatArray) -> float:
    """Standard deviation estimated by the median absolute deviation; never zero."""
    return max(MAD_TO_DEVIATION * float(np.median(np.abs(values - np.median(values)))), 1e-9)
