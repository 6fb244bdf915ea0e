"""Zip archives whose bytes depend only on their files."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

from terrafusion_lib.plugins.write_errors import write_error

FASTEST = 1
CHUNK = 1 << 20


def zip_folder(folder: Path, target: Path, *, method: int = zipfile.ZIP_DEFLATED) -> None:
    """Pack a folder under its own name."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    named = {path.relative_to(folder.parent).as_posix(): path for path in files}
    zip_files(named, target, method=method)


def zip_files(
    files: Mapping[str, Path], target: Path, *, method: int = zipfile.ZIP_DEFLATED
) -> None:
    """Pack files under the given names, sorted, without timestamps.

    Raises
    ------
    ExportError
        The archive could not be written.
    """
    try:
        with zipfile.ZipFile(target, "w", method, compresslevel=FASTEST) as archive:
            for name, path in sorted(files.items()):
                entry = zipfile.ZipInfo(name)
                entry.compress_type = method
                entry.file_size = path.stat().st_size
                entry.external_attr = 0o644 << 16
                with path.open("rb") as source, archive.open(entry, "w") as packed:
                    while chunk := source.read(CHUNK):
                        packed.write(chunk)
    except OSError as error:
        raise write_error(error, target) from error
