"""Writes invented tables and parcel layers."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from terrafusion_lib.core.files import write_text


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
    path: Path, shapes: Sequence[bytes], columns: Mapping[str, Sequence[object]], crs: str
) -> None:
    """Shapes as the layer ``parcels`` of a GeoPackage."""
    import pyarrow as pa
    from pyogrio.raw import write_arrow

    table = pa.table({**columns, "geom": pa.array(shapes, pa.binary())})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    write_arrow(
        table,
        path,
        layer="parcels",
        driver="GPKG",
        geometry_name="geom",
        geometry_type="Unknown",
        crs=crs,
    )
