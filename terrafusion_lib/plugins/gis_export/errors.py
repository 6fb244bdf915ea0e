"""Why an export fails: reason codes for programs, messages for people."""

from terrafusion_lib.plugins.api import PluginRunError

FAIL_FORMAT_SIM = "FAIL_FORMAT_SIM"
"""A format that makes an export fail on purpose, so that tests can see a failed job."""

SIMULATED_FORMAT_FAILURE = "simulated_format_failure"
UNKNOWN_FORMAT = "unknown_format"
UNKNOWN_LAYER = "unknown_layer"
UNKNOWN_ATTRIBUTE = "unknown_attribute"
ATTRIBUTE_CLASH = "attribute_name_clash"
PERSONAL_DATA = "personal_data_denied"
CRS_REFUSED = "crs_not_supported"
AREA_INVALID = "area_invalid"
AREA_UNKNOWN = "area_unknown"
AREA_EMPTY = "area_empty"
AREA_TOO_LARGE = "area_too_large"
TOO_MANY_RECORDS = "too_many_records"
NO_RESULTS = "no_results"
NO_GEOMETRY = "no_geometry"
GEOMETRY_COLLECTION = "geometry_collection"
GEOMETRY_TYPE = "geometry_type"
VALUE_OUT_OF_RANGE = "value_out_of_range"
FILE_TOO_LARGE = "file_too_large"
YEAR_NOT_LOADED = "year_not_loaded"
FIELD_NAME = "field_name_not_allowed"
OUTSIDE_SYSTEM = "coordinates_outside_system"


class ExportError(PluginRunError):
    """An export failed; nothing from it is published."""
