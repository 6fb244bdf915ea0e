"""CSV, TSV, Excel, Parquet and vector files in a folder, as tables."""

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa
from pydantic import Field

from terrafusion_lib.connectors.files.delimited import DELIMITERS, DelimitedFile
from terrafusion_lib.connectors.files.excel import ExcelFile
from terrafusion_lib.connectors.files.file_tables import (
    TableOptions,
    as_kind,
    find_unique,
    keep,
    readable,
    table_options,
)
from terrafusion_lib.connectors.files.parquet import ParquetFile
from terrafusion_lib.connectors.files.vector import VECTOR, VectorFile, layers, parts
from terrafusion_lib.connectors.protocol import (
    ARROW_TYPES,
    BATCH_ROWS,
    Capabilities,
    CheckItem,
    SourceColumn,
    find_table,
)
from terrafusion_lib.core.config import FrozenModel
from terrafusion_lib.core.errors import ConfigError, ConnectError, TerraFusionError
from terrafusion_lib.core.raw import RawType, SourceTable
from terrafusion_lib.core.secrets import resolve

EXCEL = {".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"}
PARQUET = {".parquet", ".geoparquet", ".pq"}
LAYERED = {".gpkg", ".gdb"}
FOLDERS = {".gdb"}


class FileOptions(FrozenModel):
    """Location of the files."""

    path: str = Field(description="Folder, or one file; may be a reference such as env:NAME")


class FileReader(Protocol):
    """What the connector needs of a file format."""

    def columns(self) -> list[SourceColumn]: ...
    def row_count(self) -> int: ...
    def batches(self, names: Sequence[str], batch_rows: int) -> Iterator[list[pa.Array]]: ...


class FileConnector:
    """Files as tables, named relative to the folder; a sheet is ``book.xlsx#Sheet1``, a layer
    ``county.gpkg#parcels``.

    If any value in a column cannot be read as declared, the whole column stays text in the raw
    table: the mapping then converts each value and counts failures. Files are therefore read
    twice, once to find such columns and once for the rows.
    """

    name = "file"
    Options = FileOptions
    capabilities = Capabilities(pushdown=False, row_estimate=True, freshness=True, cancel=True)

    def __init__(self, options: FileOptions, folder: Path) -> None:
        self.options = options
        self._folder = folder

    @property
    def path(self) -> Path:
        """The folder or file from the options.

        Raises
        ------
        ConnectError
            It does not exist.
        """
        path = self._folder / Path(resolve(self.options.path, what="path of the file source"))
        if not path.exists():
            raise ConnectError(
                f"{path} does not exist",
                hint="put the file there, or correct the path in county.yaml",
            )
        return path

    def check(self) -> list[CheckItem]:
        try:
            count = len(self._files())
        except TerraFusionError as error:
            return [CheckItem("path", False, error.what, error.hint or "")]
        return [CheckItem("path", True, f"{self.path}: {count} readable files")]

    def tables(self) -> list[str]:
        """Readable files, sorted; workbooks also by sheet, databases by layer."""
        names = []
        for name, path in self._files().items():
            names.append(name)
            if path.suffix.lower() in EXCEL:
                names += [f"{name}#{sheet}" for sheet in ExcelFile(path).sheets()]
            elif path.suffix.lower() in LAYERED:
                names += [f"{name}#{layer}" for layer in layers(path)]
        return names

    def columns(self, table: str) -> list[SourceColumn]:
        return self._reader(table, TableOptions()).columns()

    def verify(self, table: SourceTable) -> None:
        if not self._absent(table):
            reader = self._reader(table.table, table_options(table))
            find_unique(table, reader.columns())

    def row_estimate(self, table: SourceTable, years: Sequence[int]) -> int | None:  # noqa: ARG002 - files are not filtered before they are read
        if self._absent(table):
            return 0
        reader = self._reader(table.table, table_options(table))
        return None if table.filters else reader.row_count()

    def freshness(self, table: SourceTable) -> str:
        """Size and time of the file, or of all files that belong to it."""
        if self._absent(table):
            return "absent"
        states = [path.stat() for path in parts(self._file(table.table))]
        size, time = sum(s.st_size for s in states), max(s.st_mtime_ns for s in states)
        return f"{size} bytes at {time}"

    def read(
        self, table: SourceTable, years: Sequence[int], *, batch_rows: int = BATCH_ROWS
    ) -> Generator[pa.RecordBatch]:
        if self._absent(table):
            return
        options = table_options(table)
        reader = self._reader(table.table, options)
        names = find_unique(table, reader.columns())
        kinds = list(table.columns.values())
        for arrays in reader.batches(names, batch_rows):
            kinds = [
                kind if readable(array, kind, options) else RawType.TEXT
                for array, kind in zip(arrays, kinds, strict=True)
            ]
        schema = pa.schema(zip(table.columns, (ARROW_TYPES[kind] for kind in kinds), strict=True))
        for arrays in reader.batches(names, batch_rows):
            read = [
                as_kind(array, kind, options) for array, kind in zip(arrays, kinds, strict=True)
            ]
            batch = pa.RecordBatch.from_arrays(read, schema=schema)
            for item in table.filters:
                batch = batch.filter(keep(batch, item, years, table))
            yield batch

    def close(self) -> None:
        """Nothing is held open between calls."""

    def _files(self) -> dict[str, Path]:
        """Files of a known format, by name relative to the folder."""
        path = self.path
        one = path.is_file() or path.suffix.lower() in FOLDERS
        found = [path] if one else sorted(path.rglob("*"))
        base = path.parent if one else path
        known = EXCEL | PARQUET | VECTOR | DELIMITERS.keys()
        return {
            item.relative_to(base).as_posix(): item
            for item in found
            if item.suffix.lower() in known and (item.is_file() or item.suffix.lower() in FOLDERS)
        }

    def _file(self, table: str) -> Path:
        files = self._files()
        return files[find_table(table.partition("#")[0], list(files), source=str(self.path))]

    def _absent(self, table: SourceTable) -> bool:
        """Whether the table is optional and missing: no such file or folder, or none configured."""
        if not table.optional:
            return False
        try:
            names = {name.casefold() for name in self._files()}
        except (ConfigError, ConnectError):
            return True
        return table.table.partition("#")[0].casefold() not in names

    def _reader(self, table: str, options: TableOptions) -> FileReader:
        path = self._file(table)
        if path.suffix.lower() in EXCEL:
            return ExcelFile(path, sheet=table.partition("#")[2] or options.sheet)
        if path.suffix.lower() in PARQUET:
            return ParquetFile(path, crs=options.crs)
        if path.suffix.lower() in VECTOR:
            return VectorFile(path, layer=table.partition("#")[2] or options.layer, crs=options.crs)
        return DelimitedFile(
            path,
            encoding=options.encoding,
            delimiter=options.delimiter,
            null_values=options.nulls,
        )
