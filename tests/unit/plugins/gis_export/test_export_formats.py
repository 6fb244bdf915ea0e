"""Every format is read back, by GDAL's own program and by geopandas, and holds the same."""

import json
import os
import re
import subprocess
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from terrafusion_lib.plugins.gis_export.errors import ExportError
from terrafusion_lib.plugins.gis_export.format import FORMATS, load_format
from terrafusion_lib.plugins.gis_export.formats.shapefile import shortened
from terrafusion_lib.plugins.gis_export.params import GisExportParams
from terrafusion_lib.plugins.gis_export.plan import make_plan
from terrafusion_lib.plugins.gis_export.write.shapefile_parts import check_whole
from tests.support.gis_county import COUNT, GridCounty, areas, shapes
from tests.support.gis_files import full_names, opened
from tests.support.require import require_program

NAMES = FORMATS.names()
ATTRIBUTES = (
    "parcel_number",
    "situs_address",
    "year_built",
    "is_waterfront",
    "current_market_value",
    "last_sale_date",
    "estimated_value",
)
NOT_IN_OGRINFO = {"geoparquet": "no Parquet driver", "pmtiles": "its GDAL is older than PMTiles"}
OGR_TYPES = {
    "property_id": {"String"},
    "year_built": {"Integer"},
    "is_waterfront": {"Integer(Boolean)", "Integer(Int16)", "Integer", "String"},
    "current_market_value": {"Real"},
    "last_sale_date": {"Date", "DateTime", "String"},
}
EXACT_DATES = {"geopackage", "geojson", "geojson_sequence", "shapefile", "csv_wkt"}

TEXT_DATES = {"kml", "kmz", "pmtiles"}


@pytest.fixture(scope="module")
def county() -> GridCounty:
    return GridCounty()


def written(county: GridCounty, folder: Path, name: str, **params: Any) -> dict[str, Path]:
    """Write an export; the files by layer."""
    plan = make_plan(county.context(), GisExportParams(export_format=name, **params))
    for file, write in plan.files().items():
        write(folder / file)
    return {layer.name: folder / plan.file_of(layer) for layer in plan.layers}


@pytest.mark.parametrize("name", NAMES)
def test_geopandas_reads_the_same(county: GridCounty, tmp_path: Path, name: str) -> None:
    path = written(county, tmp_path, name, attributes=ATTRIBUTES)["parcels"]
    frame = opened(path, "parcels", name).sort_values("property_id", ignore_index=True)
    roll = county.tables["properties_operational"].to_pandas().set_index("property_id")
    expected = roll.drop("1001").sort_index()
    assert frame["property_id"].tolist() == expected.index.tolist()
    crs = load_format(name).crs or "EPSG:2927"
    assert frame.crs == crs
    same = np.testing.assert_allclose
    value = pd.to_numeric(frame["current_market_value"])
    same(value, expected["current_market_value"])
    same(pd.to_numeric(frame["estimated_value"]), [210_000.0] * (COUNT - 2) + [np.nan])
    same(pd.to_numeric(frame["year_built"]), expected["year_built"])
    assert frame["situs_address"][0] == "0 Señor Peña Ln"
    assert not frame["situs_address"].iloc[-1] or pd.isna(frame["situs_address"].iloc[-1])
    flags = frame["is_waterfront"].map({"true": True, "false": False}.get, na_action="ignore")
    flags = flags.fillna(frame["is_waterfront"])
    assert [bool(int(flag)) for flag in flags[:-1]] == expected["is_waterfront"][:-1].tolist()
    sold = pd.to_datetime(frame["last_sale_date"]).dt.date
    assert sold[:-1].tolist() == expected["last_sale_date"][:-1].tolist()
    truth = gpd.GeoSeries(
        shapely.from_wkb(county.tables["parcels_geometry"]["geometry"].to_pylist()[:-1]),
        crs="EPSG:4326",
    )
    tolerance = 0.02 if name == "pmtiles" else 2e-5
    same(areas(frame.geometry), areas(truth), rtol=tolerance)


