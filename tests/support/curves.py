"""Curved shapes as WKB, by GDAL: GEOS reads none."""

from pathlib import Path

from pyogrio.raw import open_arrow


def curve_wkb(texts: list[str], folder: Path) -> list[bytes]:
    """WKB of shapes in WKT, curves kept."""
    path = folder / "curves.csv"
    path.write_text("n,WKT\n" + "".join(f'{n},"{text}"\n' for n, text in enumerate(texts)))
    with open_arrow(path, use_pyarrow=True) as (meta, reader):
        return [
            wkb
            for batch in reader
            for wkb in batch[meta["geometry_name"] or "wkb_geometry"].to_pylist()
        ]
