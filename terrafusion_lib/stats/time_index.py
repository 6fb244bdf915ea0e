"""How much areas differ in their price trends, from regression residuals."""

import numpy as np

from terrafusion_lib.stats.strata import FloatArray, IntArray


def drift_variance(
    area: IntArray, time: FloatArray, residual: FloatArray, weight: FloatArray, noise: float
) -> float:
    """Between-area variance of trends relative to the common trend, (log points per year) squared.

    The estimator of DerSimonian and Laird (Controlled Clinical Trials 7, 1986) over each area's
    slope of residual on time: the part of their scatter that noise alone does not explain.

    Parameters
    ----------
    area : array of int
        Area number of each sale, from 0; sales with -1 have no area and are ignored.
    time : array
        Time of each sale, years.
    residual, weight : array
        Residual log price of the common model, and the weight of each sale.
    noise : float
        Variance of a residual.

    Returns
    -------
    float
        Zero if slopes differ no more than by chance, or if fewer than three areas have sales at
        different times.
    """
    known = area >= 0
    area, time, residual, weight = area[known], time[known], residual[known], weight[known]
    if area.size == 0 or noise <= 0:
        return 0.0
    count = int(area.max()) + 1
    total = np.maximum(np.bincount(area, weight, count), 1e-12)
    since = time - (np.bincount(area, weight * time, count) / total)[area]
    beyond = residual - (np.bincount(area, weight * residual, count) / total)[area]
    spread = np.bincount(area, weight * since**2, count)
    moved = np.bincount(area, weight * since * beyond, count)
    told = spread > 1e-9
    if np.count_nonzero(told) < 3:
        return 0.0
    slope, belief = moved[told] / spread[told], spread[told] / noise
    mean = float((belief * slope).sum() / belief.sum())
    heterogeneity = float((belief * (slope - mean) ** 2).sum())
    scale = float(belief.sum() - (belief**2).sum() / belief.sum())
    return max(0.0, (heterogeneity - (slope.size - 1)) / scale) if scale > 0 else 0.0