@pytest.mark.parametrize("name", NAMES)
def test_ogrinfo_reads_the_same(county: GridCounty, tmp_path: Path, name: str) -> None:
    if name in NOT_IN_OGRINFO:
        pytest.skip(NOT_IN_OGRINFO[name])
    program = require_program("ogrinfo", "gdal-bin")
    path = written(county, tmp_path, name, attributes=ATTRIBUTES)["parcels"]
    source = f"/vsizip/{path}" if path.suffix == ".zip" else str(path)
    done = subprocess.run(
        [program, "-ro", "-so", "-al", source], capture_output=True, text=True, check=True
    )
    assert f"Feature Count: {COUNT - 1}" in done.stdout
    code = (load_format(name).crs or "EPSG:2927").partition(":")[2]
    assert f'ID["EPSG",{code}]' in done.stdout
    types = dict(re.findall(r"^(\w+): ([\w()]+?) \(", done.stdout, re.MULTILINE))
    if name == "shapefile":
        types = {full_names(path, "parcels").get(key, key): value for key, value in types.items()}
    for attribute, allowed in OGR_TYPES.items():
        assert types[attribute] in allowed, attribute
    if name in EXACT_DATES:
        assert types["last_sale_date"] == "Date"


@pytest.mark.parametrize("name", NAMES)
def test_points_and_outlines_are_written(county: GridCounty, tmp_path: Path, name: str) -> None:
    layers = ("sales", "neighborhoods")
    paths = written(county, tmp_path, name, layers=layers)
    if name == "shapefile":
        sales, hoods = (gpd.read_file(f"{path}!{layer}.shp") for layer, path in paths.items())
    else:
        sales, hoods = (opened_points(path, layer, name) for layer, path in paths.items())
    assert len(sales) == 12
    assert set(sales.geom_type) <= {"Point", "MultiPoint"}
    assert len(hoods) == 2
    assert set(hoods.geom_type) <= {"Polygon", "MultiPolygon"}


def opened_points(path: Path, layer: str, name: str) -> gpd.GeoDataFrame:
    frame = opened(path, layer, name) if name != "pmtiles" else gpd.read_file(path)
    key = "sale_id" if layer == "sales" else "neighborhood_code"
    return frame.drop_duplicates(key) if name == "pmtiles" else frame


def test_several_layers_lie_in_one_geopackage_with_their_styles(
    county: GridCounty, tmp_path: Path
) -> None:
    paths = written(county, tmp_path, "geopackage", layers=("parcels", "sales"))
    assert set(paths.values()) == {tmp_path / "grid_wa_2026.gpkg"}
    styles = gpd.read_file(paths["parcels"], layer="layer_styles")
    assert styles["f_table_name"].tolist() == ["parcels", "sales"]
    assert styles["styleQML"].str.contains("graduatedSymbol").all()


def test_geoparquet_follows_the_specification(county: GridCounty, tmp_path: Path) -> None:
    path = written(county, tmp_path, "geoparquet", crs="EPSG:4326")["parcels"]
    file = pq.ParquetFile(path)
    geo = json.loads(file.metadata.metadata[b"geo"])
    column = geo["columns"]["geometry"]
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    assert column["encoding"] == "WKB"
    assert column["geometry_types"] == ["Polygon", "MultiPolygon"]
    assert column["crs"]["id"] == {"authority": "EPSG", "code": 4326}
    west, south, east, north = gpd.read_parquet(path).total_bounds
    assert column["bbox"] == pytest.approx([west, south, east, north])
    some = gpd.read_parquet(path, bbox=(west, south, west + 1e-5, north))
    assert 0 < len(some) < COUNT / 4


def test_a_shapefile_says_what_its_fields_mean_and_what_was_cut(
    county: GridCounty, tmp_path: Path
) -> None:
    path = written(county, tmp_path, "shapefile")["parcels"]
    fields = pd.read_csv(f"zip://parcels_fields.csv::{path}").set_index("attribute")
    assert fields["field"].str.len().max() <= 10
    assert fields["field"].str.casefold().is_unique
    assert fields.loc["neighborhood_code", "field"] == "nbhd_code"
    assert fields.loc["legal_description", "texts_cut"] == 1
    frame = gpd.read_file(path)
    legal = frame[fields.loc["legal_description", "field"]]
    assert max(len(text.encode()) for text in legal.dropna()) <= 254


def test_the_field_map_of_a_shapefile_names_fields_that_are_there(
    county: GridCounty, tmp_path: Path
) -> None:
    rename = {"current_market_value": "größenänderung", "situs_city": "größen:x"}
    path = written(county, tmp_path, "shapefile", rename=rename)["parcels"]
    fields = pd.read_csv(f"zip://parcels_fields.csv::{path}")
    frame = gpd.read_file(path)
    assert [name for name in frame.columns if name != "geometry"] == fields["field"].tolist()
    with zipfile.ZipFile(path) as archive:
        style = archive.read("parcels.qml").decode()
    renamed = fields.set_index("attribute")["field"]
    assert f'attr="{renamed["größenänderung"]}"' in style


