"""Limits of ratio statistics by property type, and what a figure says against them.

One edition so far: the IAAO Standard on Ratio Studies of April 2013, part 1 section 9 and table
1-3. Limits are inclusive. MKI and VEI have no adopted limits; theirs are cited as what they are.
"""

import math
from dataclasses import dataclass

from terrafusion_lib.core.config import nearest
from terrafusion_lib.core.errors import ConfigError

MET = "met"
NOT_MET = "not met"
INCONCLUSIVE = "inconclusive"
TOO_FEW = "too few"

MIN_SALES = 10
"""Fewest sales for a verdict.

A rule of this house: the standard sets no number but asks for confidence intervals, and below ten
sales a bootstrapped interval of the COD is too narrow to be trusted.
"""


@dataclass(frozen=True)
class Limit:
    """An acceptable range, both ends included, and where it is written."""

    low: float
    high: float
    citation: str


_STANDARD = "IAAO Standard on Ratio Studies (2013)"
_SECTION = f"{_STANDARD}, part 1, section 9"
_TABLE = f"{_STANDARD}, table 1-3"

_ANY = {
    "median_ratio": Limit(0.90, 1.10, _SECTION),
    "prd": Limit(0.98, 1.03, _SECTION),
    "prb": Limit(-0.05, 0.05, _SECTION),
    "mki": Limit(0.95, 1.05, "Quintos (2020), Journal of Property Tax Assessment 17(2)"),
    "vei": Limit(-10.0, 10.0, "IAAO Standard on Ratio Studies, exposure draft May 2026, app. E"),
}

_COD = {
    "residential": Limit(5.0, 15.0, f"{_TABLE}: single-family, older or heterogeneous"),
    "multifamily": Limit(5.0, 20.0, f"{_TABLE}: other residential"),
    "manufactured_home": Limit(5.0, 20.0, f"{_TABLE}: other residential"),
    "commercial": Limit(5.0, 20.0, f"{_TABLE}: income-producing, smaller jurisdictions"),
    "industrial": Limit(5.0, 20.0, f"{_TABLE}: income-producing, smaller jurisdictions"),
    "agricultural": Limit(5.0, 20.0, f"{_TABLE}: rural"),
    "vacant_land": Limit(5.0, 25.0, f"{_TABLE}: vacant land"),
}

EDITIONS = {"iaao_2013": {"any": _ANY, "cod": _COD}}
"""Limits by edition: of statistics that are alike for all property, and of the COD by type."""


def limit(
    statistic: str, property_type: str | None = None, *, edition: str = "iaao_2013"
) -> Limit | None:
    """The limit of a statistic; None when the edition sets none.

    The COD's depends on the property type: a stratum of mixed types (`property_type` None) and
    special-purpose property have none.

    Raises
    ------
    ConfigError
        The edition is unknown.
    """
    if edition not in EDITIONS:
        close = nearest(edition, list(EDITIONS))
        raise ConfigError(
            f"No edition {edition!r} of the ratio standards",
            examples=sorted(EDITIONS),
            hint=f"did you mean {close[0]}?" if close else None,
        )
    limits = EDITIONS[edition]
    if statistic == "cod":
        return limits["cod"].get(property_type or "")
    return limits["any"].get(statistic)


def verdict(
    estimate: float,
    interval: tuple[float, float],
    allowed: Limit | None,
    *,
    n: int,
    min_sales: int = MIN_SALES,
) -> str | None:
    """What a figure says against its limit; None without a limit.

    *too few* below `min_sales` or when the figure is undefined; *met* when the estimate lies
    within the limit, ends included; otherwise *inconclusive* when its confidence interval still
    reaches into the limit, so that sampling error alone may explain the miss, and *not met* when
    it does not (non-compliance must be shown, as in the standard's section 9).
    """
    if allowed is None:
        return None
    if n < min_sales or not math.isfinite(estimate):
        return TOO_FEW
    if allowed.low <= estimate <= allowed.high:
        return MET
    low, high = interval
    if math.isfinite(low) and math.isfinite(high) and low <= allowed.high and high >= allowed.low:
        return INCONCLUSIVE
    return NOT_MET
