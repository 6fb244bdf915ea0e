"""What the sales table itself says of each sale: codes, deeds, parties, prices, people's words."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.plugins.valuation.model.hedonic import MAD_TO_DEVIATION
from terrafusion_lib.plugins.valuation.params import SaleDecision, ValuationParams
from terrafusion_lib.plugins.valuation.subjects import (
    DAYS_PER_YEAR,
    TextArray,
    absent,
    numbers,
    texts,
)
from terrafusion_lib.stats import reproducible
from terrafusion_lib.stats.strata import BoolArray, FloatArray, IntArray

MIN_SEGMENT = 20
"""Fewest sales that make a segment of their own; fewer are compared with their whole market."""
CHAIN_DAYS = 30
MIN_YEARS_BETWEEN = 0.25


@dataclass(frozen=True)
class Evidence:
    """What speaks against each row of the sales table; scores are in robust deviations.

    `deed` is the reason that the deed type stands for, None without one; `parties`
    what the names of seller and buyer say, None when nothing. `decision` is 1 where a person took
    the sale for valid, 0 for invalid, NaN where nobody decided.
    """

    codes_valid: BoolArray
    deed: TextArray
    exempt: BoolArray
    parties: TextArray
    nominal: BoolArray
    several: BoolArray
    chained: BoolArray
    twice: BoolArray
    rate_score: FloatArray
    swing_score: FloatArray
    decision: FloatArray
    decided_by: TextArray
    unknown_decisions: tuple[str, ...]

    def usable(self) -> BoolArray:
        """Sales that codes, deeds and people let through."""
        machine = self.codes_valid & absent(self.deed)
        decided = np.isfinite(self.decision)
        return np.asarray((decided & (self.decision == 1)) | (~decided & machine), dtype=np.bool_)


def collect_evidence(
    table: pa.Table,
    codes_valid: BoolArray,
    price: FloatArray,
    day: FloatArray,
    params: ValuationParams,
) -> Evidence:
    """Look at every row of the sales table.

    Parameters
    ----------
    codes_valid : array of bool
        What the validity codes say.
    price, day : array
        Price of the parcel, US dollars, and days from the valuation date; NaN unknown.
    """
    parcel = _codes(texts(table, "property_id"))
    land_only = numbers(table, "is_land_only") == 1
    area, land = numbers(table, "building_area_sqft"), numbers(table, "land_area_sqft")
    size = np.where(land_only | ~(area > 0), land, area)
    kind = np.where(land_only, "land", texts(table, "property_type").astype(str))
    decision, who, unknown = _decisions(table, params.sales_decisions)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(
            codes_valid & (size > 0) & (price > 0), reproducible.log(price / size), np.nan
        )
    evidence = Evidence(
        codes_valid=codes_valid,
        deed=_deeds(table, params.invalid_deeds),
        exempt=~absent(texts(table, "wac_code")),
        parties=texts(table, "party_relation"),
        nominal=~(numbers(table, "sale_price") >= params.min_sale_price),
        several=numbers(table, "parcel_count") > 1,
        chained=_chained(parcel, day),
        twice=np.zeros(parcel.size, dtype=np.bool_),
        rate_score=robust_scores(rate, kind, texts(table, "neighborhood_code").astype(str)),
        swing_score=_swings(parcel, day, np.where(codes_valid, price, np.nan), kind),
        decision=decision,
        decided_by=who,
        unknown_decisions=unknown,
    )
    alone = np.where(evidence.usable() & ~evidence.several, price, np.nan)
    return replace(evidence, twice=_twice(parcel, day, alone, _codes(texts(table, "sale_id"))))


def _twice(parcel: IntArray, day: FloatArray, price: FloatArray, sale: IntArray) -> BoolArray:
    """Rows with parcel, day and price of another sale; the first by its id is not among them.

    A price that is NaN is compared with none.
    """
    known = np.flatnonzero(np.isfinite(day) & (price > 0))
    order = known[np.lexsort((sale[known], price[known], day[known], parcel[known]))]
    same = np.ones(max(order.size - 1, 0), dtype=np.bool_)
    for column in (parcel, day, price):
        same &= column[order[1:]] == column[order[:-1]]
    twice = np.zeros(parcel.size, dtype=np.bool_)
    twice[order[1:][same]] = True
    return twice


def robust_scores(
    value: FloatArray, *segments: TextArray, among: BoolArray | None = None
) -> FloatArray:
    """Distance of each value from its segment's median in robust standard deviations.

    1.4826 times the median absolute deviation: neither it nor the median moves by a few wild
    values, so an outlier cannot hide itself. The segments go from wide to narrow; the narrowest
    with twenty values or more counts. NaN where the value is NaN or no segment has twenty.

    Parameters
    ----------
    among : array of bool, optional
        Values whose median and deviation are the yardstick; all when None.
    """
    score = np.full(value.size, np.nan)
    known = np.isfinite(value)
    yardstick = known if among is None else known & among
    group = np.zeros(value.size, dtype=np.int64)
    for segment in segments:
        group = _codes(np.char.add(np.char.add(group.astype(str), "/"), segment.astype(str)))
        middle, spread, count = _medians(value, group, yardstick)
        told = known & ((count >= MIN_SEGMENT) & (spread > 0))[group]
        at = group[told]
        score[told] = np.abs(value[told] - middle[at]) / (MAD_TO_DEVIATION * spread[at])
    return score


def _codes(labels: np.ndarray) -> IntArray:
    return np.asarray(np.unique(labels.astype(str), return_inverse=True)[1], dtype=np.int64)


def _medians(
    value: FloatArray, group: IntArray, rows: BoolArray
) -> tuple[FloatArray, FloatArray, IntArray]:
    """Median, median absolute deviation and size of each group, of some rows."""
    groups = int(group.max(initial=-1)) + 1
    value, group = value[rows], group[rows]
    count = np.bincount(group, minlength=groups)
    middle = _group_median(value, group, count)
    return middle, _group_median(np.abs(value - middle[group]), group, count), count


def _group_median(value: FloatArray, group: IntArray, count: IntArray) -> FloatArray:
    """Median by group; of one without values, nothing that means anything."""
    if value.size == 0:
        return np.zeros(count.size)
    ordered = value[np.lexsort((value, group))]
    first = np.cumsum(count) - count
    low, high = first + np.maximum(count - 1, 0) // 2, first + count // 2
    ends = np.minimum(np.stack([low, high]), value.size - 1)
    return np.asarray(ordered[ends].mean(axis=0), dtype=np.float64)


def _deeds(table: pa.Table, invalid: Mapping[str, str]) -> TextArray:
    """Numeral of the deed types that are no arm's-length sale."""
    deed = texts(table, "deed_type")
    numeral: TextArray = np.array([invalid.get(str(name).strip()) for name in deed], dtype=object)
    return numeral.reshape(deed.shape)


