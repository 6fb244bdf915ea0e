"""Layers that hold characteristics (land, improvements): live rows and rows frozen at sales.

PACS keeps every layer whole. The demo county keeps the characteristics of the appraisal year and
the year before whole, of the future layer (year 0) a tenth, and of older years none: their values
are in the value tables.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from terrafusion_lib.demo.columns import Floats, Ints, rounded, year_of
from terrafusion_lib.demo.county import County

WHOLE_YEARS = 2
FROZEN_SHARE = 0.12
"""Share of recent priced sales whose characteristics were frozen."""


@dataclass(frozen=True)
class Snapshot:
    """Rows of one (year, supplement) in key order: live (sale_id 0), then frozen at sales."""

    year: int
    sup: int
    rows: Ints
    sale_id: Ints
    factor: Floats
    """Scale of improvements (value and main area): below 1 where superseded or frozen before an
    improvement."""
    land_factor: Floats
    column: int
    """Column of the value arrays."""

    def land(self, county: County) -> Ints:
        """Land market value of each row, dollars."""
        values = county.values.land[self.rows, self.column]
        return rounded(values * self.land_factor * self._growth, 10)

    def improvement(self, county: County) -> Ints:
        """Improvement value of each row, dollars; 0 before it was built."""
        values = county.values.improvement[self.rows, self.column]
        return rounded(values * self.factor * self._growth, 10)

    def of(self, positions: Ints) -> "Snapshot":
        """The snapshot of some of its rows."""
        return Snapshot(self.year, self.sup, self.rows[positions], self.sale_id[positions],
                        self.factor[positions], self.land_factor[positions],
                        self.column)  # fmt: skip

    @property
    def _growth(self) -> float:
        return 1.03 if self.year == 0 else 1.0


@dataclass(frozen=True)
class Frozen:
    """Frozen parcels of sales: row of `Sales`, property row, year layer and its supplement."""

    sale: Ints
    row: Ints
    year: Ints
    sup: Ints


def frozen_sales(county: County) -> Frozen:
    """Recent priced sales whose characteristics PACS froze, with every parcel of them."""
    sales, rng = county.sales, county.rng("frozen")
    recent = (year_of(sales.date) > county.year - WHOLE_YEARS) & (sales.price > 0)
    candidates = np.flatnonzero(recent & ~sales.land_only)
    size = max(min(4, len(candidates)), round(FROZEN_SHARE * len(candidates)))
    chosen = np.zeros(len(sales.date), dtype=np.bool_)
    chosen[rng.choice(candidates, size, replace=False)] = True
    pairs = np.flatnonzero(chosen[sales.parcel_sale])
    sale, row = sales.parcel_sale[pairs], sales.parcel[pairs]
    year = year_of(sales.date)[sale]
    sup = np.zeros(len(sale), dtype=np.int64)
    for layer_year in np.unique(year):
        rows, numbers = county.roll.current[int(layer_year)]
        by_row = np.zeros(len(county.properties["prop_id"]), dtype=np.int64)
        by_row[rows] = numbers
        sup = np.where(year == layer_year, by_row[row], sup)
    return Frozen(sale, row, year, sup)


def snapshots(county: County) -> Iterator[Snapshot]:
    """All layers with characteristics, in key order."""
    frozen = frozen_sales(county)
    years = county.values.years
    for layer in county.roll.layers:
        if 0 < layer.year <= county.year - WHOLE_YEARS:
            continue
        live, factor = layer.rows, layer.factor
        if layer.year == 0:
            tenth = county.properties["prop_id"][live] % 10 == 0
            live, factor = live[tenth], factor[tenth]
        here = np.flatnonzero((frozen.year == layer.year) & (frozen.sup == layer.sup))
        here = here[np.lexsort((frozen.row[here], frozen.sale[here]))]
        sale = frozen.sale[here]
        yield Snapshot(
            layer.year,
            layer.sup,
            np.concatenate([live, frozen.row[here]]),
            np.concatenate([np.zeros(len(live), dtype=np.int64), county.sales.transfer[sale]]),
            np.concatenate([factor, county.sales.area_share[sale]]),
            np.concatenate([factor, np.ones(len(sale))]),
            len(years) - 1 if layer.year == 0 else years.index(layer.year),
        )
