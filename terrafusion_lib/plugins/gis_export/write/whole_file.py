"""Whether a file is whole: several of GDAL's drivers do not tell that the disk was full."""

from pathlib import Path

from terrafusion_lib.plugins.gis_export.errors import ExportError
from terrafusion_lib.plugins.write_errors import DISK_FULL

CHUNK = 8 << 20


def incomplete(path: Path) -> ExportError:
    """The error of a file that ends before its end."""
    return ExportError(
        f"{path.name} is not complete",
        reason_code=DISK_FULL,
        cause=f"the disk of {path.parent} was full while it was written",
        hint="free space, or export to another folder or with fewer attributes",
    )


def check_text(path: Path, *, end: bytes, mark: bytes, count: int) -> None:
    """Check that a text file ends as it should, and holds `mark` once for each record.

    Raises
    ------
    ExportError
        It does not.
    """
    found, tail = 0, b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            whole = tail + chunk
            kept = len(mark) - 1
            found += whole.count(mark)
            tail = whole[len(whole) - kept :] if kept else b""
        file.seek(max(path.stat().st_size - len(end), 0))
        last = file.read()
    if found != count or last != end:
        raise incomplete(path)
