"""Land values: rates by area and a size curve, by three methods.

*vacant_sales*: prices of vacant land. *residual*: prices of improved parcels less the assessor's
value of the improvements (abstraction, extraction). *allocation*: prices of improved parcels times
the assessor's share of land. Each yields sales of "land" for one regression: log of price on a
bent line of log size and on areas, which are shrunk together if they have few sales.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from terrafusion_lib.plugins.valuation.model.design import (
    LINE_RIDGE,
    RIDGE,
    hats,
    indicators,
    labels_as_codes,
    side_by_side,
)
from terrafusion_lib.plugins.valuation.model.ensemble import FOLDS, folds
from terrafusion_lib.plugins.valuation.model.hedonic import robust_ridge
from terrafusion_lib.plugins.valuation.model.markets import Market, prices_at_valuation_date
from terrafusion_lib.plugins.valuation.subjects import Rows, Sales, Subjects, TextArray
from terrafusion_lib.stats import ratio, reproducible
from terrafusion_lib.stats.strata import FloatArray, IntArray
from terrafusion_lib.stats.study import ALL

VACANT_SALES, RESIDUAL, ALLOCATION = "vacant_sales", "residual", "allocation"
METHODS = (VACANT_SALES, RESIDUAL, ALLOCATION)
VACANT_MARKET = "vacant_land"
IMPROVED_MARKETS = ("residential",)
MIN_SALES = 30
"""Minimum land sales for a method."""
MIN_SHARE = 0.02
"""Minimum plausible land share of a price; below it, the improvement is overvalued."""
MIN_TESTED = 5
"""Minimum vacant sales for judging a method."""
KNOTS = 5
TABLE_SIZES = (0.10, 0.25, 0.50, 0.75, 0.90)


@dataclass(frozen=True)
class LandSales(Rows):
    """Prices of land at the valuation date, US dollars, with the land sold.

    `fold` as in ``ensemble.folds``.
    """

    fold: IntArray
    area: TextArray
    size_sqft: FloatArray
    price: FloatArray


@dataclass(frozen=True)
class LandCurve:
    """Land value by area and size: ``exp(coefficients)`` of level, size and area.

    `size` is the mean log size of the sales, `knots` where the size curve may bend; sizes outside
    the sales follow the line.
    """

    areas: tuple[str, ...]
    size: float
    knots: FloatArray
    coefficients: FloatArray

    def value(self, area: TextArray, size_sqft: FloatArray) -> FloatArray:
        """Land value at the valuation date, US dollars; NaN if the size is unknown."""
        with np.errstate(divide="ignore", invalid="ignore"):
            log_size = reproducible.log(np.where(size_sqft > 0, size_sqft, np.nan))
        known = np.isfinite(log_size)
        values = np.full(log_size.size, np.nan)
        matrix = _columns(log_size[known] - self.size, area[known], self.knots, self.areas)
        values[known] = reproducible.exp(reproducible.product(matrix, self.coefficients))
        return values


def _columns(
    log_size: FloatArray, area: TextArray, knots: FloatArray, areas: tuple[str, ...]
) -> FloatArray:
    one = np.ones((log_size.size, 1))
    return side_by_side([one, log_size[:, None], hats(log_size, knots), indicators(area, areas)])


def fit_land(sales: LandSales) -> LandCurve:
    """Fit rates and size curve, robust to bad sales."""
    log_size = reproducible.log(sales.size_sqft)
    middle = float(log_size.mean())
    knots = np.unique(np.quantile(log_size - middle, np.linspace(0.02, 0.98, KNOTS)))
    areas = tuple(sorted(set(sales.area.tolist()) - {None}))
    matrix = _columns(log_size - middle, sales.area, knots, areas)
    bent = knots.size if knots.size >= 3 else 0
    penalty = np.array([1e-6, LINE_RIDGE, *[RIDGE] * bent, *[RIDGE] * len(areas)])
    return LandCurve(
        areas, middle, knots, robust_ridge(matrix, penalty, reproducible.log(sales.price))
    )


@dataclass(frozen=True)
class LandMethod:
    """One method's curve, and its accuracy on unseen vacant sales.

    `median_ratio` and `cod` are of land values to prices of vacant sales, by cross-validation over
    parcels for the method that learns from them; NaN with fewer than five such sales.
    """

    name: str
    sales: LandSales
    curve: LandCurve
    tested: int
    median_ratio: float
    cod: float


@dataclass(frozen=True)
class LandValues:
    """The county's land rates by every method its sales allow, and the published one."""

    methods: tuple[LandMethod, ...]
    published: str | None

    @property
    def curve(self) -> LandCurve | None:
        """The published method's curve."""
        return next((m.curve for m in self.methods if m.name == self.published), None)


