"""The county's parcel polygons: GeoParquet with the fields of Benton's public layer."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from terrafusion_lib.demo.columns import Bools, Floats, Table, join, pick, where
from terrafusion_lib.demo.county import County
from terrafusion_lib.demo.parcels import Kind
from terrafusion_lib.demo.people import account_names
from terrafusion_lib.demo.places import ACRE, TAX_AREAS, to_degrees
from terrafusion_lib.demo.property_tables import parcel_numbers, street_address
from terrafusion_lib.demo.uses import CODES

NULL_SHARE, MULTI_SHARE = 301 / 80_076, 978 / 80_076
NUMBER_ONLY_SHARE = 0.02
"""Features without a Prop_ID that link by their (space-padded) parcel number."""


def features(county: County) -> Table:
    """Which property each feature is of (−1: none), and what is wrong with it."""
    p, rng = county.properties, county.rng("parcel layer")
    row = np.flatnonzero(np.isin(p["kind"], (Kind.LAND, Kind.UDI_PARENT)))
    row = np.concatenate([row, np.full(len(county.land.phantoms), -1)])
    polygon = np.concatenate([p["polygon"][row[row >= 0]], county.land.phantoms])
    order = np.argsort(polygon, kind="stable")
    row, polygon = row[order], polygon[order]
    owned = np.flatnonzero(row >= 0)
    sizes = [max(2, round(share * len(row)))
             for share in (NULL_SHARE, MULTI_SHARE, NUMBER_ONLY_SHARE)]  # fmt: skip
    chosen = rng.choice(owned, sum(sizes), replace=False)
    marks = np.zeros(len(row), dtype=np.int64)
    marks[chosen] = np.repeat([1, 2, 3], sizes)
    return {"row": row, "polygon": polygon, "null_id": marks == 1, "multi": marks == 2,
            "number_only": marks == 3}  # fmt: skip


def write_parcel_layer(county: County, target: Path) -> int:
    """Write the layer (EPSG:4326); returns its number of features."""
    import geopandas as gpd
    import pandas as pd

    f = features(county)
    frame = gpd.GeoDataFrame(
        pa.table(_attributes(county, f)).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get),
        geometry=_geometry(county.land.layout.corners[f["polygon"]], f["multi"]),
        crs="EPSG:4326",
    )
    frame.to_parquet(target, compression="zstd", index=False)
    return len(frame)


def _geometry(corners: Floats, multi: Bools) -> Any:
    """Polygons in degrees; `multi` are two polygons, cut apart by a strip such as a canal."""
    import shapely

    x, y = to_degrees(corners[..., 0].ravel(), corners[..., 1].ravel())
    ring = np.round(np.stack([x, y], -1), 8).reshape(-1, 4, 2)
    shapes = shapely.polygons(ring)
    a, b, c, d = (ring[multi, corner] for corner in range(4))
    near, far = 0.55, 0.62
    first = np.stack([a, a + near * (b - a), d + near * (c - d), d], 1)
    second = np.stack([a + far * (b - a), b, c, d + far * (c - d)], 1)
    pairs = shapely.polygons(np.stack([first, second], 1))
    shapes[multi] = [shapely.multipolygons(pair) for pair in pairs]
    return shapes


def _attributes(county: County, f: Table) -> Table:
    """Attribute columns; a phantom has only a number that no property has."""
    p, b = county.properties, county.buildings
    count = len(f["row"])
    owned = f["row"] >= 0
    row = np.maximum(f["row"], 0)
    known = owned & ~f["null_id"]
    number = parcel_numbers(county).take(pa.array(row))
    stray = join("199990000", pa.array(800_000 + np.arange(count)).cast(pa.string()))
    number = where(f["number_only"], join(number, "  "), where(owned, number, stray))
    corners = county.land.layout.corners[f["polygon"]]
    x, y = to_degrees(*corners.mean(axis=1).T)
    main = county.people.main_owner(len(p["prop_id"]))[row]
    names = where(county.people.confidential[main], "CONFIDENTIAL OWNER",
                  account_names(county.people).take(pa.array(main)))  # fmt: skip
    hoods = county.land.hoods
    situs = join(*street_address(county, row, np.zeros_like(row)), separator=" ")
    ground, building = county.values.land[row, -1], county.values.improvement[row, -1]
    columns: Table = {
        "owner_name": names, "geo_id": number,
        "situs_address": situs, "tax_code_area": pick(TAX_AREAS, p["tax_area"][row]),
        "appraised_val": (ground + building).astype(float),
        "neighborhood_name": pick(hoods["name"].tolist(), p["hood"][row]),
        "neighborhood_code": pick(hoods["code"].tolist(), p["hood"][row]),
        "legal_acres": p["acres"][row], "land_sqft": np.round(p["acres"][row] * ACRE, 1),
        "year_blt": where(b["built"][row] > 0, b["built"][row]),
        "primary_use": pick([code or None for code in CODES], p["use"][row]),
        "cycle": hoods["cycle"][p["hood"][row]], "LandVal": ground.astype(float),
        "imprv_val": building.astype(float),
    }  # fmt: skip
    columns = {name: where(known, column) for name, column in columns.items()}
    columns["geo_id"] = where(~f["null_id"], number)
    return {
        "OBJECTID": np.arange(1, count + 1), "Parcel_ID": where(~f["null_id"], number),
        "Prop_ID": where(known & ~f["number_only"], p["prop_id"][row]),
        "CENTROID_X": np.round(x, 7), "CENTROID_Y": np.round(y, 7), **columns,
    }  # fmt: skip


def linked(f: Table) -> Bools:
    """Features that link to a property, by Prop_ID or by parcel number."""
    return np.asarray((f["row"] >= 0) & ~f["null_id"])
