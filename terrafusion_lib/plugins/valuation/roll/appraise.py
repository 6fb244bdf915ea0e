"""Values all subjects: by their market's model, else by trending, else with a reason why not."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from terrafusion_lib.core.progress import Progress, silent
from terrafusion_lib.plugins.valuation.model.explain import LINES
from terrafusion_lib.plugins.valuation.model.market_model import Evidence, Prediction
from terrafusion_lib.plugins.valuation.model.markets import Market
from terrafusion_lib.plugins.valuation.model.trend import Levels, trended
from terrafusion_lib.plugins.valuation.model.uncertainty import CLOSE
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.subjects import Subjects, TextArray
from terrafusion_lib.stats import reproducible
from terrafusion_lib.stats.strata import BoolArray, FloatArray, IntArray

BATCH = 4_096
TRENDED_APPRAISED_VALUE = "trended_appraised_value"
FEW_COMPARABLES = 3


@dataclass(frozen=True)
class Comparables:
    """Comparables of subjects of one market in long form: one row per subject and rank."""

    market: str
    subject: IntArray
    rank: IntArray
    sale: IntArray
    distance_feet: FloatArray
    similarity: FloatArray
    net_percent: FloatArray
    gross_percent: FloatArray
    adjusted_price: FloatArray
    indicated_value: FloatArray
    weight: FloatArray


class Appraisal:
    """Values in progress: arrays over all subjects, filled market by market."""

    def __init__(self, units: Subjects, market_value: FloatArray, params: ValuationParams) -> None:
        size = len(units)
        self.units, self.market_value, self.params = units, market_value, params
        self.value, self.low, self.high, self.confidence = (np.full(size, np.nan) for _ in range(4))
        self.comparable_value = np.full(size, np.nan)
        self.base, self.lines = np.full(size, np.nan), np.full((size, len(LINES)), np.nan)
        self.method: TextArray = np.full(size, None, dtype=object)
        self.comparables_used = np.zeros(size, dtype=np.int64)
        self.not_valued: TextArray = np.full(size, None, dtype=object)
        self.reasons: dict[str, BoolArray] = {}
        self.comparables: list[Comparables] = []

    def model_value(self) -> FloatArray:
        """Values by a market's model; NaN for other methods or none."""
        return np.where(np.isfinite(self.base), self.value, np.nan)

    def flag(self, reason: str, rows: BoolArray | IntArray) -> None:
        """Add a reason for review to some subjects."""
        mask = self.reasons.setdefault(reason, np.zeros(len(self.units), dtype=np.bool_))
        mask[rows] = True

    def review_reasons(self) -> TextArray:
        """Reasons of each subject, comma separated, in alphabetical order; None without any."""
        text: TextArray = np.full(len(self.units), "", dtype=object)
        for name in sorted(self.reasons):
            mask = self.reasons[name]
            comma = np.where(text[mask] == "", "", ",")
            text[mask] = text[mask] + comma + name
        text[text == ""] = None
        return text


def appraise(
    units: Subjects,
    market_value: FloatArray,
    markets: Mapping[str, Market],
    levels: Levels,
    params: ValuationParams,
    *,
    progress: Progress = silent,
    threads: int = 1,
) -> Appraisal:
    """Value every subject; each gets a value and a method, or a reason why not.

    First by trusted models, then by trending the assessor's value, then by the other models.
    `market_value` is the assessor's, US dollars, NaN where there is none.
    """
    appraisal = Appraisal(units, market_value, params)
    trust = trusted(markets, levels, params)
    for name in sorted(trust):
        _by_market(appraisal, markets[name], progress, threads)
    _by_trend(appraisal, levels)
    for name in sorted(set(markets) - trust):
        _by_market(appraisal, markets[name], progress, threads)
    _explain_the_rest(appraisal, markets)
    _flag_for_review(appraisal)
    progress("value properties", len(units), len(units))
    return appraisal


def trusted(markets: Mapping[str, Market], levels: Levels, params: ValuationParams) -> set[str]:
    """Markets valued by their model even if the assessor's value could be trended.

    Those accurate enough on unseen sales; all markets in a county whose appraised values cannot be
    trended.
    """
    if not levels.known:
        return set(markets)
    return {
        name
        for name, market in markets.items()
        if market.uncertainty.accuracy >= params.min_market_accuracy
    }


def _by_market(appraisal: Appraisal, market: Market, progress: Progress, threads: int) -> None:
    """Value the subjects of a market without a value yet, in batches."""
    rows = np.flatnonzero((appraisal.units.market == market.name) & np.isnan(appraisal.value))
    able = market.model.can_value(appraisal.units.take(rows))
    appraisal.flag("missing_land_area", rows[~able])
    rows = rows[able]
    batches = [rows[first : first + BATCH] for first in range(0, rows.size, BATCH)]

    explained: list[Evidence] = []

    def valued(batch: IntArray) -> Prediction:
        return market.predict(appraisal.units.take(batch))

    with ThreadPoolExecutor(threads) as pool:
        for batch, prediction in zip(batches, pool.map(valued, batches), strict=True):
            _keep(appraisal, market, batch, prediction)
            explained.append(prediction.evidence)
            progress(
                "value properties", int(np.isfinite(appraisal.value).sum()), len(appraisal.units)
            )
    if explained:
        parts = market.explain(explained, threads)
        appraisal.base[rows], appraisal.lines[rows] = parts.base, parts.lines


