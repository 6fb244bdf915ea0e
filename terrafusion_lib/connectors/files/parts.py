"""The files, sheets, layers and members that make up one table, and a reader for each."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from terrafusion_lib.connectors.files.account import FileAccount
from terrafusion_lib.connectors.files.delimited import DELIMITERS, DelimitedFile
from terrafusion_lib.connectors.files.excel import ExcelFile, sheets
from terrafusion_lib.connectors.files.fixed_width import FixedWidthFile
from terrafusion_lib.connectors.files.opened import COMPRESSED, ZIP, inner_suffix, open_bytes
from terrafusion_lib.connectors.files.options import TableOptions, listed
from terrafusion_lib.connectors.files.parquet import ParquetFile
from terrafusion_lib.connectors.files.vector import VECTOR, VectorFile
from terrafusion_lib.connectors.protocol import SourceColumn, find_table
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.raw import RawType

EXCEL = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"}
PARQUET = {".parquet", ".geoparquet", ".pq"}
FIXED = {".dat", ".fwf", ".asc"}
TEXT = DELIMITERS.keys() | FIXED
FOLDERS = {".gdb"}
KNOWN = EXCEL | PARQUET | VECTOR | TEXT | COMPRESSED
PATTERN = frozenset("*?[")


class FileReader(Protocol):
    """What the connector needs of a file format; `account` is that of the last reading."""

    name: str
    account: FileAccount

    def columns(self) -> list[SourceColumn]: ...
    def row_count(self) -> int | None: ...
    def first_records(self, count: int) -> Iterator[tuple[int, list[str]]]: ...
    def batches(
        self, names: Sequence[str], batch_rows: int, kinds: Sequence[RawType] = ()
    ) -> Iterator[list[pa.Array]]: ...


def source_files(path: Path) -> dict[str, Path]:
    """Files of a known format by their name relative to the folder."""
    one = path.is_file() or path.suffix.lower() in FOLDERS
    base = path.parent if one else path
    return {
        item.relative_to(base).as_posix(): item
        for item in ([path] if one else sorted(path.rglob("*")))
        if item.suffix.lower() in KNOWN
        and (item.is_file() or item.suffix.lower() in FOLDERS)
        and not (item.suffix.lower() == ".dbf" and item.with_suffix(".shp").is_file())
    }


def table_files(table: str, files: Mapping[str, Path], *, source: str) -> list[tuple[str, str]]:
    """Name and inner part (sheet, layer, member) of each file of a table.

    A table is one name, several separated by ``|``, or a pattern such as ``sales*.csv``.

    Raises
    ------
    ConnectError
        A name or pattern means no file; the nearest names are given.
    """
    chosen: list[tuple[str, str]] = []
    for item in listed(table):
        name, _, inner = item.partition("#")
        folded = name.casefold()
        names = (
            [known for known in files if fnmatchcase(known.casefold(), folded)]
            if PATTERN & set(name) and name not in files
            else []
        )
        names = names or [find_table(name, list(files), source=source)]
        chosen += [(known, inner) for known in names]
    return list(dict.fromkeys(chosen))


def readers(
    path: Path, inner: str, options: TableOptions, *, folder: Path, key: Sequence[str]
) -> list[FileReader]:
    """A reader of the file, one for each sheet where several are asked for.

    Parameters
    ----------
    folder : Path
        Where a layout lies that the options name.
    """
    suffix = path.suffix.lower()
    if suffix in EXCEL:
        return [
            ExcelFile(path, options, sheet=sheet, key=key)
            for sheet in _sheets(path, inner or options.sheet)
        ]
    if suffix in PARQUET:
        return [ParquetFile(path, crs=options.crs)]
    if suffix in VECTOR:
        layer = inner or options.layer
        return [VectorFile(path, layer=layer, crs=options.crs, encoding=options.encoding)]
    return [_text_reader(path, inner, options, folder=folder, key=key)]


def _text_reader(
    path: Path, inner: str, options: TableOptions, *, folder: Path, key: Sequence[str]
) -> FileReader:
    suffix = inner_suffix(path, inner)
    name = f"{path.name}#{inner}" if inner and path.suffix.lower() == ZIP else path.name
    opener = partial(open_bytes, path, inner)
    if options.layout:
        return FixedWidthFile(opener, options, folder / options.layout, name=name, key=key)
    if suffix and suffix not in TEXT:
        raise ConfigError(
            f"{name} holds {suffix}, which can be read only uncompressed",
            table=path.name,
            hint=f"decompress {path.name} next to it, and use the name of its contents in the "
            "mapping",
        )
    if suffix in FIXED and not options.delimiter:
        raise ConfigError(
            f"{name} needs a layout or a delimiter",
            table=path.name,
            hint="set layout: layout.csv in options, a CSV file with name, start and length",
        )
    return DelimitedFile(opener, options, name=name, suffix=suffix, key=key)


def _sheets(path: Path, wanted: str) -> list[str]:
    """Sheets by name or pattern; the first (an empty name) when none is asked for."""
    if not wanted:
        return [""]
    known = sheets(path)
    chosen: list[str] = []
    for item in listed(wanted):
        matching = [name for name in known if fnmatchcase(name.casefold(), item.casefold())]
        chosen += [item] if item in known or not matching else matching
    return list(dict.fromkeys(chosen))
