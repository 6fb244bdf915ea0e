"""The markets of a county: one model each; smaller markets borrow from the largest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from terrafusion_lib.core.progress import Progress, silent
from terrafusion_lib.plugins.valuation.model.design import ITEMS, LOCATION
from terrafusion_lib.plugins.valuation.model.ensemble import Ensemble, OutOfFold, fit_ensemble
from terrafusion_lib.plugins.valuation.model.explain import Explanation, explain
from terrafusion_lib.plugins.valuation.model.leaf_similarity import LeafIndex
from terrafusion_lib.plugins.valuation.model.market_model import Evidence, MarketModel, Prediction
from terrafusion_lib.plugins.valuation.model.uncertainty import Uncertainty, learn
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.subjects import Sales, Subjects
from terrafusion_lib.stats.strata import BoolArray, FloatArray

FAR = 0.5
"""Share of the range of sales beyond which nothing is known of a trait's worth."""


@dataclass(frozen=True)
class Market:
    """A fitted market: its ensemble, its uncertainty, and the market it borrows from, if any.

    `out_of_fold` values the market's own `sales` by models that had not seen them.
    """

    name: str
    ensemble: Ensemble
    uncertainty: Uncertainty
    lead: MarketModel | None
    sales: Sales
    out_of_fold: OutOfFold

    @property
    def model(self) -> MarketModel:
        """The comparables' model."""
        return self.ensemble.comparables

    def predict(self, units: Subjects, like: Subjects | None = None) -> Prediction:
        """Value subjects of this market, each for its own day.

        With the comparables of `like`, the same subjects with other traits, if given.
        """
        other = None if like is None else lend(self.lead, like)
        return self.ensemble.predict(lend(self.lead, units), other)

    def confidence(self, units: Subjects, prediction: Prediction) -> FloatArray:
        """Confidence in values from `predict` for the same subjects. Zero if a trait is far
        outside all sales, because then no unseen sale was similar.
        """
        known = self.uncertainty.confidence(units, prediction)
        return np.where(self.model.outside_market(units, margin=FAR), 0.0, known)

    def explain(self, valued: Sequence[Evidence], threads: int = 1) -> Explanation:
        """Decompose values from `predict`, in order."""
        return explain(self.ensemble, valued, threads)

    @cached_property
    def leaf_index(self) -> LeafIndex | None:
        """The model's sales by the leaves of its trees; None without trees.

        Each sale's leaves come from models that had not seen it.
        """
        booster = self.ensemble.booster
        if booster is None:
            return None
        sold = self.model.sales
        rows = {key: row for row, key in enumerate(self.sales.identities())}
        kept = np.array([rows[key] for key in sold.identities()], dtype=np.int64)
        return LeafIndex(
            leaves=booster.leaves(self.out_of_fold.comparables.signals[kept]),
            day=sold.unit.day,
            x_feet=sold.unit.x_feet,
            y_feet=sold.unit.y_feet,
            parcel=sold.unit.identity,
        )

    def time_factor(self, units: Subjects) -> FloatArray:
        """Factor from the price level of each subject's day to the valuation date's."""
        return self.model.time_factor(lend(self.lead, units))

    def missing_traits(self, units: Subjects) -> BoolArray:
        """Whether a trait used by the regression is unknown and was assumed to be average."""
        return self.model.missing_traits(lend(self.lead, units))


def prices_at_valuation_date(sales: Sales, markets: Mapping[str, Market]) -> FloatArray:
    """Prices adjusted to the valuation date, US dollars; unadjusted in markets without a model."""
    price = sales.price.copy()
    for name, market in markets.items():
        rows = sales.unit.market == name
        price[rows] *= market.time_factor(sales.unit.take(rows))
    return price


def lend(lead: MarketModel | None, units: Subjects) -> Subjects:
    """The same subjects with the lead market's trend and location values. A market of a hundred
    sales cannot estimate its own trend and neighborhood values well; its regression starts from
    those of the largest market and departs only as far as its sales support.
    """
    if lead is None:
        return units
    premium = lead.effects_of(units)[:, ITEMS.index(LOCATION)]
    return replace(units, trend=lead.hedonic.time_effect(units), premium=premium)


def fit_markets(
    sales: Sales,
    params: ValuationParams,
    seed: int,
    progress: Progress = silent,
    threads: int = 1,
) -> dict[str, Market]:
    """Fit every market with `params.min_valid_sales` or more sold parcels, by name."""
    names = sorted({name for name in sales.unit.market.tolist() if name is not None})
    parts = {name: sales.of_market(name) for name in names}
    parts = {name: part for name, part in parts.items() if part.parcels() >= params.min_valid_sales}
    markets: dict[str, Market] = {}
    lead: MarketModel | None = None
    for done, name in enumerate(sorted(parts, key=lambda name: (-len(parts[name]), name))):
        progress("fit markets", done, len(parts))
        lent = replace(parts[name], unit=lend(lead, parts[name].unit))
        ensemble, found = fit_ensemble(lent, params, seed, threads)
        uncertainty = learn(lent.price, found, ensemble.calibration)
        markets[name] = Market(name, ensemble, uncertainty, lead, lent, found)
        lead = lead or markets[name].model
    progress("fit markets", len(parts), len(parts))
    return dict(sorted(markets.items()))
