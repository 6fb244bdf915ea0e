"""Totals of a layer, for comparing source and target, and the counts of a load."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from terrafusion_lib.core.errors import LoadError
from terrafusion_lib.geo.repair import CENTROID, GEOMETRY
from terrafusion_lib.geometry.parcel_layer import (
    ParcelLayer,
)

HUNDREDTHS = 100
MILLIONTHS = 1_000_000
"""Parts of a unit in which coordinates are summed."""
LARGEST = 9e13
"""Numbers this large, or not finite, are counted but not summed."""
CORNERS = ("xmin", "ymin", "xmax", "ymax", "x", "y")
"""Bounds of the shape, then its centroid."""
AREA_TOLERANCE = 1e-9


@dataclass(frozen=True)
class LayerTotals:
    """What is compared between source and target.

    Parameters
    ----------
    area : float
        Sum of the plane areas in the layer's own units.
    counts : dict
        Non-null values, by column.
    sums : dict
        Sum of each column of numbers: in whole hundredths, integers unchanged; null if there is
        nothing to sum.
    corners : dict
        Sums of `CORNERS` in whole millionths of the layer's unit.
    """

    rows: int
    area: float
    counts: dict[str, int]
    sums: dict[str, int | None]
    corners: dict[str, int | None]

    def differences(self, other: "LayerTotals") -> list[str]:
        """Differences; plane areas may differ by the rounding of their sum."""
        different = []
        if abs(self.area - other.area) > AREA_TOLERANCE * max(self.area, other.area):
            different.append(f"area: {self.area} and {other.area}")
        mine, theirs = self.exact(), other.exact()
        names = dict.fromkeys([*mine, *theirs])
        return different + [
            f"{name}: {mine.get(name)} and {theirs.get(name)}"
            for name in names
            if mine.get(name) != theirs.get(name)
        ]

    def exact(self) -> dict[str, int | None]:
        """Exactly compared figures, by name."""
        counts = {f"values of {name}": count for name, count in self.counts.items()}
        sums = {f"sum of {name}": total for name, total in self.sums.items()}
        return {"rows": self.rows} | counts | sums | self.corners


def layer_totals(table: pa.Table) -> LayerTotals:
    """Totals of a table of shapes, computed here, not by the target."""
    import shapely

    shapes = shapely.from_wkb(table[GEOMETRY].to_numpy())
    points = shapely.get_coordinates(shapely.from_wkb(table[CENTROID].to_numpy()))
    corners = [*shapely.bounds(shapes).T, *points.T]
    return LayerTotals(
        table.num_rows,
        float(np.sum(shapely.area(shapes))),
        {name: table.num_rows - table[name].null_count for name in table.column_names},
        {field.name: _sum(table[field.name]) for field in table.schema if is_number(field.type)},
        {
            name: exact_sum(np.floor(values * MILLIONTHS + 0.5))
            for name, values in zip(CORNERS, corners, strict=True)
        },
    )


def is_number(kind: pa.DataType) -> bool:
    """Whether a column is summed."""
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _sum(column: pa.ChunkedArray) -> int | None:
    values = column.drop_null().to_numpy()
    if pa.types.is_integer(column.type):
        return exact_sum(values)
    small = values[np.abs(values) < LARGEST]  # NaN is not less
    return exact_sum(np.floor(small * HUNDREDTHS + 0.5))


def exact_sum(values: NDArray[Any]) -> int | None:
    """Sum of whole numbers without overflow; null of nothing."""
    if not len(values):
        return None
    whole = values.astype(np.int64)
    high, low = whole >> 32, whole & 0xFFFFFFFF
    return (int(high.sum()) << 32) + int(low.sum())


def check_layer(layer: ParcelLayer, source: LayerTotals, target: LayerTotals) -> None:
    """Compare what was sent with what was stored.

    Raises
    ------
    LoadError
        They differ; the old layer remains.
    """
    differing = source.differences(target)
    if differing:
        raise LoadError(
            "The parcels that were stored do not match those that were sent",
            county=layer.county_id,
            table=layer.name,
            count=len(differing),
            examples=[f"sent and stored: {text}" for text in differing],
            cause="a trigger or rule on the table, or another program, changes the rows",
            hint="the old layer remains; remove the trigger and run again",
        )


def check_not_emptied(layer: ParcelLayer, stored: int | None, *, remove: str) -> None:
    """Reject an empty layer if the store has parcels.

    Parameters
    ----------
    stored : int or None
        Rows of the stored layer.
    remove : str
        How to remove the stored layer by hand.

    Raises
    ------
    LoadError
        The layer is empty but the stored one is not.
    """
    if stored and not layer.table.num_rows:
        raise LoadError(
            "The new parcel layer is empty, but the published one is not",
            county=layer.county_id,
            table=layer.name,
            count=stored,
            cause="the source sent no features, or none with a publishable shape",
            hint=f"check the source; to publish an empty layer, {remove}, then run again",
        )


@dataclass(frozen=True)
class LayerLoad:
    """Counts of a load; read = inserted + updated + unchanged."""

    read: int
    inserted: int
    updated: int
    unchanged: int
    deleted: int
    totals: LayerTotals