def land_values(
    sales: Sales,
    markets: Mapping[str, Market],
    land_value: FloatArray,
    improvement_value: FloatArray,
) -> LandValues:
    """Land rates by every method that has enough sales.

    The published one values unseen vacant sales best (smallest median absolute log error of
    level and spread together); without vacant sales, allocation, then the residual.

    Parameters
    ----------
    sales : Sales
        Valid sales before the valuation date.
    land_value, improvement_value : array
        The assessor's, by row of the properties table (``Subjects.parcel``), US dollars; NaN
        unknown.
    """
    land_sales = _land_sales(sales, markets, land_value, improvement_value)
    vacant = land_sales[VACANT_SALES]
    methods = [
        _method(name, land_sales[name], vacant)
        for name in METHODS
        if land_sales[name].price.size >= MIN_SALES
    ]
    return LandValues(tuple(methods), _best(methods))


def _land_sales(
    sales: Sales,
    markets: Mapping[str, Market],
    land_value: FloatArray,
    improvement_value: FloatArray,
) -> dict[str, LandSales]:
    kind, price = sales.unit.market, prices_at_valuation_date(sales, markets)
    land, building = land_value[sales.unit.parcel], improvement_value[sales.unit.parcel]
    improved = np.isin(kind.astype(str), IMPROVED_MARKETS) & (land > 0) & (building > 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        prices = {
            VACANT_SALES: np.where(kind == VACANT_MARKET, price, np.nan),
            RESIDUAL: np.where(improved, price - building, np.nan),
            ALLOCATION: np.where(improved, price * land / (land + building), np.nan),
        }
    size = sales.unit.trait("land_area_sqft")
    whole = LandSales(folds(sales), sales.unit.neighborhood, size, price)
    by_method = {}
    for name, of_land in prices.items():
        with np.errstate(invalid="ignore"):
            rows = (of_land > MIN_SHARE * price) & (size > 0)
        by_method[name] = replace(whole, price=of_land).take(rows)
    return by_method


def _method(name: str, own: LandSales, vacant: LandSales) -> LandMethod:
    curve = fit_land(own)
    seen = name != VACANT_SALES
    value = curve.value(vacant.area, vacant.size_sqft) if seen else _unseen(vacant)
    if value.size < MIN_TESTED:
        return LandMethod(name, own, curve, value.size, np.nan, np.nan)
    median, cod = ratio.median_ratio(value, vacant.price), ratio.cod(value, vacant.price)
    return LandMethod(name, own, curve, value.size, median, cod)


def _unseen(sales: LandSales) -> FloatArray:
    """Land value of each sale from the other folds' sales."""
    value = np.full(sales.price.size, np.nan)
    for number in range(FOLDS):
        rows = sales.fold == number
        if rows.any() and (~rows).any():
            curve = fit_land(sales.take(~rows))
            value[rows] = curve.value(sales.area[rows], sales.size_sqft[rows])
    return value


def _best(methods: list[LandMethod]) -> str | None:
    tested = [method for method in methods if method.tested >= MIN_SALES]
    if tested:
        off = {m.name: abs(reproducible.log(m.median_ratio)) + m.cod / 100 for m in tested}
        return min(off, key=lambda name: (off[name], METHODS.index(name)))
    names = [method.name for method in methods]
    return next((name for name in (ALLOCATION, RESIDUAL, VACANT_SALES) if name in names), None)


def rate_table(method: LandMethod) -> list[dict[str, object]]:
    """Rates of a method by area at typical sizes, for an appraiser to read.

    A row for each area and each of five sizes (the 10th to 90th percentile of the sold land), with
    the number of the area's sales; the area ``all`` is for parcels in no area.
    """
    sizes = np.unique(np.round(np.quantile(method.sales.size_sqft, TABLE_SIZES), -2))
    sizes = sizes[sizes > 0]
    counts = np.bincount(
        labels_as_codes(method.sales.area, method.curve.areas) + 1,
        minlength=len(method.curve.areas) + 1,
    )
    counts[0] = method.sales.price.size
    labels: TextArray = np.array([None, *method.curve.areas], dtype=object)
    area, size = np.repeat(labels, sizes.size), np.tile(sizes, labels.size)
    value = method.curve.value(area, size)
    names = [ALL if label is None else label for label in area.tolist()]
    columns = (names, np.repeat(counts, sizes.size).tolist(), size.tolist(), value.tolist())
    return [
        {
            "method": method.name,
            "area": name,
            "sales": count,
            "size_sqft": feet,
            "land_value": dollars,
            "rate_per_sqft": dollars / feet,
            "median_ratio": method.median_ratio,
            "cod": method.cod,
        }
        for name, count, feet, dollars in zip(*columns, strict=True)
    ]


def land_of(curve: LandCurve | None, units: Subjects) -> FloatArray:
    """Land value of subjects by the published curve, US dollars; NaN if unknown."""
    if curve is None:
        return np.full(len(units), np.nan)
    return curve.value(units.neighborhood, units.trait("land_area_sqft"))
