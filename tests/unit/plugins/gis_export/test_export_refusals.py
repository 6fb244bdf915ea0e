"""Exports that must not be made, each with its reason code; and names of fields."""

from typing import Any

import pytest
import shapely

from terrafusion_lib.core.errors import PluginError
from terrafusion_lib.plugins.gis_export import format as formats
from terrafusion_lib.plugins.gis_export.errors import ExportError
from terrafusion_lib.plugins.gis_export.params import GisExportParams
from terrafusion_lib.plugins.gis_export.plan import make_plan
from terrafusion_lib.plugins.gis_export.select.field_names import short_names
from terrafusion_lib.plugins.gis_export.select.layers import LAYERS
from tests.support.gis_county import COUNT, GridCounty, property_row, shapes
from tests.support.outside import add_outside


def refusal(county: GridCounty, **params: Any) -> ExportError:
    with pytest.raises(ExportError) as failure:
        make_plan(county.context(), GisExportParams(**params))
    return failure.value


@pytest.mark.parametrize(
    ("params", "reason", "message"),
    [
        ({"export_format": "FAIL_FORMAT_SIM"}, "simulated_format_failure", "on purpose"),
        ({"export_format": "geopakage"}, "unknown_format", "did you mean geopackage"),
        ({"layers": ("parcel",)}, "unknown_layer", "did you mean parcels"),
        ({"layers": ("zzz",)}, "unknown_layer", ", ".join(LAYERS)),
        ({"rename": {"year_built": "a\nb"}}, "field_name_not_allowed", "printable"),
        *(
            (
                {"rename": {"year_built": new}, "export_format": "file_geodatabase"},
                "field_name_not_allowed",
                "does not start with a digit",
            )
            for new in ("1st value", "select", "a b", "x" * 65)
        ),
        ({"attributes": ("yearbuilt",)}, "unknown_attribute", "did you mean year_built"),
        ({"rename": {"no_such": "x"}}, "unknown_attribute", "no_such"),
        ({"rename": {"year_built": "PROPERTY_ID"}}, "attribute_name_clash", "both be named"),
        ({"rename": {"year_built": "Shape"}}, "attribute_name_clash", "formats reserve"),
        ({"attributes": ("owner_name",)}, "personal_data_denied", "reporting:view_sensitive"),
        ({"attributes": ("exemption_type",)}, "personal_data_denied", "exemption_type"),
        ({"crs": "EPSG:99999999"}, "crs_not_supported", "unknown"),
        ({"crs": "EPSG:2927", "export_format": "kml"}, "crs_not_supported", "EPSG:4326"),
        ({"max_records": COUNT - 2}, "too_many_records", "119 records"),
    ],
)
def test_refusals(params: dict[str, Any], reason: str, message: str) -> None:
    error = refusal(GridCounty(), **params)
    assert error.reason_code == reason
    assert message in str(error)


def test_results_that_are_not_there() -> None:
    county = GridCounty(results=None)
    assert refusal(county, layers=("ratio_deviations",)).reason_code == "no_results"
    assert refusal(county, attributes=("estimated_value",)).reason_code == "no_results"


def test_outlines_need_shapes() -> None:
    county = GridCounty().having("parcels_geometry", [])
    assert refusal(county, layers=("neighborhoods",)).reason_code == "no_geometry"


def test_a_layer_without_a_record() -> None:
    error = refusal(GridCounty().having("sales", []), layers=("parcels", "sales"))
    assert error.reason_code == "area_empty"
    assert "sales" in error.what


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        (
            shapely.GeometryCollection(
                [shapely.Point(-119.3, 46.2), shapely.box(-119, 46, -118, 47)]
            ),
            "geometry_collection",
        ),
        (shapely.LineString([(-119.3, 46.2), (-119.2, 46.2)]), "geometry_type"),
    ],
)
def test_shapes_of_another_kind_are_named(shape: Any, reason: str) -> None:
    rows = shapes()
    rows[4] = rows[4] | {"geometry": shape.wkb}
    error = refusal(GridCounty().having("parcels_geometry", rows))
    assert error.reason_code == reason
    assert (error.count, error.examples) == (1, (rows[4]["geometry_id"],))


def test_unusual_wkb_of_a_polygon_is_no_fault() -> None:
    rows = shapes()
    polygon = shapely.from_wkb(rows[4]["geometry"])
    rows[4] = rows[4] | {"geometry": shapely.to_wkb(shapely.force_3d(polygon, 5), byte_order=0)}
    plan = make_plan(
        GridCounty().having("parcels_geometry", rows).context(), GisExportParams(crs="EPSG:4326")
    )
    written = shapely.from_wkb(next(plan.layers[0].batches(multi=True))["geometry"][4].as_py())
    assert written.geom_type == "MultiPolygon"
    assert not written.has_z
    assert written.equals(polygon)


def test_a_number_beyond_32_bits() -> None:
    rows = [property_row(number) for number in range(COUNT)]
    rows[7] = rows[7] | {"year_built": 2**40}
    county = GridCounty().having("properties_operational", rows)
    plan = make_plan(county.context(), GisExportParams())
    with pytest.raises(ExportError, match="year_built") as failure:
        list(plan.layers[0].batches(multi=True))
    assert failure.value.reason_code == "value_out_of_range"


@pytest.mark.parametrize(
    ("given", "name"),
    [("GeoJSON", "geojson"), ("Shapefile", "shapefile"), ("KML", "kml"), ("GPKG", "geopackage")],
)
def test_formats_are_known_by_their_usual_names(given: str, name: str) -> None:
    assert formats.format_name(given) == name


def test_two_formats_of_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    add_outside(monkeypatch, formats.FORMATS, "kml", "other.package:FORMAT")
    with pytest.raises(PluginError, match="named kml"):
        formats.FORMATS.names()


def test_a_format_of_another_package(monkeypatch: pytest.MonkeyPatch) -> None:
    value = "terrafusion_lib.plugins.gis_export.formats.kml:FORMAT"
    add_outside(monkeypatch, formats.FORMATS, "earth", value)
    plan = make_plan(GridCounty().context(), GisExportParams(export_format="earth"))
    assert plan.format.title == "KML"


def test_short_names_are_unique_for_every_layer() -> None:
    for layer in LAYERS.values():
        short = short_names([item.name for item in layer.attributes])
        assert all(len(name) <= 10 for name in short.values())
        assert len({name.casefold() for name in short.values()}) == len(short)


def test_short_names_are_counted_in_bytes() -> None:
    short = short_names(["größenänderung", "größenän", "größen:x", "é" * 9, "é" * 8])
    assert all(len(name.encode()) <= 10 for name in short.values())
    assert len(set(short.values())) == 5


def test_short_names_of_equal_beginnings() -> None:
    names = [f"a_very_long_name_{number}" for number in range(12)]
    short = short_names([*names, "AVERYLONGN"])
    assert len({name.casefold() for name in short.values()}) == 13
    assert all(len(name) <= 10 for name in short.values())
