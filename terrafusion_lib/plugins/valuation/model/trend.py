"""The fall-back: the assessor's market value brought to the level of the market."""

from dataclasses import dataclass

import numpy as np

from terrafusion_lib.plugins.valuation.subjects import TextArray
from terrafusion_lib.stats.strata import FloatArray

MIN_LEVEL = 5
"""Fewest ratios that tell a level of appraisal."""
MIN_SCATTER = 20
"""Fewest ratios that tell how far prices scatter about it: a 90 percent interval needs 19."""


@dataclass(frozen=True)
class Level:
    """Level of appraisal of one property type, and sorted prices over values at that level.

    `own` are those of the type itself; `scatter` those of all types where it has too few.
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
        """The level of a property type; None when the county has too few ratios for any."""
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
    """Values made from appraised values, US dollars, with interval and confidence."""

    value: FloatArray
    low: FloatArray
    high: FloatArray
    confidence: FloatArray


def tail_rank(n: int, coverage: float) -> int:
    """Rank k of the order statistics k and n + 1 - k that hold a new draw with `coverage`.

    The innermost pair that does; the extremes (1) where none does.
    """
    # Of 39 draws at 90 percent the rank is 2, whatever the last bit of 1 - 0.9 says.
    return max(int(np.floor((n + 1) * (1 - coverage) / 2 + 1e-9)), 1)


def trended(market_value: FloatArray, level: Level, coverage: float, close: float) -> Trended:
    """Appraised value / level of appraisal.

    The interval's ends are the order statistics of the scatter that cover a new sale with
    probability `coverage` (the extremes where there are too few); the confidence is the share of
    the type's own sales whose price lay within `close` of the trended value, where fewer than
    twenty count as twenty: what no sale has shown is not known.
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