def _chained(parcel: IntArray, day: FloatArray) -> BoolArray:
    """Whether the parcel was conveyed again, or before, within a month."""
    order = np.lexsort((day, parcel))
    near = (np.diff(parcel[order]) == 0) & (np.diff(day[order]) <= CHAIN_DAYS)
    chained = np.zeros(parcel.size, dtype=np.bool_)
    chained[order[1:]] |= near
    chained[order[:-1]] |= near
    return chained


def _swings(parcel: IntArray, day: FloatArray, price: FloatArray, kind: TextArray) -> FloatArray:
    """Score of the yearly price change between two sales of a parcel, on both of them."""
    score = np.full(parcel.size, np.nan)
    rows = np.flatnonzero((price > 0) & np.isfinite(day))
    order = rows[np.lexsort((day[rows], parcel[rows]))]
    first, second = order[:-1], order[1:]
    years = (day[second] - day[first]) / DAYS_PER_YEAR
    pair = (parcel[first] == parcel[second]) & (years >= MIN_YEARS_BETWEEN)
    first, second, years = first[pair], second[pair], years[pair]
    yearly = reproducible.log(price[second] / price[first]) / years
    pair_score = robust_scores(yearly, kind[second])
    np.fmax.at(score, first, pair_score)
    np.fmax.at(score, second, pair_score)
    return score


def _decisions(
    table: pa.Table, decisions: tuple[SaleDecision, ...]
) -> tuple[FloatArray, TextArray, tuple[str, ...]]:
    """People's decisions by row (the latest of a sale counts), who made them, and unknown sales."""
    decision = np.full(table.num_rows, np.nan)
    who: TextArray = np.full(table.num_rows, None, dtype=object)
    unknown = []
    for word in sorted(decisions, key=lambda word: word.when):
        rows = np.asarray(pc.equal(table["sale_id"], word.sale_id).fill_null(False))
        decision[rows] = float(word.valid)
        who[rows] = f"{word.who}, {word.when.isoformat()}: {word.reason}"
        if not rows.any():
            unknown.append(word.sale_id)
    return decision, who, tuple(sorted(set(unknown)))
