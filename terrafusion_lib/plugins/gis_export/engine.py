"""The export engine: its contents and the description of its files."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from terrafusion_lib.plugins.api import PluginContext, PluginResult
from terrafusion_lib.plugins.gis_export.params import GisExportParams
from terrafusion_lib.plugins.gis_export.plan import ExportPlan, make_plan
from terrafusion_lib.plugins.gis_export.tables import GIS_EXPORT_LAYERS
from terrafusion_lib.plugins.gis_export.write.metadata import describe


def run(context: PluginContext, params: GisExportParams) -> PluginResult:
    """See `GisExportPlugin.run`."""
    plan = make_plan(context, params)
    return PluginResult(
        tables={GIS_EXPORT_LAYERS.name: plan.table()},
        summary={
            "export_format": plan.format_name,
            "layers": ", ".join(layer.name for layer in plan.layers),
            "records": plan.records,
            "estimated_bytes": plan.estimated_bytes,
        },
        files=plan.files(),
        estimated_bytes=plan.estimated_bytes,
        describe=partial(_describe, plan),
        notes=tuple(_notes(plan)),
        job_values={"result_record_count": plan.records},
    )


def estimate(context: PluginContext, params: GisExportParams) -> dict[str, Any]:
    """See `GisExportPlugin.estimate`."""
    plan = make_plan(context, params)
    return {
        "records": {layer.name: layer.records for layer in plan.layers},
        "left_out": {layer.name: layer.left_out for layer in plan.layers},
        "bytes": plan.estimated_bytes,
    }


def _notes(plan: ExportPlan) -> Iterator[str]:
    """Each layer with its record count, and what has no record, by reason."""
    for layer in plan.layers:
        yield f"{layer.name}: {layer.records:,} records"
        for reason, count in layer.left_out.items():
            yield f"left out: {count:,} {reason}"
        if layer.repaired:
            yield f"repaired: {layer.repaired:,} invalid parcel shapes"


def _describe(plan: ExportPlan, facts: Mapping[str, Any]) -> dict[str, Any]:
    import pyogrio

    gdal = ".".join(str(part) for part in pyogrio.__gdal_version__)
    return describe(plan, dict(facts) | {"software": facts["software"] | {"gdal": gdal}})
