"""The regression's columns: how traits, use, neighborhood and time enter the log of price.

Each trait enters by a straight line and by ridge-penalized hats (a piecewise-linear curve pulled
toward the line), so that a curve appears only where sales support it. Outside the range of sales,
the line for sizes continues; any other trait is held at the nearest value sold. Every column
belongs to a line item of the adjustment grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.plugins.valuation.subjects import DAYS_PER_YEAR, Subjects, TextArray
from terrafusion_lib.stats import reproducible
from terrafusion_lib.stats.strata import FloatArray, IntArray

RIDGE = 3.0
"""Penalty of curves, uses and neighborhoods, in sales: noise variance over their own variance.

Prices vary by about 17 percent, curves and neighborhoods by about 10: (0.17 / 0.10)^2 is about 3.
A neighborhood with three sales gets half weight.
"""
TIME_RIDGE = 10.0
LINE_RIDGE = 0.1
SEASON_RIDGE = 40.0
"""For the yearly cycle: noise of 20 percent against an amplitude rarely above 3 percent."""
KNOTS = 7
TIME_KNOT_DAYS = 61.0
MIN_SHARE_KNOWN = 0.5
EXTENDED = ("size", "land", "premium")
"""Traits whose line continues outside the sales; others are held at the nearest value sold."""

USE, LOCATION, TIME = "use", "location", "time"
TRAIT_ITEMS = (
    "size",
    "land",
    "age",
    "quality",
    "condition",
    "rooms",
    "garage",
    "basement",
    "view",
    USE,
)
ITEMS = (*TRAIT_ITEMS, LOCATION, TIME)

TRAIT_LINES = {
    "size": "size",
    "land": "land",
    "age": "age",
    "renovation": "age",
    "quality": "quality",
    "condition": "condition",
    "bathrooms": "rooms",
    "bedrooms": "rooms",
    "stories": "size",
    "garage": "garage",
    "basement": "basement",
    "view": "view",
    "waterfront": "view",
}
"""Explanation line of each trait of the property itself."""
_FEATURE_ITEMS = {**TRAIT_LINES, "premium": LOCATION}
_PRODUCTS = (("size", "quality"), ("size", "age"), ("size", "land"), ("quality", "age"))


def features(units: Subjects) -> dict[str, FloatArray]:
    """The regression's inputs for each subject; NaN if unknown."""
    built = units.trait("year_built")
    effective = units.trait("effective_year_built")
    known = np.where(np.isnan(built), effective, built)
    return {
        "size": reproducible.log(units.trait("building_area_sqft")),
        "land": reproducible.log(units.trait("land_area_sqft")),
        "age": np.maximum(units.year - known, 0.0),
        "renovation": np.maximum(effective - built, 0.0),
        "quality": units.trait("quality"),
        "condition": units.trait("condition"),
        "bathrooms": units.trait("bathrooms"),
        "bedrooms": np.minimum(units.trait("bedrooms"), 10.0),
        "stories": units.trait("stories"),
        "garage": reproducible.log(1 + units.trait("garage_area_sqft") / 100),
        "basement": reproducible.log(1 + units.trait("basement_area_sqft") / 100),
        "view": units.trait("view_rating"),
        "waterfront": units.trait("is_waterfront"),
        "premium": units.premium,
    }


@dataclass(frozen=True)
class Scale:
    """How one trait is centered, scaled and bent; `low` and `high` are the range in sales."""

    mean: float
    deviation: float
    knots: FloatArray
    low: float
    high: float
    sometimes_missing: bool


@dataclass(frozen=True)
class Design:
    """Columns fitted to one market; `item` numbers each column's line item, -1 the constant.

    `drifting`: whether each neighborhood has its own trend in addition to the market's, between
    the days of the first and last sale.
    """

    scales: dict[str, Scale]
    products: tuple[tuple[str, str], ...]
    uses: tuple[str, ...]
    neighborhoods: tuple[str, ...]
    time_knots: FloatArray | None
    first_day: float
    last_day: float
    drifting: bool
    penalty: FloatArray
    item: IntArray

    def matrix(self, units: Subjects) -> FloatArray:
        """Regression columns of `units`, one row each."""
        inputs = features(units)
        scaled, columns = {}, [np.ones((len(units), 1))]
        for name, scale in self.scales.items():
            unknown = np.isnan(inputs[name])
            seen = inputs[name] if name in EXTENDED else inputs[name].clip(scale.low, scale.high)
            scaled[name] = np.where(unknown, 0.0, (seen - scale.mean) / scale.deviation)
            columns.append(scaled[name][:, None])
            columns.append(hats(scaled[name], scale.knots))
            if scale.sometimes_missing:
                columns.append(unknown[:, None].astype(np.float64))
        columns += [(scaled[one] * scaled[other])[:, None] for one, other in self.products]
        columns += [indicators(units.use, self.uses)]
        areas = indicators(units.neighborhood, self.neighborhoods)
        columns += [areas, self.time_columns(units.day, areas)]
        return side_by_side(columns)

    def time_columns(self, day: FloatArray, areas: FloatArray) -> FloatArray:
        """Columns of the line item time: the market's trend and season, then what areas add.

        The season is a yearly cycle. If sales span only a few years, it cannot be separated from
        the trend for certain, and its penalty determines its weight.

        `areas` indicates the neighborhood (one column each of `neighborhoods`). Before the first
        and after the last sale, areas move with the market.
        """
        if self.time_knots is None:
            return np.zeros((day.size, 0))
        years = day / DAYS_PER_YEAR
        cosine, sine = reproducible.wave(years)
        columns = [np.column_stack([years, cosine - 1, sine]), hats(day, self.time_knots)]
        if self.drifting:
            columns.append(self.drift_columns(day, areas))
        return np.hstack(columns)

    def drift_columns(self, day: FloatArray, areas: FloatArray) -> FloatArray:
        """Years by area, held still outside the days of the first and the last sale."""
        return areas * np.clip(day, self.first_day, self.last_day)[:, None] / DAYS_PER_YEAR

    def with_drift(self, penalty: float) -> "Design":
        """The same columns, followed by a separate trend for each neighborhood.

        `penalty` is the noise's variance over that of these trends, years squared.
        """
        size = len(self.neighborhoods)
        return replace(
            self,
            drifting=True,
            penalty=np.concatenate([self.penalty, np.full(size, penalty)]),
            item=np.concatenate([self.item, np.full(size, ITEMS.index(TIME))]),
        )


