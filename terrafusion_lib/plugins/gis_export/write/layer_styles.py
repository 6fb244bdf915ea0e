"""QGIS's table of default styles in a GeoPackage."""

from collections.abc import Sequence

import pyarrow as pa

from terrafusion_lib.plugins.gis_export.write.export_layer import ExportLayer

GEOMETRY_COLUMN = "geom"


def layer_styles(layers: Sequence[ExportLayer]) -> pa.Table:
    """One row per layer that has a style; QGIS applies it when opening the layer."""
    styled = [(layer, layer.style) for layer in layers if layer.style]
    return pa.table(
        {
            "f_table_catalog": pa.array([""] * len(styled), pa.string()),
            "f_table_schema": pa.array([""] * len(styled), pa.string()),
            "f_table_name": pa.array([layer.name for layer, _ in styled], pa.string()),
            "f_geometry_column": pa.array([GEOMETRY_COLUMN] * len(styled), pa.string()),
            "styleName": pa.array([layer.name for layer, _ in styled], pa.string()),
            "styleQML": pa.array([style.qml() for _, style in styled], pa.string()),
            "styleSLD": pa.array([style.sld(layer.name) for layer, style in styled], pa.string()),
            "useAsDefault": pa.array([True] * len(styled), pa.bool_()),
            "description": pa.array([layer.meaning for layer, _ in styled], pa.string()),
            "owner": pa.array([""] * len(styled), pa.string()),
            "ui": pa.array([None] * len(styled), pa.string()),
        }
    )
