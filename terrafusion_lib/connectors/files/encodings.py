"""Text of a file as UTF-8, held to the encoding that the mapping declares."""

import codecs
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO

from terrafusion_lib.core.errors import ConfigError, ConnectError

CHUNK = 8 << 20
MARK = "\ufeff"

Opener = Callable[[], AbstractContextManager[BinaryIO]]


def codec_name(encoding: str, *, table: str) -> str:
    """Python's name of an encoding.

    Raises
    ------
    ConfigError
        There is none of that name.
    """
    try:
        return codecs.lookup(encoding).name
    except LookupError as error:
        raise ConfigError(
            f"There is no encoding {encoding!r}", table=table, hint="utf-8, cp1252 or utf-16"
        ) from error


def utf8_chunks(opener: Opener, encoding: str, *, table: str) -> Iterator[bytes]:
    """The file as UTF-8 without a byte-order mark, some megabytes at a time.

    Raises
    ------
    ConfigError
        There is no such encoding.
    ConnectError
        Bytes do not fit (the error gives the line), or the file is UTF-8 but declared otherwise,
        which would turn ``ñ`` into ``Ã±``.
    """
    codec = codec_name(encoding, table=table)
    decoder = codecs.getincrementaldecoder(codec)()
    as_utf8 = codecs.getincrementaldecoder("utf-8")()
    foreign, garbled, first = False, not codec.startswith("utf"), True
    with opener() as file:
        while True:
            chunk = file.read(CHUNK)
            plain = chunk.isascii() and _plain(codec)
            try:
                text = (
                    "" if plain and not decoder.getstate()[0] else decoder.decode(chunk, not chunk)
                )
            except UnicodeDecodeError as error:
                raise _wrong_bytes(opener, codec, encoding, table=table) from error
            foreign = foreign or not chunk.isascii()
            garbled = garbled and _decodes(as_utf8, chunk)
            out = text.encode("utf-8", "surrogatepass") if text else chunk if plain else b""
            if first and out:
                out, first = out.removeprefix(MARK.encode()), False
            if out:
                yield out
            if not chunk:
                break
    if foreign and garbled:
        raise ConnectError(
            f"{table} is declared {encoding} but is UTF-8: names would be garbled",
            table=table,
            hint="set encoding: utf-8 for this table in the mapping",
        )


def _plain(codec: str) -> bool:
    """Whether the encoding writes ASCII characters as ASCII bytes."""
    return codec in ("utf-8", "ascii") or codec.startswith(("cp125", "iso8859", "cp437", "cp850"))


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decoder.decode(chunk, not chunk)
    except UnicodeDecodeError:
        return False
    return True


def _wrong_bytes(opener: Opener, codec: str, encoding: str, *, table: str) -> ConnectError:
    line, guess = _first_bad_line(opener, codec), _guess(opener)
    return ConnectError(
        f"{table} is declared {encoding}, but line {line or 1:,} has bytes that do not fit",
        table=table,
        cause=f"the file is probably {guess}",
        hint=f"set encoding: {guess} for this table in the mapping",
    )


def _first_bad_line(opener: Opener, encoding: str) -> int | None:
    """Number of the first line that cannot be decoded; None if all can."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line = 1
    with opener() as file:
        while True:
            chunk = file.read(CHUNK)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                # The decoder may have held back bytes of the previous chunk; they contain no
                # newline.
                return line + error.object[: error.start].count(b"\n")
            if not chunk:
                return None
            line += chunk.count(b"\n")


def _guess(opener: Opener) -> str:
    with opener() as file:
        start = file.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8" if _first_bad_line(opener, "utf-8") is None else "cp1252"
