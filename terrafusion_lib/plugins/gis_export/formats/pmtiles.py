"""PMTiles: vector tiles in one file, served to web maps by plain HTTP."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.geo.crs import Floats
from terrafusion_lib.plugins.gis_export.format import ExportFormat, Styles
from terrafusion_lib.plugins.gis_export.select.shapes import (
    Shapes,
    objects,
)
from terrafusion_lib.plugins.gis_export.write.export_layer import ExportLayer
from terrafusion_lib.plugins.gis_export.write.gdal import write_layer
from terrafusion_lib.plugins.gis_export.write.whole_file import incomplete

TILE_BYTES, TILE_FEATURES = 20_000_000, 1_000_000
"""Large enough that GDAL drops no parcel from a tile."""

TYPES = {pa.date32(): pa.string()}
"""Tiles know no dates: they are text as ISO 8601 has it."""
WEB_MAP = "EPSG:3857"
SIMPLIFIED = 1
"""Tile units by which corners may move below the last zoom; more would distort parcels."""
WORLD_METERS, TILE_UNITS = 40_075_017.0, 4096
NARROW_UNITS = 2
"""Shapes narrower than this may vanish at the last zoom."""


def write(layers: Sequence[ExportLayer], path: Path) -> None:
    """Write the layer's tiles.

    At the last zoom (15: to about 0.3 m) every record is present; only shapes narrower than two
    tile units are not drawn. Farther out parcels have fewer corners.

    Raises
    ------
    ExportError
        The file could not be written, or lacks records.
    """
    (layer,) = layers
    options = {
        "MINZOOM": str(layer.zooms[0]),
        "MAXZOOM": str(layer.zooms[1]),
        "SIMPLIFICATION": str(SIMPLIFIED),
        "SIMPLIFICATION_MAX_ZOOM": "0",
        "MAX_SIZE": str(TILE_BYTES),
        "MAX_FEATURES": str(TILE_FEATURES),
        "NAME": layer.name,
        "DESCRIPTION": layer.meaning,
    }
    write_layer(
        layer,
        path,
        driver="PMTiles",
        name=layer.name,
        multi=True,
        types=TYPES,
        dataset_options=options,
    )
    _check(layer, path)


def _check(layer: ExportLayer, path: Path) -> None:
    """Check that each record is in a tile of the largest zoom: GDAL does not report a full disk.

    Raises
    ------
    ExportError
        A record wide enough to be drawn is missing.
    """
    from pyogrio.raw import read_arrow

    try:
        tiles = read_arrow(path, columns=list(layer.key), read_geometry=False)[1]
    except RuntimeError as error:
        raise incomplete(path) from error
    fields = {item.name: item for item in layer.fields}
    keys = [fields[name].part(0, layer.records) for name in layer.key]
    drawn = pc.is_in(_joined(keys), value_set=_joined([tiles[name] for name in layer.key]))
    missing = layer.shapes.rows.filter(pc.invert(drawn))
    narrow = NARROW_UNITS * WORLD_METERS / TILE_UNITS / 2 ** layer.zooms[1]
    if len(missing) and _widths(replace(layer.shapes, rows=missing)).max() > narrow:
        raise incomplete(path)


def _joined(keys: Sequence[pa.Array]) -> pa.Array:
    """One text per record, of all parts of its key."""
    parts = [pc.fill_null(part.cast(pa.string()), "") for part in keys]
    joined = pc.binary_join_element_wise(*parts, "\x1f")
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def _widths(shapes: Shapes) -> Floats:
    """The shorter side of each record's box, meters of the web map."""
    import shapely

    projected = shapes.part(0, len(shapes), WEB_MAP, multi=False)
    west, south, east, north = shapely.bounds(shapely.from_wkb(objects(projected))).T
    return np.asarray(np.minimum(east - west, north - south), dtype=float)


FORMAT = ExportFormat(
    title="PMTiles vector tiles",
    suffix=".pmtiles",
    write=write,
    size_factor=2.5,
    crs=WEB_MAP,
    styles=Styles.NONE,
)
