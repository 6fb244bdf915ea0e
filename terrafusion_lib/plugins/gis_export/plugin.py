"""The GIS export plugin: layers of a county as files of a GIS format."""

from terrafusion_lib.plugins.api import PluginContext, PluginResult
from terrafusion_lib.plugins.gis_export.params import GisExportParams
from terrafusion_lib.plugins.gis_export.plan import TABLE, make_plan


class GisExportPlugin:
    """Exports layers of one county."""

    name = "gis_export"
    permissions: tuple[str, ...] = ("gis_export:run",)
    Params = GisExportParams

    def run(self, context: PluginContext, params: GisExportParams) -> PluginResult:
        """Find and count what is to be exported; the files are written by who publishes.

        Returns
        -------
        PluginResult
            Table ``gis_export_layers``, and the files to write.

        Raises
        ------
        ExportError
            See `plan.make_plan`.
        """
        plan = make_plan(context, params)
        return PluginResult(
            tables={TABLE: plan.table()},
            summary={
                "export_format": plan.format_name,
                "layers": ", ".join(layer.name for layer in plan.layers),
                "records": plan.records,
                "estimated_bytes": plan.estimated_bytes,
            },
            files=plan.files(),
        )


plugin = GisExportPlugin()
