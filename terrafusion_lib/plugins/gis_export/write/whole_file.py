"""Detects incomplete files: several GDAL drivers do not report a full disk."""

from pathlib import Path

from terrafusion_lib.plugins.gis_export.errors import ExportError
from terrafusion_lib.plugins.write_errors import DISK_FULL


def incomplete(path: Path) -> ExportError:
    """The error for a truncated file."""
    return ExportError(
        f"{path.name} is not complete",
        reason_code=DISK_FULL,
        cause=f"the disk of {path.parent} filled up during writing",
        hint="free space, or export to another folder or with fewer attributes",
    )
