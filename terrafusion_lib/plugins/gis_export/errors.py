"""Why an export fails: reason codes that programs read, sentences that people read."""

import errno
import shutil
from pathlib import Path
from typing import Any

from terrafusion_lib.plugins.base import PluginRunError

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
DISK_FULL = "disk_full"
UNWRITABLE = "unwritable"
WRITE_FAILED = "write_failed"

LITTLE_SPACE = 1 << 20
"""Free bytes below which a failed write is put down to a full disk."""


class ExportError(PluginRunError):
    """An export cannot be made; nothing of it is published."""


def write_error(error: Exception, path: Path, **place: Any) -> ExportError:
    """What a failed write to `path` means for a person, from the system's or GDAL's message."""
    text = str(error).strip() or type(error).__name__
    code = getattr(error, "errno", None)
    full = code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if full or "No space left" in text or "File too large" in text or _no_space(path):
        return ExportError(
            f"{path.name} could not be written: {text}",
            reason_code=DISK_FULL,
            cause=f"the disk of {path.parent} is full",
            hint="free space, or export to another folder or with fewer attributes",
            **place,
        )
    denied = code in (errno.EACCES, errno.EPERM, errno.EROFS) or "Permission denied" in text
    return ExportError(
        f"{path.name} could not be written: {text}",
        reason_code=UNWRITABLE if denied else WRITE_FAILED,
        cause=f"{path.parent} may not be written to" if denied else None,
        **place,
    )


def _no_space(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < LITTLE_SPACE
    except OSError:
        return False
