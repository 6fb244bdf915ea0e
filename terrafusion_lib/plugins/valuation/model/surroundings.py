"""The surroundings of a location: mean traits of the nearest other parcels, sold or not."""

import numpy as np
from scipy.spatial import cKDTree

from terrafusion_lib.stats.strata import BoolArray, FloatArray

NEIGHBORS = 15
BATCH = 16_384


def means_around(
    described: FloatArray, x_feet: FloatArray, y_feet: FloatArray, located: BoolArray
) -> FloatArray:
    """Mean of each column over the `NEIGHBORS` nearest other located parcels.

    Parameters
    ----------
    described : array, parcels x columns
        Values to average; NaN (unknown) excludes the parcel from that mean.
    x_feet, y_feet : array
        Plane coordinates of the parcels, feet.
    located : array of bool
        Parcels with their own coordinates; others are never neighbors.

    Returns
    -------
    array, parcels x columns
        NaN without known neighbors. Uses no prices, so no market information can leak.
    """
    means = np.full(described.shape, np.nan)
    there = np.flatnonzero(located)
    if there.size < 2:
        return means
    tree = cKDTree(np.column_stack([x_feet[there], y_feet[there]]))
    count = min(NEIGHBORS + 1, there.size)
    for first in range(0, x_feet.size, BATCH):
        rows = np.arange(first, min(first + BATCH, x_feet.size))
        where = np.column_stack([x_feet[rows], y_feet[rows]])
        near = there[tree.query(where, k=np.arange(1, count + 1))[1]]
        values = described[near]
        values[near == rows[:, None]] = np.nan
        known = np.isfinite(values)
        total = np.where(known, values, 0.0).sum(axis=1)
        number = known.sum(axis=1)
        means[rows] = np.where(number > 0, total / np.maximum(number, 1), np.nan)
    return means
