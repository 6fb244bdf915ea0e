"""Whether a file is whole: several of GDAL's drivers do not tell that the disk was full."""

from pathlib import Path

from terrafusion_lib.plugins.gis_export.errors import ExportError
from terrafusion_lib.plugins.write_errors import DISK_FULL


def incomplete(path: Path) -> ExportError:
    """The error of a file that ends before its end."""
    return ExportError(
        f"{path.name} is not complete",
        reason_code=DISK_FULL,
        cause=f"the disk of {path.parent} filled up during writing",
        hint="free space, or export to another folder or with fewer attributes",
    )
