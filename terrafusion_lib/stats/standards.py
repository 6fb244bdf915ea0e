"""Limits of ratio statistics by edition, property type and market, and verdicts against them.

Limits are inclusive. MKI, VEI and the indicators of sales chasing have no adopted limits; the
citation says where theirs come from. The tables were entered from knowledge of the standards and
checked against secondary sources only.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

MET = "met"
NOT_MET = "not met"
INCONCLUSIVE = "inconclusive"
TOO_FEW = "too few"

MIN_SALES = 10
"""Minimum sales for a verdict. This is TerraFusion's rule: the standard sets no number but
requires confidence intervals, and below ten sales a bootstrapped interval of the COD is too narrow
to trust.
"""


class Edition(StrEnum):
    """The standard whose limits apply.

    ``iaao_2013``: for local jurisdictions (part 1, section 9). ``iaao_2013_oversight``: for
    agencies that oversee them (part 2, table 2-3). ``iaao_1999``: the edition before PRB.
    """

    IAAO_2013 = "iaao_2013"
    IAAO_2013_OVERSIGHT = "iaao_2013_oversight"
    IAAO_1999 = "iaao_1999"


class Trimming(StrEnum):
    """Rules for outlier ratios; see `trimming.kept`."""

    NONE = "none"
    IQR = "iqr"
    WAC = "wac"


class MarketArea(StrEnum):
    """The kind of market for a table's COD limits.

    ``active``: very large or densely populated, newer or similar properties. ``typical``:
    mid-sized, older and newer properties mixed. ``rural``: small, older or depressed.
    """

    ACTIVE = "active"
    TYPICAL = "typical"
    RURAL = "rural"


@dataclass(frozen=True)
class Limit:
    """An acceptable range, both ends included, and its citation."""

    low: float
    high: float
    citation: str


_2013 = "IAAO Standard on Ratio Studies (2013)"
_1999 = "IAAO Standard on Ratio Studies (1999)"
_TYPES = {
    "residential": "residential",
    "multifamily": "other residential",
    "manufactured_home": "other residential",
    "commercial": "income-producing",
    "industrial": "income-producing",
    "agricultural": "rural",
    "vacant_land": "vacant land",
}
"""The table line for a property type; special purpose has none."""

_HOUSE = "TerraFusion limit; technique of the IAAO Standard on Ratio Studies (2013), appendix E"
_UNADOPTED = {
    "mki": Limit(0.95, 1.05, "Quintos (2020), Journal of Property Tax Assessment 17(2)"),
    "vei": Limit(-10.0, 10.0, "IAAO Standard on Ratio Studies, exposure draft May 2026, app. E"),
    "price_bunching": Limit(0.0, 1.5, _HOUSE),
    "sold_unsold_change": Limit(-3.0, 3.0, _HOUSE),
    "later_cod": Limit(0.0, 1.25, _HOUSE),
}


def _level(standard: str, *, prb: bool) -> dict[str, Limit]:
    """Limits that apply to all property types."""
    level = Limit(0.90, 1.10, f"{standard}, section on performance standards")
    limits = {"median_ratio": level, "prd": Limit(0.98, 1.03, level.citation)}
    return limits | ({"prb": Limit(-0.05, 0.05, level.citation)} if prb else {}) | _UNADOPTED


def _cods(table: str, low: float, lines: Mapping[str, tuple[float, ...]]) -> dict[str, list[Limit]]:
    """COD limits by line, in the order of `MarketArea`."""
    return {
        line: [
            Limit(low, high, f"{table}: {line}, {area} market")
            for high, area in zip(highs, MarketArea, strict=True)
        ]
        for line, highs in lines.items()
    }


_LIMITS = {
    Edition.IAAO_2013: _level(f"{_2013}, part 1", prb=True),
    Edition.IAAO_2013_OVERSIGHT: _level(f"{_2013}, part 2", prb=True),
    Edition.IAAO_1999: _level(_1999, prb=False),
}
_CODS = {
    Edition.IAAO_2013: _cods(
        f"{_2013}, table 1-3",
        5,
        {
            "residential": (10, 15, 20),
            "other residential": (20, 20, 20),
            "income-producing": (15, 20, 20),
            "rural": (20, 20, 20),
            "vacant land": (25, 25, 25),
        },
    ),
    Edition.IAAO_2013_OVERSIGHT: _cods(
        f"{_2013}, table 2-3",
        5,
        {
            "residential": (10, 15, 20),
            "other residential": (10, 15, 20),
            "income-producing": (15, 20, 25),
            "rural": (10, 15, 20),
            "vacant land": (15, 20, 25),
        },
    ),
    Edition.IAAO_1999: _cods(
        f"{_1999}, table on ratio study performance",
        0,
        {
            "residential": (10, 15, 20),
            "other residential": (20, 20, 20),
            "income-producing": (15, 20, 20),
            "rural": (20, 20, 20),
            "vacant land": (20, 20, 20),
        },
    ),
}


def limit(
    statistic: str,
    property_type: str | None = None,
    *,
    edition: Edition = Edition.IAAO_2013,
    market: MarketArea = MarketArea.TYPICAL,
) -> Limit | None:
    """The limit of a statistic; None when the edition sets none.

    The COD's depends on the property type: a stratum of mixed types (`property_type` None) and
    special-purpose property have none.
    """
    if statistic != "cod":
        return _LIMITS[edition].get(statistic)
    line = _TYPES.get(property_type or "")
    return _CODS[edition][line][list(MarketArea).index(market)] if line else None


def verdict(
    estimate: float,
    interval: tuple[float, float],
    allowed: Limit | None,
    *,
    n: int,
    min_sales: int = MIN_SALES,
) -> str | None:
    """The verdict of a statistic against its limit; None without a limit.

    *too few* below `min_sales` or when the figure is undefined; *met* when the estimate is within
    the limit, ends included; otherwise *inconclusive* when its confidence interval overlaps the
    limit, so that sampling error alone may explain the miss, or when there is no interval; *not
    met* when the interval is outside (noncompliance must be demonstrated, as in section 9 of the
    standard).
    """
    if allowed is None:
        return None
    if n < min_sales or not math.isfinite(estimate):
        return TOO_FEW
    # A figure exactly at the limit must meet it despite rounding in the last bit.
    slack = 1e-12 * max(abs(allowed.low), abs(allowed.high))
    if allowed.low - slack <= estimate <= allowed.high + slack:
        return MET
    low, high = interval
    outside = high < allowed.low or low > allowed.high
    return NOT_MET if outside else INCONCLUSIVE
