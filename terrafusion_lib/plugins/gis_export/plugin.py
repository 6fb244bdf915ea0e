"""The GIS export plugin: a county's layers as GIS files."""

import json
from typing import Any

from terrafusion_lib.access.grants import VIEW_SENSITIVE
from terrafusion_lib.core.schema import PERSONAL
from terrafusion_lib.core.tables import Column, Kind
from terrafusion_lib.plugins.api import Action, Plugin, PluginContext, PluginResult
from terrafusion_lib.plugins.gis_export.listings import NoParams, formats, layers
from terrafusion_lib.plugins.gis_export.params import GisExportParams
from terrafusion_lib.plugins.gis_export.tables import GIS_EXPORT_LAYERS


class GisExportPlugin(Plugin):
    """Exports layers of one county."""

    name = "gis_export"
    title = "Export a county's map layers with their values"
    permissions = ("gis_export:run",)
    Params = GisExportParams
    tables = (GIS_EXPORT_LAYERS,)
    job_columns = (
        Column("export_format", Kind.TEXT, "Format"),
        Column("area_of_interest_json", Kind.TEXT, "Requested area"),
        Column("layers_json", Kind.TEXT, "Requested layers"),
        Column("result_file_location", Kind.TEXT, "Folder or URL of the files"),
        Column("result_file_size_kb", Kind.NUMBER, "Size of the files, KiB"),
        Column("result_record_count", Kind.INTEGER, "Records in all layers"),
    )
    actions = (
        Action("formats", "Available formats", NoParams, formats, needs_county=False),
        Action("layers", "Layers and their attributes", NoParams, layers, needs_county=False),
    )
    notebook = "75_gis_export"
    command = "export gis"
    published_in = "exports"

    def run(self, context: PluginContext, params: GisExportParams) -> PluginResult:
        """Select and count the records; the publisher writes the files.

        Returns
        -------
        PluginResult
            Table ``gis_export_layers``, and the files to write.

        Raises
        ------
        ExportError
            See `plan.make_plan`.
        """
        from terrafusion_lib.plugins.gis_export.engine import run

        return run(context, params)

    def estimate(self, context: PluginContext, params: GisExportParams) -> dict[str, Any]:
        """Records by layer, and size within about a factor of two.

        Raises
        ------
        ExportError
            The export would be refused; `reason_code` says why.
        """
        from terrafusion_lib.plugins.gis_export.engine import estimate

        return estimate(context, params)

    def requires(self, params: GisExportParams) -> tuple[str, ...]:
        """Also ``reporting:view_sensitive`` if personal data are requested by name."""
        personal = set(params.attributes) & PERSONAL
        return (*self.permissions, VIEW_SENSITIVE) if personal else self.permissions

    def job_values(self, params: GisExportParams) -> dict[str, Any]:
        """Format, area and layers as requested."""
        areas = params.model_dump(mode="json", include=set(params.AREAS)).items()
        area = {name: value for name, value in areas if value}
        return {
            "export_format": params.export_format,
            "area_of_interest_json": json.dumps(area),
            "layers_json": json.dumps(params.layers),
        }


plugin = GisExportPlugin()
