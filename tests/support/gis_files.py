"""Exported files read back as frames of geopandas."""

from pathlib import Path

import geopandas as gpd
import pandas as pd

from terrafusion_lib.plugins.gis_export.format import load_format


def opened(path: Path, layer: str, name: str) -> gpd.GeoDataFrame:
    """One layer of a file in a format, with the attributes' own names."""
    if name == "geoparquet":
        return gpd.read_parquet(path)
    several = load_format(name).several_layers and name != "shapefile"
    frame = gpd.read_file(path, **({"layer": layer} if several else {}))
    if name == "shapefile":
        frame = frame.rename(columns=full_names(path, layer))
    if name == "pmtiles":
        frame = frame.dissolve(by="property_id", as_index=False)
    return frame


def full_names(path: Path, layer: str) -> dict[str, str]:
    """Attribute by field of a shapefile."""
    fields = pd.read_csv(f"zip://{layer}_fields.csv::{path}")
    return dict(zip(fields["field"], fields["attribute"], strict=True))
