"""Which ratios a study trims as outliers, by a published rule."""

import numpy as np
from numpy.typing import ArrayLike

from terrafusion_lib.stats.standards import Trimming
from terrafusion_lib.stats.strata import BoolArray

MIN_RATIOS = 5
"""Below this, quartiles mean too little to call a ratio an outlier; nothing is trimmed."""


def kept(ratios: ArrayLike, rule: Trimming) -> BoolArray:
    """Mask of the ratios to keep, judged over all ratios together.

    ``iqr``: trims ratios more than three interquartile ranges outside the quartiles (IAAO
    Standard on Ratio Studies (2013), appendix B.1, extreme outliers). ``wac``: trims ratios below
    25 or above 175 percent, unless they exceed five percent of the sales (WAC 458-53-070,
    -080). ``none`` keeps all.
    """
    ratio = np.asarray(ratios, dtype=np.float64)
    everything = np.ones(ratio.shape, dtype=np.bool_)
    if rule is Trimming.NONE or ratio.size < MIN_RATIOS:
        return everything
    if rule is Trimming.IQR:
        first, third = np.quantile(ratio, [0.25, 0.75])
        reach = 3 * (third - first)
        near: BoolArray = (ratio >= first - reach) & (ratio <= third + reach)
        return near
    inside: BoolArray = (ratio >= 0.25) & (ratio <= 1.75)
    return inside if np.count_nonzero(~inside) <= 0.05 * ratio.size else everything
