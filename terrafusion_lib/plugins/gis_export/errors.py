"""Why an export fails: reason codes that programs read, sentences that people read."""

import errno
import shutil
import socket
from pathlib import Path
from typing import Any

from terrafusion_lib.core.errors import MissingDependencyError
from terrafusion_lib.core.log import mask_secrets
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
DISK_FULL = "disk_full"
UNWRITABLE = "unwritable"
WRITE_FAILED = "write_failed"
YEAR_NOT_LOADED = "year_not_loaded"
FIELD_NAME = "field_name_not_allowed"
OUTSIDE_SYSTEM = "coordinates_outside_system"
UNREACHABLE = "destination_unreachable"
NO_CREDENTIALS = "destination_credentials"
NO_SUCH_STORE = "destination_unknown"
UPLOAD_INCOMPLETE = "upload_incomplete"

LITTLE_SPACE = 1 << 20
"""Free bytes below which a failed write is put down to a full disk."""


class ExportError(PluginRunError):
    """An export cannot be made; nothing of it is published."""


UNREACHED = (ConnectionError, TimeoutError, socket.gaierror, FileNotFoundError)


class NoSuchStoreError(MissingDependencyError):
    """Nothing installed can write to that kind of URL."""

    reason_code = NO_SUCH_STORE


def place_error(error: Exception, url: str) -> ExportError:
    """What a failure of the folder or object store at `url` means for a person."""
    kind = type(error).__name__
    text = mask_secrets(str(error).strip() or kind)
    hint: str | None = None
    if "Credential" in kind or "Token" in kind:
        code, cause = NO_CREDENTIALS, "no credentials of the store are set, or they have expired"
        hint = "set the store's environment variables, such as AWS_ACCESS_KEY_ID"
    elif isinstance(error, PermissionError):
        code, cause = UNWRITABLE, "this account may not write there"
    elif isinstance(error, UNREACHED) or any(word in kind for word in ("Endpoint", "Connect")):
        code, cause = UNREACHABLE, "the server or bucket does not exist, or no network leads there"
        hint = "check the URL, and the store's endpoint (FSSPEC_S3_ENDPOINT_URL …)"
    else:
        code, cause = WRITE_FAILED, f"the store answered with {kind}"
    return ExportError(
        f"Exports cannot be written to {mask_secrets(url)}: {text}",
        reason_code=code,
        cause=cause,
        hint=hint,
    )


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
