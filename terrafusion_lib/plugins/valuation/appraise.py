"""Values of all subjects: by their market's model, else trended, else the reason why not."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from terrafusion_lib.core.progress import Progress
from terrafusion_lib.plugins.valuation.model import Prediction
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.trend import LevelRatios, trended
from terrafusion_lib.plugins.valuation.uncertainty import CLOSE, CalibratedModel
from terrafusion_lib.plugins.valuation.units import TextArray, Units
from terrafusion_lib.stats.strata import BoolArray, FloatArray, IntArray

BATCH = 8_192
COMPARABLE_SALES = "comparable_sales"
TRENDED_ASSESSED_VALUE = "trended_assessed_value"
FEW_COMPARABLES = 3


@dataclass(frozen=True)
class Comparables:
    """Comparables of subjects of one property type in long form: one row per subject and rank."""

    property_type: str
    subject: IntArray
    rank: IntArray
    sale: IntArray
    distance_feet: FloatArray
    similarity: FloatArray
    net_percent: FloatArray
    gross_percent: FloatArray
    adjusted_price: FloatArray
    weight: FloatArray


class Appraisal:
    """Values being made: arrays over all subjects, filled market by market."""

    def __init__(self, units: Units, market_value: FloatArray, params: ValuationParams) -> None:
        size = len(units)
        self.units, self.market_value, self.params = units, market_value, params
        self.value, self.low, self.high, self.confidence = (np.full(size, np.nan) for _ in range(4))
        self.method: TextArray = np.full(size, None, dtype=object)
        self.comparables_used = np.zeros(size, dtype=np.int64)
        self.not_valued: TextArray = np.full(size, None, dtype=object)
        self.reasons: dict[str, BoolArray] = {}
        self.comparables: list[Comparables] = []

    def flag(self, reason: str, rows: BoolArray | IntArray) -> None:
        """Note a reason for review on some subjects."""
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
    units: Units,
    market_value: FloatArray,
    models: Mapping[str, CalibratedModel],
    levels: LevelRatios,
    params: ValuationParams,
    *,
    progress: Progress,
) -> Appraisal:
    """Value every unit; each ends with a value and a method, or with a reason why it has none.

    `market_value` is the assessor's, US dollars, NaN where there is none.
    """
    made = Appraisal(units, market_value, params)
    done = 0
    for name, calibrated in sorted(models.items()):
        rows = np.flatnonzero(units.property_type == name)
        able = calibrated.model.can_value(units.take(rows))
        made.flag("missing_size", rows[~able])
        for first in range(0, rows[able].size, BATCH):
            _by_comparables(made, name, rows[able][first : first + BATCH], calibrated)
            done += min(BATCH, rows[able].size - first)
            progress("value properties", done, len(units))
    _by_trend(made, levels)
    _explain_the_rest(made, models)
    _flag_for_review(made)
    progress("value properties", len(units), len(units))
    return made


def _by_comparables(made: Appraisal, name: str, rows: IntArray, fitted: CalibratedModel) -> None:
    units, model = made.units.take(rows), fitted.model
    prediction = model.predict(units)
    made.value[rows] = prediction.value
    made.low[rows], made.high[rows] = fitted.uncertainty.interval(
        prediction, made.params.interval_level
    )
    made.confidence[rows] = fitted.uncertainty.confidence(prediction)
    made.method[rows] = COMPARABLE_SALES
    used = prediction.found.present.sum(axis=1)
    made.comparables_used[rows] = used
    made.flag("few_comparables", rows[used < min(FEW_COMPARABLES, made.params.comparables)])
    gross = np.einsum("ij,ij->i", prediction.found.weight, prediction.grid.gross_percent())
    made.flag("large_adjustments", rows[gross > made.params.review_gross_adjustment_pct])
    made.flag("outside_market", rows[model.outside_market(units)])
    made.flag("missing_traits", rows[model.missing_traits(units)])
    made.flag("no_location", rows[~units.located])
    made.comparables.append(_long(name, rows, units, prediction, fitted))


def _long(
    name: str, rows: IntArray, units: Units, prediction: Prediction, fitted: CalibratedModel
) -> Comparables:
    found = prediction.found
    at, rank = np.nonzero(found.present)
    sale = found.index[at, rank]
    sold = fitted.model.sales.unit
    distance = np.hypot(units.x_feet[at] - sold.x_feet[sale], units.y_feet[at] - sold.y_feet[sale])
    located = units.located[at] & sold.located[sale]
    return Comparables(
        property_type=name,
        subject=rows[at],
        rank=rank + 1,
        sale=sale,
        distance_feet=np.where(located, distance, np.nan),
        similarity=1 / (1 + found.unlikeness[at, rank]),
        net_percent=prediction.grid.net_percent()[at, rank],
        gross_percent=prediction.grid.gross_percent()[at, rank],
        adjusted_price=prediction.adjusted_price[at, rank],
        weight=found.weight[at, rank],
    )


def _by_trend(made: Appraisal, levels: LevelRatios) -> None:
    open_ = np.isnan(made.value) & (made.market_value > 0)
    kinds = made.units.property_type[open_]
    for name in sorted({str(kind) for kind in kinds if kind is not None}):
        ratios = levels.ratios(name)
        rows = np.flatnonzero(open_ & (made.units.property_type == name))
        if ratios is None:
            continue
        found = trended(made.market_value[rows], ratios, made.params.interval_level, CLOSE)
        made.value[rows], made.low[rows], made.high[rows] = found.value, found.low, found.high
        made.confidence[rows] = found.confidence
        made.method[rows] = TRENDED_ASSESSED_VALUE
        made.flag("trended_value", rows)


def _explain_the_rest(made: Appraisal, models: Mapping[str, CalibratedModel]) -> None:
    """Say of each unvalued subject what was lacking."""
    rows = np.flatnonzero(np.isnan(made.value))
    kinds = made.units.property_type
    for row in rows.tolist():
        if kinds[row] is None:
            reason = "property type unknown"
        elif kinds[row] in models:
            reason = "building or land area unknown"
        else:
            reason = f"too few valid sales of {kinds[row]}"
        level = made.market_value[row] > 0
        also = "too few valid sales to trend" if level else "no assessor's market value to trend"
        made.not_valued[row] = f"{reason}; {also}"


def _flag_for_review(made: Appraisal) -> None:
    params = made.params
    with np.errstate(invalid="ignore", divide="ignore"):
        change = np.abs(made.value / made.market_value - 1)
        made.flag("low_confidence", made.confidence < params.review_threshold)
        made.flag("large_change", np.isfinite(change) & (change > params.review_change))
