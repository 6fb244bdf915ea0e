"""The fall-back: the assessor's market value brought to the level of the market."""

from dataclasses import dataclass

import numpy as np

from terrafusion_lib.stats.strata import FloatArray

MIN_RATIOS = 5


@dataclass(frozen=True)
class LevelRatios:
    """Sorted ratios (assessed / time-adjusted price) of valid sales, by property type and overall.

    A type with fewer than five ratios is read from all types together.
    """

    by_type: dict[object, FloatArray]
    overall: FloatArray

    @classmethod
    def of(cls, ratios: FloatArray, types: np.ndarray) -> "LevelRatios":
        """Ratios grouped by type."""
        found: dict[object, FloatArray] = {}
        for name in sorted({str(name) for name in types}):
            ratio = np.sort(ratios[types == name])
            if ratio.size >= MIN_RATIOS:
                found[name] = ratio
        return cls(found, np.sort(ratios))

    def ratios(self, property_type: object) -> FloatArray | None:
        """The ratios that speak for a property type; None when there are too few of any."""
        ratios = self.by_type.get(property_type, self.overall)
        return ratios if ratios.size >= MIN_RATIOS else None


@dataclass(frozen=True)
class Trended:
    """Values made from assessed values of one property type."""

    value: FloatArray
    low: FloatArray
    high: FloatArray
    confidence: FloatArray


def trended(market_value: FloatArray, ratios: FloatArray, level: float, close: float) -> Trended:
    """Assessed value / median ratio, with the interval and confidence that the ratios tell."""
    median = float(np.median(ratios))
    price_over_value = np.sort(median / ratios[ratios > 0])
    low, high = np.quantile(price_over_value, [(1 - level) / 2, (1 + level) / 2])
    near = float(np.mean(np.abs(price_over_value - 1) <= close))
    value = market_value / median
    return Trended(value, value * low, value * high, np.full(value.size, near))
