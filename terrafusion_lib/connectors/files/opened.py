"""Bytes of a file, compressed or not."""

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from terrafusion_lib.core.errors import ConnectError

ZIP = ".zip"
OPENERS: dict[str, Callable[[Path, str], object]] = {
    ".gz": gzip.open,
    ".bz2": bz2.open,
    ".xz": lzma.open,
}
COMPRESSED = {ZIP, *OPENERS}


@contextmanager
def open_bytes(path: Path, member: str = "") -> Iterator[BinaryIO]:
    """The bytes of `path`, decompressed by its suffix; of a ZIP archive those of `member`.

    Raises
    ------
    ConnectError
        The archive is damaged or needs a password, or has several members and none is named.
    """
    try:
        if path.suffix.lower() == ZIP:
            with zipfile.ZipFile(path) as archive, archive.open(_member(archive, member)) as file:
                yield cast("BinaryIO", file)
        else:
            opener: Callable[[Path, str], object] = OPENERS.get(path.suffix.lower(), Path.open)
            with cast("BinaryIO", opener(path, "rb")) as file:
                yield file
    except (zipfile.BadZipFile, gzip.BadGzipFile, lzma.LZMAError, EOFError, RuntimeError) as error:
        raise ConnectError(
            f"{path} cannot be decompressed: {error}",
            table=path.name,
            cause="the file was cut short or needs a password",
            hint="get it again, or decompress it yourself and read the contents",
        ) from error


def members(path: Path) -> list[str]:
    """Files inside a ZIP archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _files(archive)
    except zipfile.BadZipFile as error:
        raise ConnectError(f"{path} is not a ZIP archive: {error}", table=path.name) from error


def inner_suffix(path: Path, member: str = "") -> str:
    """Suffix of what is inside: ``.csv`` of ``sales.csv.gz`` and of ``sales.zip#sales.csv``."""
    if path.suffix.lower() == ZIP:
        names = [member] if member else members(path)
        return Path(names[0]).suffix.lower() if len(names) == 1 else ""
    inner = Path(path.stem) if path.suffix.lower() in OPENERS else path
    return inner.suffix.lower()


def _member(archive: zipfile.ZipFile, wanted: str) -> str:
    names = _files(archive)
    if wanted in names:
        return wanted
    if len(names) == 1 and not wanted:
        return names[0]
    what = f"no file {wanted!r}" if wanted else f"{len(names)} files"
    archived = Path(archive.filename or "").name
    raise ConnectError(
        f"{archived} has {what}",
        table=archived,
        examples=names,
        hint=f"choose one: {archived}#{names[0]}" if names else None,
    )


def _files(archive: zipfile.ZipFile) -> list[str]:
    return [
        item.filename
        for item in archive.infolist()
        if not item.is_dir() and not item.filename.startswith("__MACOSX/")
    ]