def _keep(appraisal: Appraisal, market: Market, rows: IntArray, prediction: Prediction) -> None:
    units, level = appraisal.units.take(rows), appraisal.params.interval_level
    appraisal.value[rows] = prediction.value
    appraisal.comparable_value[rows] = prediction.comparable_value
    appraisal.low[rows], appraisal.high[rows] = market.uncertainty.interval(
        units, prediction, level
    )
    appraisal.confidence[rows] = market.confidence(units, prediction)
    appraisal.method[rows] = market.ensemble.method
    used = prediction.found.present.sum(axis=1)
    appraisal.comparables_used[rows] = used
    appraisal.flag(
        "few_comparables", rows[used < min(FEW_COMPARABLES, appraisal.params.comparables)]
    )
    lines = (prediction.found.weight * prediction.grid.gross_percent()).sum(axis=1)
    appraisal.flag("large_adjustments", rows[lines > appraisal.params.review_adjustment_pct])
    appraisal.flag("outside_market", rows[market.model.outside_market(units)])
    appraisal.flag("missing_traits", rows[market.missing_traits(units)])
    appraisal.flag("no_location", rows[~units.located])
    appraisal.comparables.append(_long(market, rows, units, prediction))


def _long(market: Market, rows: IntArray, units: Subjects, prediction: Prediction) -> Comparables:
    comparables = prediction.found
    at, rank = np.nonzero(comparables.present)
    sale = comparables.index[at, rank]
    sold = market.model.sales.unit
    distance = reproducible.length(
        units.x_feet[at] - sold.x_feet[sale], units.y_feet[at] - sold.y_feet[sale]
    )
    located = units.located[at] & sold.located[sale]
    return Comparables(
        market=market.name,
        subject=rows[at],
        rank=rank + 1,
        sale=sale,
        distance_feet=np.where(located, distance, np.nan),
        similarity=1 / (1 + comparables.unlikeness[at, rank]),
        net_percent=prediction.grid.net_percent()[at, rank],
        gross_percent=prediction.grid.gross_percent()[at, rank],
        adjusted_price=prediction.adjusted_price[at, rank],
        indicated_value=prediction.indicated_value[at, rank],
        weight=comparables.weight[at, rank],
    )


def _by_trend(appraisal: Appraisal, levels: Levels) -> None:
    without = np.isnan(appraisal.value) & (appraisal.market_value > 0)
    kinds = appraisal.units.property_type
    for name in sorted(set(kinds[without].tolist()), key=str):
        level = levels.of(name)
        if level is None:
            continue
        rows = np.flatnonzero(without & np.equal(kinds, name).astype(np.bool_))
        trend = trended(appraisal.market_value[rows], level, appraisal.params.interval_level, CLOSE)
        appraisal.value[rows], appraisal.low[rows], appraisal.high[rows] = (
            trend.value,
            trend.low,
            trend.high,
        )
        appraisal.confidence[rows] = trend.confidence
        appraisal.method[rows] = TRENDED_APPRAISED_VALUE
        appraisal.flag("trended_value", rows)


def _explain_the_rest(appraisal: Appraisal, markets: Mapping[str, Market]) -> None:
    """Record what was missing for each unvalued subject."""
    without, names = np.isnan(appraisal.value), appraisal.units.market
    for name in sorted(set(names[without].tolist()), key=str):
        if name is None:
            reason = "property type unknown"
        elif name in markets:
            reason = "land area unknown"
        else:
            reason = f"too few valid sales of {name}"
        rows = without & np.equal(names, name).astype(np.bool_)
        level = appraisal.market_value > 0
        appraisal.not_valued[rows & level] = f"{reason}; too few valid sales to trend"
        appraisal.not_valued[rows & ~level] = f"{reason}; no assessor's market value to trend"


def _flag_for_review(appraisal: Appraisal) -> None:
    params = appraisal.params
    with np.errstate(invalid="ignore"):
        appraisal.flag("low_confidence", appraisal.confidence < params.review_threshold)
    appraisal.flag("large_change", large_change(appraisal.value, appraisal.market_value, params))


def large_change(value: FloatArray, market_value: FloatArray, params: ValuationParams) -> BoolArray:
    """Whether a value differs enough from the assessor's to need review."""
    with np.errstate(invalid="ignore", divide="ignore"):
        change = np.abs(value / market_value - 1)
    return np.isfinite(change) & (change > params.review_change)
