"""Parcel layers in files: every format gives the same rows, in the system asked for."""

import json
import os
from pathlib import Path

import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from pyogrio.raw import write_arrow

from terrafusion_lib.connectors.file_connector import FileConnector, FileOptions
from terrafusion_lib.core.errors import ConfigError, ConnectError
from terrafusion_lib.core.raw import SourceTable
from terrafusion_lib.geo.crs import moved
from terrafusion_lib.geo.curves import curve_tolerance, linearized
from tests.support.curves import curve_wkb
from tests.support.parcel_rows import shapes

ROWS = 30
FORMATS = {
    "parcels.gpkg": "GPKG",
    "parcels.shp": "ESRI Shapefile",
    "parcels.gdb": "OpenFileGDB",
    "parcels.fgb": "FlatGeobuf",
    "parcels.geojson": "GeoJSON",
    "parcels.parquet": "",
}
COLUMNS = {
    "Prop_ID": "integer",
    "Parcel_ID": "text",
    "acres": "number",
    "surveyed": "date",
    "geometry": "geometry",
}


def frame(crs: str = "EPSG:2927") -> geopandas.GeoDataFrame:
    table = geopandas.GeoDataFrame(
        {
            "Prop_ID": np.arange(ROWS, dtype=np.int64),
            "Parcel_ID": [f"{n:015d}" if n else "Señor" for n in range(ROWS)],
            "acres": [None if n == 3 else n / 4 for n in range(ROWS)],
            "surveyed": np.datetime64("2024-02-28") + np.arange(ROWS),
        },
        geometry=shapes(ROWS),
        crs="EPSG:4326",
    )
    return table.to_crs(crs)


def write(path: Path, crs: str = "EPSG:2927", **options: str) -> None:
    driver = FORMATS[path.name]
    if not driver:
        frame(crs).to_parquet(path)
        return
    system = "EPSG:4326" if driver == "GeoJSON" else crs
    table = frame(system)
    table["surveyed"] = table["surveyed"].dt.date
    table.to_file(path, driver=driver, engine="pyogrio", **options)


def source(path: Path) -> FileConnector:
    return FileConnector(FileOptions(path=str(path)), Path("/"))


def wanted(name: str, **options: str) -> SourceTable:
    return SourceTable(name="t", source="s", table=name, columns=COLUMNS, options=options)


def read(folder: Path, table: SourceTable) -> pa.Table:
    return pa.Table.from_batches(source(folder).read(table, [2026]))


def gap(table: pa.Table, expected: geopandas.GeoDataFrame) -> float:
    """Largest distance between the shapes' corners, in units of the system."""
    found = shapely.from_wkb(table["geometry"].to_numpy())
    pairs = zip(found, expected.geometry, strict=True)
    return max(shapely.hausdorff_distance(a, b) for a, b in pairs)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_rows_in_degrees(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    table = wanted(name)
    connector = source(tmp_path)
    connector.verify(table)
    assert connector.row_estimate(table, [2026]) == ROWS
    assert name in connector.tables()
    found = read(tmp_path, table).sort_by("Prop_ID")
    expected = frame("EPSG:4326")
    assert found["Prop_ID"].to_pylist() == list(range(ROWS))
    assert found["Parcel_ID"].to_pylist() == expected["Parcel_ID"].tolist()
    assert found["acres"].to_pylist() == [None if n == 3 else n / 4 for n in range(ROWS)]
    assert [str(day) for day in found["surveyed"].to_pylist()][:2] == ["2024-02-28", "2024-02-29"]
    assert gap(found, expected) < 1e-8


@pytest.mark.parametrize("name", ["parcels.gpkg", "parcels.parquet"])
def test_another_system_is_kept_or_chosen(tmp_path: Path, name: str) -> None:
    write(tmp_path / name)
    assert gap(read(tmp_path, wanted(name, crs="")), frame()) < 1e-6
    assert gap(read(tmp_path, wanted(name, crs="EPSG:2927")), frame()) < 1e-6
    assert gap(read(tmp_path, wanted(name, crs="EPSG:32611")), frame("EPSG:32611")) < 1e-3
    with pytest.raises(ConfigError, match="EPSG:999999"):
        read(tmp_path, wanted(name, crs="EPSG:999999"))


def test_shapes_in_degrees_are_taken_over_to_the_last_bit(tmp_path: Path) -> None:
    write(tmp_path / "parcels.parquet", "EPSG:4326")
    found = read(tmp_path, wanted("parcels.parquet"))
    assert found["geometry"].to_pylist() == shapely.to_wkb(frame("EPSG:4326").geometry).tolist()


def test_a_layer_is_named_where_there_are_several(tmp_path: Path) -> None:
    path = tmp_path / "parcels.gpkg"
    write(path, layer="lots")
    write(path, layer="roads", mode="a")
    assert source(tmp_path).tables() == ["parcels.gpkg", "parcels.gpkg#lots", "parcels.gpkg#roads"]
    assert read(tmp_path, wanted("parcels.gpkg#roads")).num_rows == ROWS
    assert read(tmp_path, wanted("parcels.gpkg", layer="lots")).num_rows == ROWS
    with pytest.raises(ConnectError, match=r"has 2 layers.*choose one: parcels.gpkg#lots"):
        read(tmp_path, wanted("parcels.gpkg"))


def test_a_shapefile_without_its_system_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "parcels.shp")
    (tmp_path / "parcels.prj").unlink()
    with pytest.raises(ConnectError, match=r"has no coordinate system.*\.prj"):
        read(tmp_path, wanted("parcels.shp"))
    assert gap(read(tmp_path, wanted("parcels.shp", crs="")), frame()) < 1e-6


