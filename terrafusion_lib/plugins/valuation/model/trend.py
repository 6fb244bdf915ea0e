"""The fallback: the assessor's market value trended to the level of the market."""

from dataclasses import dataclass

import numpy as np

from terrafusion_lib.plugins.valuation.subjects import TextArray
from terrafusion_lib.stats.strata import FloatArray

MIN_LEVEL = 5
"""Minimum ratios for a level of appraisal."""
MIN_SCATTER = 20
"""Minimum ratios for the scatter of prices around it: a 90 percent interval needs 19."""


@dataclass(frozen=True)
class Level:
    """Level of appraisal of one property type, and sorted prices over values at that level.

    `own` are the type's own; `scatter` those of all types if it has too few.
    """

    ratio: float
    scatter: FloatArray
    own: FloatArray


class Levels:
    """Levels of appraisal read from ratios (appraised / time-adjusted price) of valid sales.

    A property type with fewer than five ratios has the level of all types together, one with
    fewer than twenty their scatter.
    """

    def __init__(self, ratios: FloatArray, property_type: TextArray) -> None:
        ratios, property_type = ratios[ratios > 0], property_type[ratios > 0]
        self.known = bool(ratios.size >= MIN_LEVEL)
        if not self.known:
            return
        self._overall = float(np.median(ratios))
        self._ratios = {
            name: ratios[property_type == name]
            for name in sorted(set(property_type.tolist()) - {None})
        }
        relative = [np.median(own) / own for own in self._ratios.values() if own.size >= MIN_LEVEL]
        self._scatter = np.sort(np.concatenate(relative or [self._overall / ratios]))

    def of(self, property_type: object) -> Level | None:
        """The level of a property type; None if the county has too few ratios for any."""
        if not self.known:
            return None
        own = self._ratios.get(property_type, np.zeros(0))
        if own.size < MIN_LEVEL:
            return Level(self._overall, self._scatter, self._overall / own)
        ratio = float(np.median(own))
        scatter = np.sort(ratio / own)
        return Level(ratio, scatter if own.size >= MIN_SCATTER else self._scatter, scatter)


@dataclass(frozen=True)
class Trended:
    """Values derived from appraised values, US dollars, with interval and confidence."""

    value: FloatArray
    low: FloatArray
    high: FloatArray
    confidence: FloatArray


def tail_rank(n: int, coverage: float) -> int:
    """Rank k of the innermost order statistics k and n + 1 - k that contain a new draw with
    `coverage`; the extremes (1) if none do.
    """
    # For 39 draws at 90 percent the rank is 2, despite rounding in 1 - 0.9.
    return max(int(np.floor((n + 1) * (1 - coverage) / 2 + 1e-9)), 1)


def trended(market_value: FloatArray, level: Level, coverage: float, close: float) -> Trended:
    """Appraised value / level of appraisal.

    The interval's ends are the order statistics of the scatter that cover a new sale with
    probability `coverage` (the extremes if there are too few). The confidence is the share of the
    type's own sales whose price was within `close` of the trended value, counting fewer than
    twenty sales as twenty, because sales not seen prove nothing.
    """
    value, n = market_value / level.ratio, level.scatter.size
    low = tail_rank(n, coverage) - 1
    hits = np.count_nonzero(np.abs(level.own - 1) <= close)
    near = hits / (max(level.own.size, MIN_SCATTER) + 1)
    return Trended(
        value=value,
        low=value * level.scatter[low],
        high=value * level.scatter[n - 1 - low],
        confidence=np.full(value.size, near),
    )
