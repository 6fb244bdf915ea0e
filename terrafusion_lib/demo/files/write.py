"""Writes invented tables and parcel layers."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from terrafusion_lib.core.files import write_text
from terrafusion_lib.demo.files.place import COLUMNS


def write_delimited(
    path: Path, names: str, rows: Iterable[Sequence[object]], delimiter: str = ","
) -> None:
    """A delimited file with a header; `names` are separated by blanks."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(names.split())
    writer.writerows(rows)
    write_text(path, text.getvalue())


def write_fixed_width(path: Path, names: str, rows: Sequence[Sequence[object]]) -> None:
    """A fixed-width file without a header, and beside it the layout: name, start, length."""
    columns = names.split()
    texts = [[str(value) for value in row] for row in rows]
    widths = [max(map(len, column)) + 1 for column in zip(*texts, strict=True)]
    lines = [
        "".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in texts
    ]
    write_text(path, "".join(f"{line}\n" for line in lines))
    starts = [1 + sum(widths[:number]) for number in range(len(widths))]
    layout = zip(columns, starts, widths, strict=True)
    write_delimited(path.with_name(f"{path.stem}_LAYOUT.csv"), "name start length", layout)


def write_layer(
    path: Path, shapes: Sequence[Any], columns: Mapping[str, Sequence[object]], crs: str
) -> None:
    """Polygons as the layer ``parcels`` of a GeoPackage."""
    import geopandas

    frame = geopandas.GeoDataFrame(dict(columns), geometry=list(shapes), crs=crs)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    frame.to_file(path, driver="GPKG", layer="parcels")


def lot_shapes(lots: int, *, west: float, south: float, width: float, depth: float) -> list[Any]:
    """Rectangles of lots along streets, in the units of the layer."""
    import shapely

    number = np.arange(lots)
    x = west + width * (number % COLUMNS)
    y = south + depth * 1.25 * (number // COLUMNS)
    return list(shapely.box(x, y, x + width, y + depth))


def street_shapes(lots: int, *, west: float, south: float, width: float, depth: float) -> list[Any]:
    """The strips between the rows of lots, which belong to no property."""
    import shapely

    row = np.arange(-(-lots // COLUMNS))
    y = south + depth * (1.25 * row + 1)
    return list(shapely.box(west, y, west + width * COLUMNS, y + 0.25 * depth))
