"""Vertical equity indicator (VEI) of the IAAO exposure drafts.

Source: IAAO Standard on Ratio Studies, exposure draft of May 2026, appendix E. A draft, not an
adopted standard: published beside PRD and PRB, never instead of them.
"""

from dataclasses import dataclass

import numpy as np

from terrafusion_lib.stats.intervals import median_interval
from terrafusion_lib.stats.points import median_ratio, value_proxy
from terrafusion_lib.stats.strata import FloatArray, IntArray, Strata, stratify

MEDIAN_CONFIDENCE = 0.90


@dataclass(frozen=True)
class VerticalEquity:
    """VEI by stratum, percent of the median ratio, with the ends that its group medians allow.

    `low` and `high` compare the near and the far ends of the 90 percent intervals of the first
    and last group's medians, as the draft's test of significance does.
    """

    estimate: FloatArray
    low: FloatArray
    high: FloatArray


def percentile_groups(n: int) -> int:
    """Percentile groups for `n` sales: 0 below 20, 2 to 50, 4 to 500, then 10."""
    if n < 20:
        return 0
    return 2 if n <= 50 else 4 if n <= 500 else 10


def vei(strata: Strata) -> VerticalEquity:
    """100 x (median of the highest-value group - of the lowest) / overall median, by stratum.

    Groups are percentile groups of the value proxy (Hyndman and Fan's method 7); below 0 is
    regressive. NaN below 20 sales, and where equal proxies leave the highest group empty.
    """
    median, proxy = median_ratio(strata), value_proxy(strata)
    found = np.full((3, strata.n.size), np.nan)
    for stratum in range(strata.n.size):
        groups = percentile_groups(int(strata.n[stratum]))
        if groups:
            rows = strata.rows(stratum)
            ends = _ends(strata, rows, proxy[rows], groups)
            with np.errstate(invalid="ignore", divide="ignore"):
                found[:, stratum] = 100 * ends / median[stratum]
    return VerticalEquity(*found)


def _ends(strata: Strata, rows: slice, proxy: FloatArray, groups: int) -> FloatArray:
    """Difference of the extreme groups' medians, and of their intervals' near and far ends."""
    parts: IntArray = np.full(proxy.size, -1, dtype=np.int64)
    lowest, highest = np.quantile(proxy, [1 / groups, 1 - 1 / groups])
    parts[proxy <= lowest] = 0
    parts[proxy > highest] = 1
    grouped = stratify(strata.assessed[rows], strata.price[rows], parts, 2)
    first, last = median_ratio(grouped)
    low_first, high_first = median_interval(grouped.ratio[grouped.rows(0)], MEDIAN_CONFIDENCE)
    low_last, high_last = median_interval(grouped.ratio[grouped.rows(1)], MEDIAN_CONFIDENCE)
    return np.array([last - first, low_last - high_first, high_last - low_first])
