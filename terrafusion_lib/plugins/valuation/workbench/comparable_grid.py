"""The comparable grid: a subject, its comparable sales, and their adjustments in dollars."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from terrafusion_lib.core.errors import ValuationError
from terrafusion_lib.plugins.valuation.model.comparables import Found, logarithmic_mean, weights
from terrafusion_lib.plugins.valuation.model.design import ITEMS, LOCATION, TIME, TRAIT_ITEMS
from terrafusion_lib.plugins.valuation.model.market_model import Prediction
from terrafusion_lib.plugins.valuation.model.markets import Market, lend
from terrafusion_lib.plugins.valuation.subjects import TRAITS, Subjects
from terrafusion_lib.stats import reproducible
from terrafusion_lib.stats.strata import FloatArray

LINES = (TIME, LOCATION, *TRAIT_ITEMS)
BY_TRAITS, BY_LEAVES = "traits", "leaves"


@dataclass(frozen=True)
class Place:
    """Location of a property: WGS 84 degrees, None if unknown."""

    latitude: float | None
    longitude: float | None


@dataclass(frozen=True)
class Comparable:
    """A comparable sale and its adjustments to the subject on its day, US dollars.

    `sale_price` + the sum of `lines` = `adjusted_price`. `net_percent` and `gross_percent` are the
    sum of the lines and of their sizes, percent of the price. The part of the price that the
    market does not explain (negotiation, unobserved features) is partly carried over:
    `indicated_value` is `adjusted_price` less the rest. `similarity` is 1 for an identical
    property and falls toward 0; `weight` its share in the reconciled value.
    """

    rank: int
    sale_id: str
    property_id: str
    sale_date: date
    sale_price: float
    distance_feet: float | None
    similarity: float
    traits: dict[str, float | None]
    lines: dict[str, float]
    net_percent: float
    gross_percent: float
    adjusted_price: float
    indicated_value: float
    weight: float
    place: Place


@dataclass(frozen=True)
class ComparableGrid:
    """A subject and its comparables, best first.

    `carry_over` is the share of a sale's own deviation from the market that counts for the
    subject: as much as neighboring sales share. `reconciled` is the weighted mean of the indicated
    values, `value` the model's value of the subject: `value` - `reconciled` is what trees and
    equity calibration add, plus the effect of choosing other sales than the model does.
    """

    property_id: str
    market: str
    how: str
    traits: dict[str, float | None]
    place: Place
    comparables: tuple[Comparable, ...]
    carry_over: float
    reconciled: float
    value: float

    def to_table(self) -> pa.Table:
        """One row per comparable, one column per adjustment (``adjust_time`` …), US dollars."""
        rows = [
            {name: value for name, value in asdict(sale).items() if name not in _NESTED}
            | {f"adjust_{line}": dollars for line, dollars in sale.lines.items()}
            | sale.traits
            | asdict(sale.place)
            for sale in self.comparables
        ]
        return pa.Table.from_pylist(rows)


_NESTED = ("lines", "traits", "place")


def comparable_grid(
    property_id: str,
    unit: Subjects,
    market: Market,
    places: Mapping[str, FloatArray],
    *,
    comparables: int = 5,
    how: str = BY_TRAITS,
    like: Subjects | None = None,
) -> ComparableGrid:
    """The grid of one subject in a market.

    Parameters
    ----------
    places : mapping
        ``latitude`` and ``longitude`` by parcel (``Subjects.parcel``), degrees, NaN unknown.
    how : str
        ``traits``: the sales that need the least adjustment, as in the model; ``leaves``: those
        that share a leaf with the subject in most of the model's trees.
    like : Subjects, optional
        The subject whose comparables to use: the same one with other traits.

    Raises
    ------
    ValuationError
        `how` is unknown, the number is not 1 to 30, or the market has no trees.
    """
    if not 1 <= comparables <= 30:
        raise ValuationError(f"A grid can have 1 to 30 comparables, not {comparables}")
    lent, other = lend(market.lead, unit), lend(market.lead, like or unit)
    valued = market.ensemble.predict(lent, other)
    if how == BY_TRAITS:
        prediction = market.model.predict(lent, comparables, other)
    elif how == BY_LEAVES:
        prediction = _by_leaves(market, lent, valued, comparables)
    else:
        raise ValuationError(
            f"There is no way {how!r} to find comparables", examples=[BY_TRAITS, BY_LEAVES]
        )
    return ComparableGrid(
        property_id=property_id,
        market=market.name,
        how=how,
        traits=_traits(unit, 0),
        place=_place(places, int(unit.parcel[0])),
        comparables=tuple(
            _comparable(market, unit, prediction, rank, places)
            for rank in np.flatnonzero(prediction.found.present[0]).tolist()
        ),
        carry_over=market.model.carry_over,
        reconciled=float(prediction.comparable_value[0]),
        value=float(valued.value[0]),
    )


def _by_leaves(market: Market, unit: Subjects, valued: Prediction, comparables: int) -> Prediction:
    """Reconcile the sales that share a leaf with the subject in most trees."""
    index, booster = market.leaf_index, market.ensemble.booster
    if index is None or booster is None or valued.signals is None:
        raise ValuationError(
            f"The model of the market {market.name} has no trees",
            cause="too few sales, or trees did not improve unseen sales",
            hint=f"choose comparables by {BY_TRAITS}",
        )
    leaves = booster.leaves(valued.signals)
    alike = index.most_alike(leaves, unit.x_feet, unit.y_feet, unit.identity, comparables)
    present = alike.index >= 0
    unlike = np.where(present, 1 - alike.count / index.trees, np.inf)
    chosen = Found(np.where(present, alike.index, 0), present, unlike, weights(unlike, present))
    return market.model.reconcile(valued.effects, chosen, unit.identity)


def _comparable(
    market: Market, unit: Subjects, made: Prediction, rank: int, places: Mapping[str, FloatArray]
) -> Comparable:
    sale = int(made.found.index[0, rank])
    sold = market.model.sales
    price, adjusted = float(sold.price[sale]), float(made.adjusted_price[0, rank])
    lines = _dollars(made, rank, price, adjusted)
    located = bool(unit.located[0] and sold.unit.located[sale])
    away = reproducible.length(
        unit.x_feet[0] - sold.unit.x_feet[sale], unit.y_feet[0] - sold.unit.y_feet[sale]
    )
    return Comparable(
        rank=rank + 1,
        sale_id=sold.sale_id[sale],
        property_id=sold.property_id[sale],
        sale_date=sold.sale_date[sale].item(),
        sale_price=price,
        distance_feet=float(away) if located else None,
        similarity=float(1 / (1 + made.found.unlikeness[0, rank])),
        traits=_traits(sold.unit, sale),
        lines=lines,
        net_percent=100 * sum(lines.values()) / price,
        gross_percent=100 * sum(map(abs, lines.values())) / price,
        adjusted_price=adjusted,
        indicated_value=float(made.indicated_value[0, rank]),
        weight=float(made.found.weight[0, rank]),
        place=_place(places, int(sold.unit.parcel[sale])),
    )


def _dollars(made: Prediction, rank: int, price: float, adjusted: float) -> dict[str, float]:
    """The adjustments in dollars, which sum to the total adjustment. Effects multiply but dollars
    add: each log effect is weighted by the logarithmic mean of the price before and after, the
    only weight that is independent of the order of adjustments.
    """
    items = made.grid.items[0, rank]
    factor = float(logarithmic_mean(np.array([adjusted]), np.array([price]))[0])
    return {line: factor * float(items[ITEMS.index(line)]) for line in LINES}


def _traits(units: Subjects, row: int) -> dict[str, Any]:
    known = {
        name: float(value) if np.isfinite(value) else None
        for name, value in zip(TRAITS, units.traits[row], strict=True)
    }
    return known | {"neighborhood_code": units.neighborhood[row], "property_class": units.use[row]}


def _place(places: Mapping[str, FloatArray], parcel: int) -> Place:
    latitude, longitude = (float(places[name][parcel]) for name in ("latitude", "longitude"))
    known = np.isfinite(latitude) and np.isfinite(longitude)
    return Place(latitude if known else None, longitude if known else None)
