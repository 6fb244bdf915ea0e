"""Year layers and supplements: which rows the roll of each year has, and which one counts."""

from dataclasses import dataclass

import numpy as np

from terrafusion_lib.demo.columns import Ints, Table
from terrafusion_lib.demo.parcels import Kind
from terrafusion_lib.demo.values import Layer

CORRECTED_SUP, DELETED_SUP, PENDING_SUP = 2, 1, 3
STALE_FACTOR = 0.8
"""Values and areas of a superseded row, relative to the row that replaced it."""


@dataclass(frozen=True)
class Roll:
    """All layers in key order, and the supplement that counts by year and property."""

    layers: tuple[Layer, ...]
    current: dict[int, tuple[Ints, Ints]]
    """Year → (property rows, supplement numbers)."""


def build_roll(
    p: Table, years: tuple[int, ...], superseded: Ints, pending: Ints, rng: np.random.Generator
) -> Roll:
    """Layers of every year of `years` and of the future (year 0).

    In the appraisal year supplement 2 corrects `superseded`, supplement 1 deletes, supplement 3
    corrects `pending` but is not accepted yet. Earlier years have their own corrections.
    """
    everything = np.arange(len(p["prop_id"]))
    future = everything[p["kind"] <= Kind.UDI_CHILD]
    layers = [Layer(0, 0, future, np.ones(len(future)))]
    current = {0: (future, np.zeros(len(future), dtype=np.int64))}
    for year in years:
        rows = everything[p["created"] <= year]
        sup = np.zeros(len(rows), dtype=np.int64)
        last = year == years[-1]
        fixed = superseded if last else np.sort(rng.choice(rows, max(1, len(rows) // 120)))
        fixed = np.unique(fixed)
        extra = [(CORRECTED_SUP, fixed, "M")]
        if last:
            gone = everything[p["kind"] == Kind.DELETED]
            extra = [(DELETED_SUP, gone, "D"), *extra, (PENDING_SUP, pending, "M")]
        factor = np.where(np.isin(rows, fixed), STALE_FACTOR, 1.0)
        layers.append(Layer(year, 0, rows, factor))
        for number, some, action in extra:
            stale = 1.15 if number == PENDING_SUP else 1.0
            layers.append(Layer(year, number, some, np.full(len(some), stale), action))
            if number != PENDING_SUP:
                sup[np.isin(rows, some)] = number
        current[year] = (rows, sup)
    return Roll(tuple(layers), current)
