"""The boosted trees' inputs: traits, location, surroundings, and nearby sales.

Everything derived from prices is what a market's regression left unexplained at *other* parcels.
"""

from dataclasses import dataclass

import numpy as np

from terrafusion_lib.plugins.valuation.model.design import ITEMS, LOCATION, TRAIT_LINES, features
from terrafusion_lib.plugins.valuation.model.location import most_sales_of_a_parcel
from terrafusion_lib.plugins.valuation.model.market_model import MarketModel, Prediction
from terrafusion_lib.plugins.valuation.subjects import SURROUNDINGS, Subjects
from terrafusion_lib.stats.strata import FloatArray

COMPARABLES = "comparables"
"""Line of an explanation: what comparable sales add beyond traits, location and time."""
NEIGHBORS = (3, 8, 20, 60)
LOCATION_INDEX = ITEMS.index(LOCATION)
_COMPUTED_LINES = {
    "relative_size": "size",
    "relative_land": "land",
    "east": LOCATION,
    "north": LOCATION,
    "place": LOCATION,
    "deviation": COMPARABLES,
    "dispersion": COMPARABLES,
}
SIGNAL_LINES = {
    **TRAIT_LINES,
    **_COMPUTED_LINES,
    **{f"nearest_{count}": LOCATION for count in NEIGHBORS},
    **{f"around_{name}": LOCATION for name in SURROUNDINGS},
}
"""Signals in column order, and the explanation line of each."""
SIGNALS = tuple(SIGNAL_LINES)
RISING = ("size", "relative_size")
"""Signals whose increase must never lower a value: more living area is never worth less."""


@dataclass(frozen=True)
class Signals:
    """Signals of subjects in one market, from its fitted model."""

    model: MarketModel

    def matrix(self, units: Subjects, prediction: Prediction) -> FloatArray:
        """One row per subject, columns `SIGNALS`; NaN if unknown. Never its own parcel's price."""
        traits = features(units)
        around = units.surroundings
        computed = {
            "relative_size": traits["size"] - around[:, SURROUNDINGS.index("building_area_sqft")],
            "relative_land": traits["land"] - around[:, SURROUNDINGS.index("land_area_sqft")],
            "east": units.x_feet,
            "north": units.y_feet,
            "place": prediction.effects[:, LOCATION_INDEX],
            "deviation": prediction.deviation,
            "dispersion": prediction.dispersion,
        }
        columns = [traits[name] for name in TRAIT_LINES]
        columns += [computed[name] for name in _COMPUTED_LINES]
        return np.column_stack([*columns, self._nearest(units), around])

    def _nearest(self, units: Subjects) -> FloatArray:
        """Mean log price level of the nearest sales of other parcels, net of traits and time."""
        sold = self.model.sales.unit
        level = self.model.deviation + self.model.effects[:, LOCATION_INDEX]
        count = min(NEIGHBORS[-1] + most_sales_of_a_parcel(sold), len(sold))
        where = np.column_stack([units.x_feet, units.y_feet])
        index = self.model.surface.tree.query(where, k=np.arange(1, count + 1))[1]
        other = sold.identity[index] != units.identity[:, None]
        seen = np.cumsum(other, axis=1)
        levels = np.where(other, level[index], 0.0)
        means = []
        for wanted in NEIGHBORS:
            among = other & (seen <= wanted)
            number = among.sum(axis=1)
            total = (levels * among).sum(axis=1)
            means.append(np.where(number > 0, total / np.maximum(number, 1), np.nan))
        return np.column_stack(means)