@pytest.mark.parametrize("suffix", ["dbf", "shp", "shx"])
@pytest.mark.parametrize("left", [0, 20, 5_000])
def test_a_part_of_a_shapefile_that_ends_early_is_noticed(
    county: GridCounty, tmp_path: Path, suffix: str, left: int
) -> None:
    path = written(county, tmp_path, "shapefile", attributes=("year_built",))["parcels"]
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
    whole = tmp_path / "parcels.shp"
    names = [name for name in gpd.read_file(whole).columns if name != "geometry"]
    check_whole(whole, COUNT - 1, names)
    part = whole.with_suffix(f".{suffix}")
    os.truncate(part, min(left, part.stat().st_size - 8))
    with pytest.raises(ExportError, match=f"parcels.{suffix} is not complete"):
        check_whole(whole, COUNT - 1, names)


def test_tiles_show_the_county_from_afar(county: GridCounty, tmp_path: Path) -> None:
    import pyogrio

    path = written(county, tmp_path, "pmtiles", attributes=("year_built",))["parcels"]
    whole = areas(gpd.read_file(path).geometry.buffer(0)).sum()
    for zoom in (9, 12):
        frame = pyogrio.read_dataframe(path, ZOOM_LEVEL=zoom)
        assert frame["property_id"].nunique() == COUNT - 1
        assert areas(frame.geometry).sum() == pytest.approx(whole, rel=0.3)


def test_zooms_of_tiles_can_be_chosen(county: GridCounty, tmp_path: Path) -> None:
    path = written(county, tmp_path, "pmtiles", min_zoom=11, max_zoom=13)["parcels"]
    header = path.read_bytes()[:127]
    assert (header[100], header[101]) == (11, 13)


def test_texts_are_cut_between_letters() -> None:
    import pyarrow as pa

    cut, count = shortened(pa.array(["é" * 200, None, "short"]), 255)
    assert (cut.to_pylist(), count) == (["é" * 127, None, "short"], 1)


def test_text_sequences_have_record_separators(county: GridCounty, tmp_path: Path) -> None:
    path = written(county, tmp_path, "geojson_sequence", attributes=("year_built",))["parcels"]
    records = path.read_bytes().split(b"\x1e")[1:]
    assert len(records) == COUNT - 1
    assert json.loads(records[0])["properties"]["property_id"] == "1000"


@pytest.mark.parametrize("name", NAMES)
def test_dates_are_dates_west_of_utc(county: GridCounty, tmp_path: Path, name: str) -> None:
    """The first of January stays it in the county's zone, whatever a reader thinks the zone is."""
    rows = county.tables["properties_operational"].to_pylist()
    new_year = [row | {"last_sale_date": date(2024, 1, 1)} for row in rows]
    changed = county.having("properties_operational", new_year)
    path = written(changed, tmp_path, name, attributes=("last_sale_date",))["parcels"]
    sold = pd.to_datetime(opened(path, "parcels", name)["last_sale_date"])
    if sold.dt.tz is not None:
        sold = sold.dt.tz_convert("America/Los_Angeles")
    assert set(sold.dt.date) == {date(2024, 1, 1)}
    if name in TEXT_DATES:
        assert set(opened(path, "parcels", name)["last_sale_date"]) == {"2024-01-01"}


@pytest.mark.parametrize("name", ["geopackage", "geoparquet", "csv_wkt", "shapefile"])
def test_the_same_export_has_the_same_bytes_in_its_table(
    county: GridCounty, tmp_path: Path, name: str
) -> None:
    frames = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        frames.append(opened(written(county, folder, name)["parcels"], "parcels", name))
    pd.testing.assert_frame_equal(*frames)


def test_shapes_longer_than_a_cell_are_listed_beside_the_csv(
    county: GridCounty, tmp_path: Path
) -> None:
    rows = shapes()
    long = shapely.Point(-119.3, 46.2).buffer(0.001, quad_segs=500)
    changed = county.having("parcels_geometry", [rows[0] | {"geometry": long.wkb}, *rows[1:]])
    path = written(changed, tmp_path, "csv_wkt", crs="EPSG:4326")["parcels"]
    listed = pd.read_csv(path.with_name(f"{path.stem}_long_shapes.csv"))
    assert listed["geometry_id"].tolist() == [rows[0]["geometry_id"]]
    assert listed["characters"].tolist() == [pd.read_csv(path)["WKT"].str.len().max()]
    (tmp_path / "plain").mkdir()
    plain = written(county, tmp_path / "plain", "csv_wkt")["parcels"]
    assert not list(plain.parent.glob("*_long_shapes.csv"))
