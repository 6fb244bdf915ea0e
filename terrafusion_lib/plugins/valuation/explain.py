"""Why a value is what it is: dollars by line that sum to it.

The regression's effects, the comparables' word and the trees' SHAP values are all differences of
logs and sum exactly. They become dollars by the logarithmic mean, which is exact too and treats all
lines alike, in whatever order they are taken (Ang, Energy Policy 32 (2004): LMDI).
"""

from dataclasses import dataclass

import numpy as np

from terrafusion_lib.plugins.valuation.comparables import logarithmic_mean
from terrafusion_lib.plugins.valuation.design import ITEMS
from terrafusion_lib.plugins.valuation.ensemble import Ensemble
from terrafusion_lib.plugins.valuation.model import Prediction
from terrafusion_lib.plugins.valuation.signals import COMPARABLES, SIGNAL_LINES
from terrafusion_lib.plugins.valuation.units import Units
from terrafusion_lib.stats.strata import FloatArray

LINES = (*ITEMS, COMPARABLES)
_SIGNAL_TO_LINE = np.array([LINES.index(line) for line in SIGNAL_LINES.values()])


@dataclass(frozen=True)
class Explanation:
    """Values taken apart, US dollars: `base` (units) and `lines` (units x ``LINES``)."""

    base: FloatArray
    lines: FloatArray


def explain(ensemble: Ensemble, units: Units, prediction: Prediction) -> Explanation:
    """Take the values of `prediction`, made for these units, apart.

    Base and lines of a unit sum to its value (to rounding of the last bits).
    """
    base, lines = _logs(ensemble, units, prediction)
    calibration = ensemble.calibration
    base = calibration.apply(base)
    lines *= 1 + calibration.stretch
    total = base + lines.sum(axis=1)
    middle = logarithmic_mean(np.exp(total), np.exp(base))
    return Explanation(np.exp(base), lines * middle[:, None])


def _logs(
    ensemble: Ensemble, units: Units, prediction: Prediction
) -> tuple[FloatArray, FloatArray]:
    """Base and lines before calibration, differences of logs."""
    comparables = ensemble.comparables
    base = np.full(len(units), comparables.hedonic.constant)
    rest = np.log(prediction.comparable_value) - base - prediction.effects.sum(axis=1)
    lines = np.column_stack([prediction.effects, rest])
    if ensemble.booster:
        signals = ensemble.signals(units, prediction)
        shares = ensemble.weight * ensemble.booster.contributions(signals)
        base += shares[:, -1]
        for signal, line in enumerate(_SIGNAL_TO_LINE.tolist()):
            lines[:, line] += shares[:, signal]
    return base, lines
