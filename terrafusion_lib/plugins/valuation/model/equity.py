"""Equity calibration: stretches values until unseen sales show no vertical inequity.

A model that minimizes error pulls values toward the middle: low-priced homes are valued too high
and high-priced ones too low (regressive, PRB below zero). Stretching log values around their
middle reverses this at a known cost in accuracy; how far to go is the assessor's choice.
"""

from dataclasses import dataclass

import numpy as np

from terrafusion_lib.plugins.valuation.model.hedonic import robust_deviation
from terrafusion_lib.stats import ratio, reproducible
from terrafusion_lib.stats.strata import FloatArray

MIN_SALES = 200
LARGEST_STRETCH = 0.15
STEPS = 12


@dataclass(frozen=True)
class Calibration:
    """Moves log values away from `center` by the share `stretch`; 0 leaves them unchanged."""

    center: float = 0.0
    stretch: float = 0.0

    def apply(self, log_value: FloatArray) -> FloatArray:
        """Calibrated log values in the same order."""
        return log_value + self.stretch * (log_value - self.center)

    def undo(self, log_value: FloatArray) -> FloatArray:
        """Log values before calibration."""
        return (log_value + self.stretch * self.center) / (1 + self.stretch)


def calibrate(
    log_value: FloatArray, price: FloatArray, share: float, *, outlier_deviations: float
) -> Calibration:
    """The calibration that removes `share` of the PRB of out-of-fold values.

    Parameters
    ----------
    log_value : array
        Logs of values by models that had not seen the sale.
    price : array
        Prices of the same sales, US dollars.
    share : float
        0 leaves the values unchanged, 1 brings the PRB to zero (IAAO, Standard on Ratio Studies,
        2013, appendix B). At most 15 percent of stretch; no stretch below 200 sales, where PRB is
        unreliable.
    outlier_deviations : float
        Sales further than this from their value, in robust standard deviations, are ignored,
        because a few unrecognized bad sales at low prices look like regressivity.
    """
    error = reproducible.log(price) - log_value
    near = np.abs(error - np.median(error)) <= outlier_deviations * robust_deviation(error)
    log_value, price = log_value[near], price[near]
    if price.size < MIN_SALES or share == 0:
        return Calibration()
    center = float(np.median(log_value))
    wanted = (1 - share) * prb(log_value, price)
    low, high = -LARGEST_STRETCH, LARGEST_STRETCH
    for _ in range(STEPS):  # PRB rises with the stretch, so bisection works
        middle = (low + high) / 2
        bias = prb(Calibration(center, middle).apply(log_value), price)
        low, high = (middle, high) if bias < wanted else (low, middle)
    return Calibration(center, round((low + high) / 2, 4))


def prb(log_value: FloatArray, price: FloatArray) -> float:
    """Price-related bias of values given as logs."""
    return ratio.prb(reproducible.exp(log_value), price)
