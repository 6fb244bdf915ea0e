"""Explains a value as dollars by line that sum to it.

The regression's effects, the comparables' contribution and the trees' SHAP values are all
differences of logs and sum exactly. The logarithmic mean converts them to dollars, also exactly
and independent of the order of lines (Ang, Energy Policy 32 (2004): LMDI).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from terrafusion_lib.plugins.valuation.model.comparables import logarithmic_mean
from terrafusion_lib.plugins.valuation.model.design import ITEMS
from terrafusion_lib.plugins.valuation.model.ensemble import Ensemble
from terrafusion_lib.plugins.valuation.model.market_model import Evidence
from terrafusion_lib.plugins.valuation.model.signals import COMPARABLES, SIGNAL_LINES
from terrafusion_lib.stats import reproducible
from terrafusion_lib.stats.strata import FloatArray

LINES = (*ITEMS, COMPARABLES)
_SIGNAL_TO_LINE = np.array([LINES.index(line) for line in SIGNAL_LINES.values()])


@dataclass(frozen=True)
class Explanation:
    """Decomposed values, US dollars: `base` (units) and `lines` (units x ``LINES``)."""

    base: FloatArray
    lines: FloatArray


def explain(ensemble: Ensemble, valued: Sequence[Evidence], threads: int = 1) -> Explanation:
    """Decompose values, one row per subject, in order. Base and lines of a subject sum to its
    value (up to rounding in the last bits).
    """
    base, lines = _logs(ensemble, valued, threads)
    calibration = ensemble.calibration
    base = calibration.apply(base)
    lines *= 1 + calibration.stretch
    total = base + lines.sum(axis=1)
    middle = logarithmic_mean(reproducible.exp(total), reproducible.exp(base))
    return Explanation(reproducible.exp(base), lines * middle[:, None])


def _logs(
    ensemble: Ensemble, valued: Sequence[Evidence], threads: int
) -> tuple[FloatArray, FloatArray]:
    """Base and lines before calibration, differences of logs."""
    effects = np.concatenate([part.effects for part in valued])
    comparable = np.concatenate([part.comparable_value for part in valued])
    base = np.full(comparable.size, ensemble.comparables.hedonic.constant)
    rest = reproducible.log(comparable) - base - effects.sum(axis=1)
    lines = np.column_stack([effects, rest])
    signals = [part.signals for part in valued if part.signals is not None]
    if ensemble.booster:
        shares = ensemble.booster.contributions(np.concatenate(signals), threads)
        shares *= ensemble.weight
        base += shares[:, -1]
        for signal, line in enumerate(_SIGNAL_TO_LINE.tolist()):
            lines[:, line] += shares[:, signal]
    return base, lines
