"""Values any parcel of a fitted county immediately: as it is, or with changed traits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from numbers import Real

import numpy as np
import pyarrow as pa

from terrafusion_lib.core.config import did_you_mean
from terrafusion_lib.core.errors import ValuationError
from terrafusion_lib.plugins.valuation.model.explain import LINES
from terrafusion_lib.plugins.valuation.model.markets import Market
from terrafusion_lib.plugins.valuation.subjects import (
    TRAITS,
    Origin,
    Subjects,
    numbers,
    properties_as_subjects,
    texts,
)
from terrafusion_lib.plugins.valuation.workbench.comparable_grid import (
    BY_TRAITS,
    ComparableGrid,
    comparable_grid,
)
from terrafusion_lib.stats.strata import FloatArray

BOUNDS = {
    "building_area_sqft": (1.0, 1e7),
    "land_area_sqft": (1.0, 1e12),
    "year_built": (1_500.0, 2_200.0),
    "effective_year_built": (1_500.0, 2_200.0),
    "is_waterfront": (0.0, 1.0),
}
"""Valid ranges of traits that are not simply zero or more."""


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

    `rows` maps property ids to rows, `places` has latitudes and longitudes by parcel
    (``Subjects.parcel``).
    """

    units: Subjects
    rows: Mapping[str, int]
    markets: Mapping[str, Market]
    places: Mapping[str, FloatArray]

    @classmethod
    def open(
        cls,
        properties: pa.Table,
        valuation_date: date,
        markets: Mapping[str, Market],
        origin: Origin | None = None,
    ) -> "Workbench":
        """A workbench over a properties table (``prepare.PROPERTY_COLUMNS``).

        The roll may differ from the one the models were fitted on: properties with sales keep
        their numbers, so that a property's own sales never value it, and locations are measured
        from the models' `origin`.
        """
        ids = texts(properties, "property_id").tolist()
        rows = {name: row for row, name in enumerate(ids)}
        units = _numbered(properties_as_subjects(properties, valuation_date, origin), rows, markets)
        places = {}
        for name in ("latitude", "longitude"):
            places[name] = np.full(int(units.parcel.max(initial=-1)) + 1, np.nan)
            places[name][units.parcel] = numbers(properties, name)
        return cls(units, rows, markets, places)

    def appraise(
        self, property_id: str, changes: Mapping[str, float | None] | None = None
    ) -> Appraised:
        """Value a property with changed traits. It keeps the comparables of the unchanged
        property, so that only the change counts.

        Parameters
        ----------
        changes : mapping
            New values by trait (``units.TRAITS``), such as ``{"building_area_sqft": 2400}``; None
            for unknown.

        Raises
        ------
        ValuationError
            The property or a trait is unknown, a trait value is impossible, or no market values
            the property.
        """
        unit, name, market, like = self._asked(property_id, changes)
        level = market.model.finder.params.interval_level
        prediction = market.predict(unit, like)
        low, high = market.uncertainty.interval(unit, prediction, level)
        confidence = market.confidence(unit, prediction)
        parts = market.explain([prediction.evidence])
        return Appraised(
            property_id=property_id,
            market=name,
            method=market.ensemble.method,
            value=float(prediction.value[0]),
            low=float(low[0]),
            high=float(high[0]),
            confidence=float(confidence[0]),
            base=float(parts.base[0]),
            lines=dict(zip(LINES, parts.lines[0].tolist(), strict=True)),
        )

    def grid(
        self,
        property_id: str,
        *,
        comparables: int = 5,
        how: str = BY_TRAITS,
        changes: Mapping[str, float | None] | None = None,
    ) -> ComparableGrid:
        """The comparable grid of a property, with traits changed by `changes`.

        Raises
        ------
        ValuationError
            See `appraise` and `comparable_grid`.
        """
        unit, _, market, like = self._asked(property_id, changes)
        return comparable_grid(
            property_id, unit, market, self.places, comparables=comparables, how=how, like=like
        )

    def unit(self, property_id: str) -> Subjects:
        """A property as it is on the roll."""
        property_id = str(property_id)
        if property_id not in self.rows:
            raise ValuationError(
                f"There is no active property {property_id}",
                hint=did_you_mean(property_id, self.rows),
            )
        return self.units.take(np.array([self.rows[property_id]]))

    def market_of(self, property_id: str, unit: Subjects) -> tuple[str, Market]:
        """The market that values a subject."""
        name = unit.market[0]
        if name not in self.markets or not self.markets[name].model.can_value(unit)[0]:
            raise ValuationError(
                f"No model values property {property_id}, of the market {name}",
                examples=sorted(self.markets),
                cause="too few valid sales in that market, or an unknown area",
            )
        return name, self.markets[name]

    def _asked(
        self, property_id: str, changes: Mapping[str, float | None] | None
    ) -> tuple[Subjects, str, Market, Subjects | None]:
        """The subject to value, its market, and the subject with the comparables, if different."""
        present = self.unit(property_id)
        unit = _changed(present, changes or {})
        name, market = self.market_of(property_id, unit)
        same = bool(changes) and present.market[0] == name
        return unit, name, market, present if same else None


def _numbered(units: Subjects, rows: Mapping[str, int], markets: Mapping[str, Market]) -> Subjects:
    """Subjects numbered as in the models' sales; other properties get higher numbers."""
    given = [
        int(known.max(initial=-1))
        for market in markets.values()
        for known in (market.sales.unit.parcel, market.sales.unit.identity)
    ]
    first = 1 + max(given, default=-1)
    parcel = first + np.arange(len(units))
    identity = parcel.copy()
    for market in markets.values():
        sold = market.sales
        for name, number, own in zip(
            sold.property_id.tolist(),
            sold.unit.parcel.tolist(),
            sold.unit.identity.tolist(),
            strict=True,
        ):
            if name in rows:
                parcel[rows[name]], identity[rows[name]] = number, own
    return replace(units, parcel=parcel, identity=identity)


def _changed(unit: Subjects, changes: Mapping[str, float | None]) -> Subjects:
    traits = unit.traits.copy()
    for name, value in changes.items():
        if name not in TRAITS:
            raise ValuationError(
                f"There is no trait {name!r} to change",
                examples=list(TRAITS),
                hint=did_you_mean(name, TRAITS),
            )
        traits[0, TRAITS.index(name)] = _trait_value(name, value)
    return replace(unit, traits=traits)


def _trait_value(name: str, value: object) -> float:
    """A trait's new value as a number, NaN for unknown.

    Raises
    ------
    ValuationError
        It is not a number, or not a valid one for the trait.
    """
    if value is None:
        return float("nan")
    least, most = BOUNDS.get(name, (0.0, 1e9))
    if not isinstance(value, Real) or not least <= float(value) <= most:
        raise ValuationError(
            f"{name} cannot be {value!r}",
            cause=f"it must be a number from {least:,g} to {most:,g}",
            hint="use None for unknown",
        )
    return float(value)