def test_an_edit_inside_a_geodatabase_or_beside_a_shapefile_is_seen(tmp_path: Path) -> None:
    for name, part in (
        ("parcels.gdb", "parcels.gdb/a0000000a.gdbtable"),
        ("parcels.shp", "parcels.dbf"),
    ):
        write(tmp_path / name)
        before = source(tmp_path).freshness(wanted(name))
        assert source(tmp_path).freshness(wanted(name)) == before
        inside = tmp_path / part
        if not inside.exists():
            inside = next((tmp_path / name).glob("*.gdbtable"))
        later = max(p.stat().st_mtime_ns for p in tmp_path.rglob("*")) + 10**9
        os.utime(inside, ns=(later, later))
        assert source(tmp_path).freshness(wanted(name)) != before


def test_the_feature_id_is_a_column(tmp_path: Path) -> None:
    write(tmp_path / "parcels.gdb")
    names = [column.name for column in source(tmp_path).columns("parcels.gdb")]
    table = SourceTable(name="t", source="s", table="parcels.gdb", columns={names[0]: "integer"})
    assert read(tmp_path, table)[names[0]].to_pylist() == list(range(1, ROWS + 1))


def test_a_file_that_is_none_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "parcels.fgb").write_bytes(b"not a file of shapes")
    with pytest.raises(ConnectError, match=r"parcels\.fgb cannot be read"):
        read(tmp_path, wanted("parcels.fgb"))


@pytest.mark.parametrize("crs", ["", "EPSG:4326"])
def test_curved_shapes_are_moved_and_stay_known_as_curved(tmp_path: Path, crs: str) -> None:
    x, y = 1_950_000, 350_000
    disc = f"CURVEPOLYGON(CIRCULARSTRING({x} {y},{x + 200} {y},{x} {y}))"
    plain = shapely.box(x, y, x + 100, y + 100).wkb
    table = pa.table({"n": [1, 2], "geom": [*curve_wkb([disc], tmp_path), plain]})
    path = tmp_path / "curves.gpkg"
    write_arrow(
        table, path, driver="GPKG", geometry_name="geom", geometry_type="Unknown", crs="EPSG:2927"
    )
    columns = {"n": "integer", "geometry": "geometry"}
    asked = SourceTable(
        name="t", source="s", table=path.name, columns=columns, options={"crs": crs}
    )
    found = read(tmp_path, asked)["geometry"].combine_chunks()
    system = crs or "EPSG:2927"
    wkb, curved = linearized(found, curve_tolerance(system))
    assert curved.tolist() == [True, False]
    feet = moved(shapely.from_wkb(wkb), system, "EPSG:2927")
    assert shapely.area(feet) == pytest.approx([10_000 * np.pi, 10_000], rel=1e-3)


