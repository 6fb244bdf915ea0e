"""Checks the length of a shapefile's parts against their headers."""

import struct
from collections.abc import Iterable
from pathlib import Path

from terrafusion_lib.plugins.gis_export.errors import FIELD_NAME, ExportError
from terrafusion_lib.plugins.gis_export.write.whole_file import incomplete

HEADER_BYTES, INDEX_BYTES = 100, 8
"""Header of .shp and .shx, and an entry of .shx."""
DESCRIPTOR, NAME_BYTES, END = 32, 11, 0x0D
"""A .dbf describes each field in 32 bytes, the name first, and ends its header with 0x0D."""


def check_whole(path: Path, records: int, names: Iterable[str]) -> None:
    """Check the lengths of .shp, .shx and .dbf, and the names of the fields.

    Raises
    ------
    ExportError
        A part is truncated, or a field has a different name than requested.
    """
    index, table = path.with_suffix(".shx"), path.with_suffix(".dbf")
    for part in (path, index, table):
        if not part.is_file():
            raise incomplete(part)
    if _stated_length(path) != path.stat().st_size:
        raise incomplete(path)
    if index.stat().st_size != HEADER_BYTES + INDEX_BYTES * records:
        raise incomplete(index)
    _check_table(table, records, list(names))


def _stated_length(path: Path) -> int:
    """Bytes of the file by its header, which counts words of two; −1 without a whole header."""
    with path.open("rb") as file:
        head = file.read(28)
    return 2 * int(struct.unpack(">i", head[24:])[0]) if len(head) == 28 else -1


def _check_table(path: Path, records: int, names: list[str]) -> None:
    with path.open("rb") as file:
        head = file.read(12)
        if len(head) < 12:
            raise incomplete(path)
        count, start, width = struct.unpack("<IHH", head[4:])
        descriptors = file.read(start - 12)[20:]
    body = path.stat().st_size - start
    if count != records or body not in (count * width, count * width + 1):
        raise incomplete(path)
    field_names = [
        descriptors[at : at + NAME_BYTES].split(b"\0")[0].decode("utf-8", "replace")
        for at in range(0, len(descriptors), DESCRIPTOR)
        if descriptors[at] != END
    ]
    if field_names != names:
        wrong = [new for new, name in zip(field_names, names, strict=False) if new != name]
        raise ExportError(
            "The shapefile changed field names",
            reason_code=FIELD_NAME,
            table=path.stem,
            count=len(wrong) or abs(len(field_names) - len(names)),
            examples=wrong,
            hint="use only letters, digits and _ in rename",
        )
