"""CSV, fixed-width text, Excel, Parquet and vector files of a folder, as tables."""

from collections.abc import Generator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

import pyarrow as pa
from pydantic import Field

from terrafusion_lib.connectors.files.excel import sheets
from terrafusion_lib.connectors.files.opened import ZIP, members
from terrafusion_lib.connectors.files.options import table_options
from terrafusion_lib.connectors.files.parts import (
    EXCEL,
    FOLDERS,
    readers,
    source_files,
    table_files,
)
from terrafusion_lib.connectors.files.reading import Reading
from terrafusion_lib.connectors.files.vector import layers, parts
from terrafusion_lib.connectors.protocol import BATCH_ROWS, Capabilities, CheckItem, SourceColumn
from terrafusion_lib.core.config import FrozenModel
from terrafusion_lib.core.errors import ConfigError, ConnectError, TerraFusionError
from terrafusion_lib.core.raw import RawType, ReadAccount, SourceTable
from terrafusion_lib.core.secrets import resolve

INSIDE = dict.fromkeys(EXCEL, sheets) | {".gpkg": layers, ".gdb": layers, ZIP: members}
LOOK_WHOLE = 32 << 20
"""Bytes up to which a connection check reads a table's files whole."""
LOOK_BATCHES = 4


class FileOptions(FrozenModel):
    """Location of the files."""

    path: str = Field(description="Folder, or one file; may be a reference such as env:NAME")


class FileConnector:
    """Files as tables, named relative to the folder; a sheet is ``book.xlsx#Sheet1``, a layer
    ``county.gpkg#parcels``, several files ``sales*.csv`` or ``sales_2024.csv|sales_2025.csv``.

    A column in which any value cannot be read as declared is text in the whole raw table: the
    mapping then converts value by value and counts what fails.
    """

    name = "file"
    Options = FileOptions
    capabilities = Capabilities(pushdown=False, row_estimate=True, freshness=True, cancel=True)

    def __init__(self, options: FileOptions, folder: Path) -> None:
        self.options = options
        self._folder = folder
        self._accounts: dict[str, ReadAccount] = {}

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
            count = len(source_files(self.path))
        except TerraFusionError as error:
            return [CheckItem("path", False, error.what, error.hint or "")]
        return [CheckItem("path", True, f"{self.path}: {count} readable files")]

    def tables(self) -> list[str]:
        """Readable files, sorted; workbooks also by sheet, databases by layer."""
        names = []
        for name, path in source_files(self.path).items():
            inside = INSIDE.get(path.suffix.lower())
            names += [name, *(f"{name}#{item}" for item in (inside(path) if inside else ()))]
        return names

    def columns(self, table: str) -> list[SourceColumn]:
        wanted = SourceTable(name=table, source="", table=table, columns={})
        return self._reading(wanted).files[0].columns()

    def verify(self, table: SourceTable) -> None:
        if not self._absent(table):
            _ = self._reading(table).names

    def row_estimate(self, table: SourceTable, years: Sequence[int]) -> int | None:  # noqa: ARG002 - files are not filtered before they are read
        if self._absent(table):
            return 0
        counts = [file.row_count() for file in self._reading(table).files]
        known = [count for count in counts if count is not None]
        return None if table.filters or len(known) < len(counts) else sum(known)

    def freshness(self, table: SourceTable) -> str:
        """Size and time of the files, and of all files that belong to them."""
        if self._absent(table):
            return "absent"
        states = [path.stat() for path in self._paths(table)]
        size, time = sum(s.st_size for s in states), max(s.st_mtime_ns for s in states)
        return f"{size} bytes at {time}"

    def account(self, table: SourceTable) -> ReadAccount | None:
        """Lines, records and rows of the last reading that ended; None before it."""
        return self._accounts.get(table.name)

    def look(self, table: SourceTable) -> str:
        """What a reading finds: of small files all, of large ones the beginning."""
        if self._absent(table):
            return "absent (optional)"
        reading = self._reading(table.model_copy(update={"filters": ()}))
        if sum(path.stat().st_size for path in self._paths(table)) > LOOK_WHOLE:
            with closing(reading.typed(BATCH_ROWS)) as sample:
                rows = sum(len(columns[0]) for columns in islice(sample, LOOK_BATCHES))
            return f"the first {rows:,} rows can be read{_as_text(reading)}"
        batches = reading.batches([], BATCH_ROWS)
        rows = 0
        try:
            while True:
                rows += next(batches).num_rows
        except StopIteration as end:
            return f"{rows:,} rows{end.value.told()}{_as_text(reading)}"

    def read(
        self, table: SourceTable, years: Sequence[int], *, batch_rows: int = BATCH_ROWS
    ) -> Generator[pa.RecordBatch]:
        if not self._absent(table):
            reading = self._reading(table)
            self._accounts[table.name] = yield from reading.batches(years, batch_rows)

    def close(self) -> None:
        """Nothing is held open between calls."""

    def _reading(self, table: SourceTable) -> Reading:
        options, files, folder = table_options(table), source_files(self.path), self._base
        return Reading(
            table,
            options,
            [
                reader
                for name, inner in table_files(table.table, files, source=str(self.path))
                for reader in readers(files[name], inner, options, folder=folder, key=table.key)
            ],
        )

    def _paths(self, table: SourceTable) -> list[Path]:
        """All files that belong to a table, a layout among them."""
        files, layout = source_files(self.path), table_options(table).layout
        named = table_files(table.table, files, source=str(self.path))
        paths = [part for name in dict.fromkeys(n for n, _ in named) for part in parts(files[name])]
        beside = self._base / layout
        return [*paths, beside] if layout and beside.is_file() else paths

    @property
    def _base(self) -> Path:
        """The folder that names of files and layouts begin at."""
        path = self.path
        return path.parent if path.is_file() or path.suffix.lower() in FOLDERS else path

    def _absent(self, table: SourceTable) -> bool:
        """Whether the table is optional and missing: no such file or folder, or none configured."""
        if not table.optional:
            return False
        try:
            table_files(table.table, source_files(self.path), source="")
        except (ConfigError, ConnectError):
            return True
        return False


def _as_text(reading: Reading) -> str:
    """Columns that are not of their declared type."""
    names = [
        f"{name} ({declared.value})"
        for (name, declared), kind in zip(reading.table.columns.items(), reading.kinds, strict=True)
        if kind is RawType.TEXT and declared is not RawType.TEXT
    ]
    return f"; not all as declared, so read as text: {', '.join(names)}" if names else ""