def test_properties_named_as_our_columns_keep_their_names(tmp_path: Path) -> None:
    properties = {"id": "A-1", "OGC_FID": "x", "geometry": "lot", "fid": 3}
    point = {"type": "Point", "coordinates": [-119.5, 46.2]}
    feature = {"type": "Feature", "properties": properties, "geometry": point}
    layer = {"type": "FeatureCollection", "features": [feature, feature | {"id": 9}]}
    (tmp_path / "odd.geojson").write_text(json.dumps(layer))
    names = [column.name for column in source(tmp_path).columns("odd.geojson")]
    assert len(names) == len({name.casefold() for name in names})
    key, shape = names[0], names[-1]
    columns = dict.fromkeys(properties, "text") | {shape: "geometry", key: "integer"}
    asked = SourceTable(name="t", source="s", table="odd.geojson", columns=columns)
    source(tmp_path).verify(asked)
    found = read(tmp_path, asked)
    for name, value in properties.items():
        assert found[name].to_pylist() == [str(value)] * 2
    assert found[key].to_pylist() == [0, 1]
    assert shapely.from_wkb(found[shape][0].as_py()).equals(shapely.Point(-119.5, 46.2))


@pytest.mark.parametrize("value", [5, "A"])
def test_a_property_named_id_is_read(tmp_path: Path, value: object) -> None:
    point = {"type": "Point", "coordinates": [-119.5, 46.2]}
    feature = {"type": "Feature", "properties": {"id": value}, "geometry": point}
    path = tmp_path / "one.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    columns = {"id": "text", "geometry": "geometry"}
    asked = SourceTable(name="t", source="s", table=path.name, columns=columns)
    assert read(tmp_path, asked)["id"].to_pylist() == [str(value)]


@pytest.mark.parametrize("name", ["parcels.gpkg", "parcels.gdb", "parcels.parquet"])
def test_the_shape_is_called_what_the_file_calls_it(tmp_path: Path, name: str) -> None:
    shape = "SHAPE"
    if name.endswith("parquet"):
        frame().rename_geometry(shape).to_parquet(tmp_path / name)
    else:
        write(tmp_path / name, GEOMETRY_NAME=shape)
    columns = {"Prop_ID": "integer", shape: "geometry"}
    asked = SourceTable(name="t", source="s", table=name, columns=columns)
    source(tmp_path).verify(asked)
    found = read(tmp_path, asked).sort_by("Prop_ID").rename_columns(["Prop_ID", "geometry"])
    assert gap(found, frame("EPSG:4326")) < 1e-8


@pytest.mark.parametrize("crs", ["", "EPSG:4326"])
@pytest.mark.parametrize("kind", ["polygon", "multipolygon", "point"])
def test_native_encodings_of_geoparquet_are_read(tmp_path: Path, kind: str, crs: str) -> None:
    table = frame()[["Prop_ID", "geometry"]]
    if kind == "point":
        table.geometry = table.centroid
    else:
        one = table.explode().groupby("Prop_ID").first().set_crs(table.crs).reset_index()
        many = [shapely.MultiPolygon([shape]) for shape in one.geometry]
        table = one.set_geometry(many if kind == "multipolygon" else one.geometry, crs=table.crs)
    table.loc[4, "geometry"] = None
    table.to_parquet(tmp_path / "native.parquet", geometry_encoding="geoarrow")
    columns = {"Prop_ID": "integer", "geometry": "geometry"}
    asked = SourceTable(
        name="t", source="s", table="native.parquet", columns=columns, options={"crs": crs}
    )
    source(tmp_path).verify(asked)
    found = shapely.from_wkb(read(tmp_path, asked)["geometry"].to_pylist())
    expected = table.to_crs(crs or "EPSG:2927").geometry
    assert found[4] is None
    kept = np.arange(len(table)) != 4
    assert shapely.hausdorff_distance(found[kept], expected[kept].to_numpy()).max() < 1e-6


def test_an_unknown_encoding_is_refused_at_check_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "odd.parquet"
    frame().to_parquet(path)
    table = pq.read_table(path)
    geo = json.loads(table.schema.metadata[b"geo"])
    geo["columns"]["geometry"]["encoding"] = "TWKB"
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    with pytest.raises(ConnectError) as refused:
        source(tmp_path).verify(wanted(path.name))
    assert refused.value.column == "geometry"
    assert "ogr2ogr" in str(refused.value.hint)
