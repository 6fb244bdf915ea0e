"""Vertical equity indicator (VEI) of the IAAO exposure drafts.

Source: IAAO Standard on Ratio Studies, exposure draft of May 2026, appendix E. A draft, not an
adopted standard: published in addition to PRD and PRB, never instead of them.
"""

from dataclasses import dataclass

import numpy as np

from terrafusion_lib.stats.intervals import median_interval
from terrafusion_lib.stats.ordering import quantiles, sorted_median
from terrafusion_lib.stats.strata import FloatArray, Strata

MEDIAN_CONFIDENCE = 0.90


@dataclass(frozen=True)
class VerticalEquity:
    """VEI by stratum, percent of the median ratio, with an interval from its group medians.

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
    regressive. NaN below 20 sales, or if equal proxies leave the highest group empty.
    """
    proxy = strata.value_proxy
    found = np.full((3, strata.n.size), np.nan)
    for stratum in range(strata.n.size):
        groups = percentile_groups(int(strata.n[stratum]))
        if groups:
            rows = strata.rows(stratum)
            ends = _ends(strata.ratio[rows], proxy[rows], groups)
            with np.errstate(invalid="ignore", divide="ignore"):
                found[:, stratum] = 100 * ends / strata.median[stratum]
    return VerticalEquity(*found)


def _ends(ratio: FloatArray, proxy: FloatArray, groups: int) -> FloatArray:
    """Difference of the extreme groups' medians, and of their intervals' near and far ends.

    `ratio` is sorted, so the ratios of each group are.
    """
    lowest, highest = quantiles(proxy, (1 / groups, 1 - 1 / groups))
    first, last = ratio[proxy <= lowest], ratio[proxy > highest]
    low_first, high_first = median_interval(first, MEDIAN_CONFIDENCE)
    low_last, high_last = median_interval(last, MEDIAN_CONFIDENCE)
    between = sorted_median(last) - sorted_median(first)
    return np.array([between, low_last - high_first, high_last - low_first])
