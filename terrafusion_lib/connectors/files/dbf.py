"""In which encoding the text of a DBF file is, beside a Shapefile or alone."""

import struct
from collections.abc import Iterator
from pathlib import Path

from terrafusion_lib.connectors.files.encodings import codec_name
from terrafusion_lib.core.errors import ConnectError

HEADER = 32
DESCRIPTOR = 32
RECORDS = 4096
TEXT_TYPES = b"CM"


def text_encoding(path: Path, declared: str, *, told: bool) -> str | None:
    """Encoding to read the file's text with; None: as the file itself says.

    Parameters
    ----------
    declared : str
        The mapping's option; empty when it says nothing.
    told : bool
        Whether the file says it: by a ``.cpg`` beside it, or by its language code.

    Raises
    ------
    ConfigError
        There is no such encoding.
    ConnectError
        Neither the mapping nor the file says it, or the declared encoding does not fit the bytes;
        the column is named, what it holds is not shown.
    """
    codec = codec_name(declared, table=path.name) if declared else ""
    if told and not codec:
        return None
    foreign, utf8 = "", True
    for column, text in _values(path):
        if text.isascii():
            continue
        foreign = foreign or column
        utf8 = utf8 and _fits(text, "utf-8")
        if codec and not _fits(text, codec):
            raise _wrong(path, column, f"is declared {declared}, but has bytes that do not fit")
    if foreign and not codec:
        raise _wrong(path, foreign, "has non-ASCII characters but does not give their encoding")
    if foreign and utf8 and codec != "utf-8":
        what = f"is declared {declared} but is UTF-8: names would be garbled"
        raise _wrong(path, foreign, what)
    return codec or "iso8859-1"


def _values(path: Path) -> Iterator[tuple[str, bytes]]:
    """Column and bytes of its text, some thousand records at a time."""
    with path.open("rb") as file:
        start, length = struct.unpack("<HH", file.read(HEADER)[8:12])
        fields = list(_text_fields(file.read(max(start - HEADER, 0))))
        while length and (records := file.read(length * RECORDS)):
            if records.isascii():
                continue
            for at in range(0, len(records) - length + 1, length):
                for name, begin, end in fields:
                    yield name, records[at + begin : at + end].rstrip(b" \0")


def _text_fields(descriptors: bytes) -> Iterator[tuple[str, int, int]]:
    """Name and place of each field of text in a record."""
    begin = 1  # the mark of a deleted record
    for at in range(0, len(descriptors) - DESCRIPTOR + 1, DESCRIPTOR):
        field = descriptors[at : at + DESCRIPTOR]
        if field[0] == ord("\r"):
            return
        if field[11] in TEXT_TYPES:
            yield field[:11].split(b"\0")[0].decode("latin-1"), begin, begin + field[16]
        begin += field[16]


def _fits(text: bytes, codec: str) -> bool:
    try:
        text.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _wrong(path: Path, column: str, what: str) -> ConnectError:
    return ConnectError(
        f"{path.name} {what}",
        table=path.name,
        column=column,
        hint="set encoding for this table in the mapping: cp1252 (Windows), cp437 (DOS) or utf-8",
    )
