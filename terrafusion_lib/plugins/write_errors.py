"""Why a job's files cannot be written: reason codes for programs, messages for people."""

import errno
import shutil
import socket
from pathlib import Path
from typing import Any

from terrafusion_lib.core.errors import MissingDependencyError
from terrafusion_lib.core.log import mask_secrets
from terrafusion_lib.plugins.api import PluginRunError

DISK_FULL = "disk_full"
UNWRITABLE = "unwritable"
WRITE_FAILED = "write_failed"
UNREACHABLE = "destination_unreachable"
NO_CREDENTIALS = "destination_credentials"
NO_SUCH_STORE = "destination_unknown"
UPLOAD_INCOMPLETE = "upload_incomplete"

LITTLE_SPACE = 1 << 20
"""Free bytes below which a failed write is attributed to a full disk."""


class PublishError(PluginRunError):
    """A job's files cannot be written or published; none are visible."""


UNREACHED = (ConnectionError, TimeoutError, socket.gaierror, FileNotFoundError)


class NoSuchStoreError(MissingDependencyError):
    """No installed package can write to that kind of URL."""

    reason_code = NO_SUCH_STORE


def place_error(error: Exception, url: str) -> PublishError:
    """The error for a failure of the folder or object store at `url`."""
    kind = type(error).__name__
    text = mask_secrets(str(error).strip() or kind)
    hint: str | None = None
    if "Credential" in kind or "Token" in kind:
        code, cause = NO_CREDENTIALS, "the store's credentials are not set or have expired"
        hint = "set the store's environment variables, such as AWS_ACCESS_KEY_ID"
    elif isinstance(error, PermissionError):
        code, cause = UNWRITABLE, "this account may not write there"
    elif isinstance(error, UNREACHED) or any(word in kind for word in ("Endpoint", "Connect")):
        code, cause = UNREACHABLE, "the server or bucket does not exist or cannot be reached"
        hint = "check the URL, and the store's endpoint (FSSPEC_S3_ENDPOINT_URL …)"
    else:
        code, cause = WRITE_FAILED, f"the store returned {kind}"
    return PublishError(
        f"Files cannot be written to {mask_secrets(url)}: {text}",
        reason_code=code,
        cause=cause,
        hint=hint,
    )


def write_error(error: Exception, path: Path, **place: Any) -> PublishError:
    """The error for a failed write to `path`, from the system's or GDAL's message."""
    text = str(error).strip() or type(error).__name__
    code = getattr(error, "errno", None)
    full = code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if full or "No space left" in text or "File too large" in text or _no_space(path):
        return PublishError(
            f"{path.name} could not be written: {text}",
            reason_code=DISK_FULL,
            cause=f"the disk of {path.parent} is full",
            hint="free space, or choose another folder",
            **place,
        )
    denied = code in (errno.EACCES, errno.EPERM, errno.EROFS) or "Permission denied" in text
    return PublishError(
        f"{path.name} could not be written: {text}",
        reason_code=UNWRITABLE if denied else WRITE_FAILED,
        cause=f"{path.parent} is not writable" if denied else None,
        **place,
    )


def _no_space(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < LITTLE_SPACE
    except OSError:
        return False
