"""The metadata document of an export: content, source, and how to verify it."""

from collections.abc import Mapping
from typing import Any

from terrafusion_lib.core.schema import PERSONAL
from terrafusion_lib.plugins.gis_export.plan import ExportPlan
from terrafusion_lib.plugins.gis_export.select.area_shape import REPAIRED, repaired
from terrafusion_lib.plugins.gis_export.select.shapes import system
from terrafusion_lib.plugins.gis_export.write.export_layer import ExportLayer


def describe(plan: ExportPlan, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The document without its files.

    Parameters
    ----------
    facts : mapping
        Facts known only to the publisher: times, the run of the results, versions.
    """
    crs = system(plan.layers[0].crs)
    return {
        "export_id": plan.context.run_id,
        "county_id": plan.context.county_id,
        "assessment_year": plan.context.assessment_year,
        "format": plan.format_name,
        "crs": {"code": plan.layers[0].crs, "name": crs.name, "wkt": crs.to_wkt()},
        "area_of_interest": area(plan),
        "geometry_policy": plan.params.geometry.model_dump(),
        "simplify_feet": plan.params.simplify_feet,
        "source_versions": list(plan.sources),
        "records": plan.records,
        "layers": [_layer(plan, layer) for layer in plan.layers],
        "personal_data": sorted(
            {item.attribute for layer in plan.layers for item in layer.fields} & PERSONAL
        ),
        "license": plan.params.license,
        **facts,
    }


def area(plan: ExportPlan) -> dict[str, Any]:
    """The requested area of interest, and how many of its polygons were repaired."""
    params = plan.params
    requested: dict[str, Any] = {"bbox": params.bbox, "polygon": params.polygon}
    requested["values"] = params.area_values
    if params.polygon:
        requested[REPAIRED] = repaired(params.polygon)
    return {"kind": str(params.area)} | {name: value for name, value in requested.items() if value}


def _layer(plan: ExportPlan, layer: ExportLayer) -> dict[str, Any]:
    return {
        "name": layer.name,
        "meaning": layer.meaning,
        "file": plan.file_of(layer),
        "geometry_type": layer.shapes.kind,
        "key": list(layer.key),
        "records": layer.records,
        "left_out": layer.left_out,
        "shapes_of_no_property": list(layer.unlinked),
        "shapes_repaired": layer.repaired,
        "fields": [
            {
                "name": item.name,
                "attribute": item.attribute,
                "type": str(item.type),
                "meaning": item.meaning,
            }
            for item in layer.fields
        ],
    }
