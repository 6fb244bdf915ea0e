"""Parcel maps: the only file that imports lonboard.

lonboard's browser code fetches a Parquet decoder and a triangulation worker from a CDN, so without
internet access its map stays empty. Here layers are sent as plain Arrow, which needs no decoder,
and polygons are triangulated in the page.

Lonboard has no option for either: the decoder's address (``cdn.jsdelivr.net/npm/parquet-wasm``) is
a constant of its bundle, requested before the first layer is drawn, and the worker's
(``earcutWorkerUrl``) is a property of deck.gl's layer that no trait of lonboard sets. So both are
replaced in the bundle's text. This depends on lonboard 0.17.0, the newest version, which the
package pins; other versions are rejected. `OFFLINE` can go when lonboard accepts the addresses as
options.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import lonboard
import lonboard._serialization as lonboard_serialization
import numpy as np
import pyarrow as pa
from lonboard import PolygonLayer
from lonboard._map import bundler_output_dir

from terrafusion_lib.core.errors import MissingDependencyError
from terrafusion_lib.core.numbers import number
from terrafusion_lib.geo.class_breaks import Classes, class_breaks
from terrafusion_lib.ui.html import Html, styled, text

WIDTH_PIXELS = 800  # of a notebook next to its file list, the narrowest place for a map
NO_VALUE = "#d9d9d9"
NO_CLASSES = Classes(np.nan, np.nan, (), (NO_VALUE,))
ITEM = 'style="display: inline-block; margin-right: 16px"'
SWATCH = "display: inline-block; width: 14px; height: 14px; margin-right: 5px; vertical-align: -2px"
"""Inline styles, because notebooks show the legend without the dashboards' style sheet."""
OFFLINE = (
    (
        r"async function ([\w$]+)\(\)\{[\w$]+\|\|\(await [\w$]+\([\w$]+\),[\w$]+=!0\)\}",
        r"async function \1(){}",
    ),
    (
        (
            r'function ([\w$]+)\((\w)\)\{if\(![\w$]+\)throw new Error\("wasm not ready"\);.*?'
            r"intoIPCStream\(\),\w=([\w$]+)\(\w\);[^}]*\}"
        ),
        r"function \1(\2){return \3(new Uint8Array(\2.buffer,\2.byteOffset,\2.byteLength))}",
    ),
    (r'earcutWorkerUrl:"https://[^"]+"', "earcutWorkerUrl:null"),
)


@cache
def offline_module() -> str:
    """Lonboard's browser code without its outside addresses.

    Raises
    ------
    MissingDependencyError
        Another version of lonboard is installed.
    """
    code = (bundler_output_dir / "index.js").read_text(encoding="utf-8")
    for pattern, replacement in OFFLINE:
        code, replaced = re.subn(pattern, replacement, code, count=1)
        if not replaced:
            raise MissingDependencyError(
                f"lonboard {lonboard.__version__} is not the version that maps require",
                hint="pip install lonboard==0.17.0",
            )
    return code


def _as_arrow_stream(batch: Any) -> bytes:
    converted = pa.record_batch(batch)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, converted.schema) as writer:
        writer.write_batch(converted)
    return bytes(sink.getvalue())


lonboard_serialization.write_parquet_batch = _as_arrow_stream  # type: ignore[assignment]


class OfflineMap(lonboard.Map):
    """A lonboard map that needs no network."""

    _esm = offline_module()  # type: ignore[assignment]


def parcel_map(
    parcels: pa.Table,
    *,
    column: str,
    center: float | None = None,
    height: int = 520,
    hover: Sequence[str] = (),
) -> "OfflineMap":
    """Parcels colored by classes of a numeric column; see `legend`.

    Parameters
    ----------
    parcels : pa.Table
        Columns ``geometry`` (WKB, WGS 84), `column`, and those of `hover`.
    center : float, optional
        Value from which the colors diverge, such as 0 for changes.
    hover : sequence of str
        Columns shown when a parcel is clicked.
    """
    import geopandas as gpd
    import shapely

    values = _numbers(parcels, column)
    shapes = shapely.from_wkb(np.array(parcels["geometry"].to_pylist(), dtype=object))
    frame = gpd.GeoDataFrame(
        {name: parcels[name].to_pylist() for name in hover}, geometry=shapes, crs="EPSG:4326"
    )
    classes = class_breaks(values, center=center) or NO_CLASSES
    colors = np.array([_rgb(color) for color in (*classes.colors, NO_VALUE)], np.uint8)
    layer = PolygonLayer.from_geopandas(
        frame,
        get_fill_color=colors[classes.class_of(values)],
        get_line_color=[255, 255, 255, 120],
        line_width_min_pixels=0.4,
        pickable=bool(hover),
    )
    return OfflineMap(
        layers=[layer],
        basemap=None,  # type: ignore[arg-type]
        height=height,
        view_state=_whole(shapely.total_bounds(shapes), height),
    )


def _whole(bounds: np.ndarray, height: int) -> dict[str, float]:
    """The view that shows `bounds` (degrees) with a margin of a tenth."""
    west, south, east, north = (float(edge) for edge in bounds)
    latitude = (south + north) / 2
    per_degree = 512 / 360 * 1.1  # pixels at zoom 0, with the margin
    across = WIDTH_PIXELS / max(east - west, 1e-4)
    down = height * np.cos(np.radians(latitude)) / max(north - south, 1e-4)
    zoom = float(np.clip(np.log2(min(across, down) / per_degree), 0, 20))
    return {"longitude": (west + east) / 2, "latitude": latitude, "zoom": zoom}


def legend(parcels: pa.Table, *, column: str, title: str, center: float | None = None) -> Html:
    """Color, limits and number of parcels of each class."""
    values = _numbers(parcels, column)
    classes = class_breaks(values, center=center) or NO_CLASSES
    of_parcel = classes.class_of(values)
    limits = [-np.inf, *classes.breaks, np.inf]
    items = [
        (color, _range(limits[k], limits[k + 1]), int((of_parcel == k).sum()))
        for k, color in enumerate(classes.colors)
    ]
    items.append((NO_VALUE, "no value", int((of_parcel < 0).sum())))
    drawn = "".join(
        f'<span {ITEM}><span class="swatch" style="{SWATCH}; background: {color}"></span>'
        f"{text(label)} (n {count:,})</span>"
        for color, label, count in items
        if count
    )
    return styled(f'<p class="note">{text(title)}</p><div class="legend">{drawn}</div>')


def _numbers(parcels: pa.Table, column: str) -> np.ndarray:
    return np.asarray(parcels[column].cast(pa.float64()).to_numpy(), dtype=float)


def _range(low: float, high: float) -> str:
    if np.isinf(low):
        return f"below {number(float(high))}" if np.isfinite(high) else "all"
    return (
        f"{number(float(low))} and more"
        if np.isinf(high)
        else f"{number(float(low))} – {number(float(high))}"
    )


def _rgb(color: str) -> list[int]:
    return [int(color[place : place + 2], 16) for place in (1, 3, 5)]
