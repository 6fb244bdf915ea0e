"""Result table of an export, stored under its job's id."""

from terrafusion_lib.core.tables import read_table

GIS_EXPORT_LAYERS = read_table(
    "gis_export_layers",
    "One row per export and layer: what was written",
    "run_id county_id layer",
    """
run_id                text     Export (its job)
county_id             text     County
layer                 text     Layer, such as parcels
export_format         text     Format, such as geopackage
file_name             text     File with the layer
crs                   text     Coordinate system of the file
geometry_type         text     MultiPolygon or Point
records               integer  Records written
attributes            integer  Attributes of each record
left_out              integer  Properties or rows in the area without a shape or location
""",
)
