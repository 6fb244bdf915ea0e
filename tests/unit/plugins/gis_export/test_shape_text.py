"""Text formats: every shape and every odd value comes back as it was."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from terrafusion_lib.plugins.gis_export.formats import kml
from terrafusion_lib.plugins.gis_export.params import GisExportParams
from terrafusion_lib.plugins.gis_export.plan import make_plan
from terrafusion_lib.plugins.gis_export.select.shapes import as_wkb
from terrafusion_lib.plugins.gis_export.write.features import features
from tests.support.gis_county import GridCounty

SQUARE = shapely.box(-119.5, 46.1, -119.4, 46.2)
HOLE = shapely.box(-119.48, 46.12, -119.45, 46.15)
SHAPES = {
    "polygon": SQUARE,
    "polygon with a hole": SQUARE.difference(HOLE),
    "two parts, one with a hole": shapely.MultiPolygon(
        [SQUARE.difference(HOLE), shapely.box(-119.3, 46, -119.2, 46.05)]
    ),
    "one part": shapely.MultiPolygon([HOLE]),
    "clockwise": SQUARE.reverse(),
    "empty": shapely.Polygon(),
}


def batch(shapes: list[shapely.Geometry], **columns: object) -> pa.RecordBatch:
    return pa.record_batch([*map(pa.array, columns.values()), as_wkb(np.array(shapes))],
                           names=[*columns, "geometry"])  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_geojson_of_every_shape_among_others(name: str) -> None:
    shape = SHAPES[name]
    texts = features(batch([SQUARE, shape, HOLE], n=[1, 2, 3])).to_pylist()
    found = [shapely.geometry.shape(json.loads(text)["geometry"]) for text in texts]
    assert shapely.equals(found, [SQUARE, shape, HOLE]).all()
    assert json.loads(texts[1])["geometry"]["type"] == shape.geom_type
    for part in shapely.get_parts(found[1]):
        if not part.is_empty:
            assert part.exterior.is_ccw
            assert not any(ring.is_ccw for ring in part.interiors)


def test_points_and_elevation() -> None:
    points = [shapely.Point(-119.123456789, 46.2), shapely.Point(1e-9, 5)]
    found = [json.loads(text)["geometry"] for text in features(batch(points, n=[1, 2])).to_pylist()]
    assert found[0] == {"type": "Point", "coordinates": [-119.1234568, 46.2]}
    assert found[1]["coordinates"] == [0, 5]
    high = shapely.force_3d(SQUARE, 300.0)
    (text,) = features(
        pa.record_batch({"n": pa.array([1]), "geometry": pa.array([shapely.to_wkb(high)])})
    )
    assert shapely.geometry.shape(json.loads(text.as_py())["geometry"]).equals(SQUARE)


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.none() | st.text(st.characters(exclude_categories=["Cs"])),
            st.none() | st.floats(),
            st.none() | st.booleans(),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_properties_come_back(rows: list[tuple[str | None, float | None, bool | None]]) -> None:
    text, number, flag = (list(column) for column in zip(*rows, strict=True))
    columns = {
        "text": pa.array(text, pa.string()),
        "number": pa.array(number, pa.float64()),
        "flag": pa.array(flag, pa.bool_()),
    }
    made = batch([SQUARE] * len(rows), **columns)
    for row, feature in zip(rows, features(made).to_pylist(), strict=True):
        value = None if row[1] is None or not np.isfinite(row[1]) else row[1]
        found = json.loads(feature)["properties"]
        assert found == {"text": row[0], "number": value, "flag": row[2]}


@pytest.mark.parametrize("name", ["records", "Records", "whole", "WHOLE", "whole_"])
def test_no_name_of_a_column_hides_the_others(name: str) -> None:
    made = batch([SQUARE], **{name: ["Kennewick"], "n": [1]})
    (text,) = features(made).to_pylist()
    assert json.loads(text)["properties"] == {name: "Kennewick", "n": 1}


@pytest.mark.parametrize("name", [name for name in SHAPES if name != "empty"])
def test_kml_of_every_shape(name: str) -> None:
    import pyogrio

    made = batch([SHAPES[name]], n=["a"])
    (placemark,) = kml._placemarks(made, schema_url='"#x"', label=0).to_pylist()
    found = pyogrio.read_dataframe(f"<kml><Document>{placemark}</Document></kml>".encode())
    assert shapely.equals(found.geometry[0], SHAPES[name])


def test_marks_and_forbidden_characters_in_kml(tmp_path) -> None:
    plan = make_plan(GridCounty().context(), GisExportParams(export_format="kml"))
    (layer,) = plan.layers
    odd = '<Smith> & \x0b "Söhne" ]]>\ufffe\uffff'
    fields = tuple(
        replace(item, values=pa.array([odd] * layer.records), rows=None)
        if item.attribute == "situs_city"
        else item
        for item in layer.fields
    )
    path = tmp_path / "odd.kml"
    kml.write((replace(layer, fields=fields),), path)
    names = {item.attribute: item.name for item in fields}
    read = [
        node.text
        for node in ET.parse(path).iter("{http://www.opengis.net/kml/2.2}SimpleData")
        if node.get("name") == names["situs_city"]
    ]
    assert read == [odd.translate(dict.fromkeys((0x0B, 0xFFFE, 0xFFFF)))] * layer.records
