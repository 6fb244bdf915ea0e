"""Any parcel of a fitted county valued at once: as it is, or as it would be if it were changed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pyarrow as pa

from terrafusion_lib.core.config import nearest
from terrafusion_lib.core.errors import ValuationError
from terrafusion_lib.plugins.valuation.explain import LINES
from terrafusion_lib.plugins.valuation.grid import BY_TRAITS, ComparableGrid, comparable_grid
from terrafusion_lib.plugins.valuation.markets import Market
from terrafusion_lib.plugins.valuation.units import (
    TRAITS,
    Units,
    numbers,
    properties_as_units,
    texts,
)
from terrafusion_lib.stats.strata import FloatArray


@dataclass(frozen=True)
class Appraised:
    """A value by a market's model, US dollars, before rounding; `base` and `lines` sum to it."""

    property_id: str
    market: str
    method: str
    value: float
    low: float
    high: float
    confidence: float
    base: float
    lines: dict[str, float]


@dataclass(frozen=True)
class Workbench:
    """A county's properties and its fitted markets.

    `rows` finds a property by its id, `places` holds latitudes and longitudes by row.
    """

    units: Units
    rows: Mapping[str, int]
    markets: Mapping[str, Market]
    places: Mapping[str, FloatArray]

    @classmethod
    def open(
        cls, properties: pa.Table, valuation_date: date, markets: Mapping[str, Market]
    ) -> "Workbench":
        """A workbench over a properties table (``prepare.PROPERTY_COLUMNS``)."""
        ids = texts(properties, "property_id").tolist()
        rows = {name: row for row, name in enumerate(ids)}
        places = {name: numbers(properties, name) for name in ("latitude", "longitude")}
        return cls(properties_as_units(properties, valuation_date), rows, markets, places)

    def appraise(self, property_id: str, changes: Mapping[str, float] | None = None) -> Appraised:
        """Value a property, its traits changed as `changes` says.

        Parameters
        ----------
        changes : mapping
            New values by trait (``units.TRAITS``), such as ``{"building_area_sqft": 2400}``.

        Raises
        ------
        ValuationError
            The property or a trait is unknown, or no market values the property.
        """
        unit = self._changed(self.unit(property_id), changes or {})
        name, market = self.market_of(property_id, unit)
        found = market.predict(unit)
        low, high = market.uncertainty.interval(found, market.model.finder.params.interval_level)
        parts = market.explain(unit, found)
        return Appraised(
            property_id=property_id,
            market=name,
            method=market.ensemble.method,
            value=float(found.value[0]),
            low=float(low[0]),
            high=float(high[0]),
            confidence=float(market.uncertainty.confidence(found)[0]),
            base=float(parts.base[0]),
            lines=dict(zip(LINES, parts.lines[0].tolist(), strict=True)),
        )

    def grid(
        self,
        property_id: str,
        *,
        comparables: int = 5,
        how: str = BY_TRAITS,
        changes: Mapping[str, float] | None = None,
    ) -> ComparableGrid:
        """The comparable grid of a property, its traits changed as `changes` says.

        Raises
        ------
        ValuationError
            As of `appraise` and `comparable_grid`.
        """
        unit = self._changed(self.unit(property_id), changes or {})
        _, market = self.market_of(property_id, unit)
        return comparable_grid(
            property_id, unit, market, self.places, comparables=comparables, how=how
        )

    def unit(self, property_id: str) -> Units:
        """A property as it is on the roll."""
        if property_id not in self.rows:
            close = nearest(property_id, list(self.rows))
            raise ValuationError(
                f"There is no active property {property_id}",
                hint=f"did you mean {close[0]}?" if close else None,
            )
        return self.units.take(np.array([self.rows[property_id]]))

    def market_of(self, property_id: str, unit: Units) -> tuple[str, Market]:
        """The market that values a unit."""
        name = unit.market[0]
        if name not in self.markets or not self.markets[name].model.can_value(unit)[0]:
            raise ValuationError(
                f"No model values property {property_id}, of the market {name}",
                examples=sorted(self.markets),
                cause="too few valid sales of that market, or an area that is unknown",
            )
        return name, self.markets[name]

    def _changed(self, unit: Units, changes: Mapping[str, float]) -> Units:
        traits = unit.traits.copy()
        for name, value in changes.items():
            if name not in TRAITS:
                close = nearest(name, list(TRAITS))
                raise ValuationError(
                    f"There is no trait {name!r} to change",
                    examples=list(TRAITS),
                    hint=f"did you mean {close[0]}?" if close else None,
                )
            traits[0, TRAITS.index(name)] = value
        return replace(unit, traits=traits)