def side_by_side(blocks: Sequence[FloatArray]) -> FloatArray:
    """Blocks of columns as one matrix with contiguous columns."""
    matrix = np.empty((len(blocks[0]), sum(block.shape[1] for block in blocks)), order="F")
    first = 0
    for block in blocks:
        matrix[:, first : first + block.shape[1]] = block
        first += block.shape[1]
    return matrix


def labels_as_codes(labels: TextArray, known: tuple[str, ...]) -> IntArray:
    """Index of each label among the known ones; -1 for a new one."""
    codes = pc.index_in(pa.array(labels, pa.string()), pa.array(known, pa.string()))
    return np.asarray(codes.fill_null(-1).to_numpy(zero_copy_only=False), dtype=np.int64)


def indicators(labels: TextArray, known: tuple[str, ...]) -> FloatArray:
    """One indicator column per known label; new labels have none."""
    code = labels_as_codes(labels, known)
    columns = np.zeros((labels.size, len(known)))
    rows = np.flatnonzero(code >= 0)
    columns[rows, code[rows]] = 1.0
    return columns


def _labels(column: TextArray) -> tuple[str, ...]:
    """The distinct labels, sorted; empty if there is only one, which carries no information."""
    labels = tuple(sorted(set(column.tolist()) - {None}))
    return labels if len(labels) > 1 else ()


def hats(values: FloatArray, knots: FloatArray) -> FloatArray:
    """Piecewise-linear hat functions at `knots` (none below three), constant beyond the ends."""
    if knots.size < 3:
        return np.zeros((values.size, 0))
    inside = np.clip(values, knots[0], knots[-1])
    left = np.clip(np.searchsorted(knots, inside, side="right") - 1, 0, knots.size - 2)
    share = (inside - knots[left]) / (knots[left + 1] - knots[left])
    columns = np.zeros((values.size, knots.size))
    rows = np.arange(values.size)
    columns[rows, left] = 1 - share
    columns[rows, left + 1] = share
    return columns


def make_design(units: Subjects, *, time_adjustment: bool) -> Design:
    """Columns for the market of these sales: traits that most sales have and that vary."""
    scales = {
        name: scale
        for name, values in features(units).items()
        if (scale := _scale(values)) is not None
    }
    products = tuple(pair for pair in _PRODUCTS if set(pair) <= set(scales))
    uses, neighborhoods = _labels(units.use), _labels(units.neighborhood)
    time_knots = _time_knots(units.day) if time_adjustment else None
    penalty, items = [1e-6], [-1]

    def add(item: str, *penalties: float) -> None:
        penalty.extend(penalties)
        items.extend([ITEMS.index(item)] * len(penalties))

    for name, scale in scales.items():
        bent = scale.knots.size if scale.knots.size >= 3 else 0
        unknown = [RIDGE] if scale.sometimes_missing else []
        add(_FEATURE_ITEMS[name], LINE_RIDGE, *[RIDGE] * bent, *unknown)
    for one, _ in products:
        add(_FEATURE_ITEMS[one], 1.0)
    add(USE, *[RIDGE] * len(uses))
    add(LOCATION, *[RIDGE] * len(neighborhoods))
    if time_knots is not None:
        bent = time_knots.size if time_knots.size >= 3 else 0
        lent = bool(np.any(units.trend))
        add(TIME, TIME_RIDGE if lent else LINE_RIDGE)
        add(TIME, *[SEASON_RIDGE] * 2, *[TIME_RIDGE] * bent)
    return Design(
        scales=scales,
        products=products,
        uses=uses,
        neighborhoods=neighborhoods,
        time_knots=time_knots,
        first_day=float(units.day.min()),
        last_day=float(units.day.max()),
        drifting=False,
        penalty=np.array(penalty),
        item=np.array(items),
    )


def _scale(values: FloatArray) -> Scale | None:
    known = values[np.isfinite(values)]
    if known.size < MIN_SHARE_KNOWN * values.size or known.size == 0:
        return None
    mean, deviation = float(known.mean()), float(known.std())
    if deviation < 1e-9:
        return None
    knots = np.unique(np.quantile((known - mean) / deviation, np.linspace(0.005, 0.995, KNOTS)))
    return Scale(
        mean, deviation, knots, float(known.min()), float(known.max()), known.size < values.size
    )


def _time_knots(day: FloatArray) -> FloatArray:
    first, last = float(day.min()), float(day.max())
    pieces = int((last - first) // TIME_KNOT_DAYS)
    return np.linspace(first, last, pieces + 1) if pieces >= 2 else np.zeros(0)
