"""Checks that a text file has the encoding that the mapping declares."""

import codecs
from pathlib import Path

from terrafusion_lib.core.errors import ConfigError, ConnectError

CHUNK = 1 << 20


def check_encoding(path: Path, encoding: str) -> None:
    """Read the file once and compare its bytes with the declared encoding.

    Raises
    ------
    ConfigError
        There is no such encoding.
    ConnectError
        Bytes do not fit (the error gives the line), or the file is UTF-8 but declared otherwise,
        which would turn ``ñ`` into ``Ã±``.
    """
    try:
        declared = codecs.lookup(encoding).name
    except LookupError as error:
        raise ConfigError(
            f"There is no encoding {encoding!r}", table=path.name, hint="utf-8, cp1252 or utf-16"
        ) from error
    line = _first_bad_line(path, declared)
    if line is not None:
        raise ConnectError(
            f"{path} is declared {encoding}, but line {line:,} has bytes that do not fit",
            table=path.name,
            cause=f"the file is probably {_guess(path)}",
            hint=f"set encoding: {_guess(path)} for this table in the mapping",
        )
    if declared.startswith("utf") or _is_ascii(path) or _first_bad_line(path, "utf-8"):
        return
    raise ConnectError(
        f"{path} is declared {encoding} but is UTF-8: names would be garbled",
        table=path.name,
        hint="set encoding: utf-8 for this table in the mapping",
    )


def _first_bad_line(path: Path, encoding: str) -> int | None:
    """Number of the first line that cannot be decoded; None if all can."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                # The decoder may have held back bytes of the previous chunk; they contain no
                # newline.
                return line + error.object[: error.start].count(b"\n")
            line += chunk.count(b"\n")
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return line
    return None


def _is_ascii(path: Path) -> bool:
    with path.open("rb") as file:
        return all(chunk.isascii() for chunk in iter(lambda: file.read(CHUNK), b""))


def _guess(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8" if _first_bad_line(path, "utf-8") is None else "cp1252"
