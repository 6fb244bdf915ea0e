"""ClickHouse's engine in this process, on a folder with versions instead of one locked folder.

The engine lets only one process open a folder. A load therefore creates a new version of the
folder and makes it current at the end; readers work on their own copy. Column files never change
once written, so a copy consists of hard links and takes no space.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from terrafusion_lib.analytics.clickhouse_store import ClickHouseAnalytics
from terrafusion_lib.analytics.dialect import ClickHouseDialect
from terrafusion_lib.analytics.fact_table import FactTable
from terrafusion_lib.analytics.partitions import Partition
from terrafusion_lib.analytics.totals import Totals
from terrafusion_lib.core.errors import LoadError
from terrafusion_lib.core.files import write_text
from terrafusion_lib.core.locks import one_writer
from terrafusion_lib.core.packages import optional_package
from terrafusion_lib.core.processes import lives

STORE = "The analytics store chdb"
CURRENT = "CURRENT"
READER = ".reader-"
NEVER_CHANGED = (".bin", ".mrk2", ".mrk3", ".mrk4", ".cmrk2", ".cmrk3", ".cmrk4")


class ChdbAnalytics:
    """The same tables as on a ClickHouse server, in a folder, with all-or-nothing loads."""

    dialect = ClickHouseDialect()

    def __init__(self, folder: Path, database: str, *, threads: int) -> None:
        self.folder = folder
        self._database = database
        self._threads = threads
        self._reader: ClickHouseAnalytics | None = None
        self._read_version = ""
        self._copy: tempfile.TemporaryDirectory[str] | None = None

    def query(self, sql: str, parameters: Mapping[str, Any]) -> pa.Table:
        """Result from the newest finished load; see `ClickHouseAnalytics.query`."""
        return self._open_reader().query(sql, parameters)

    def contents(self, fact: FactTable, county_id: str) -> dict[int, str]:
        """Content hash by year of the county's rows in the table."""
        if not self._version():
            return {}
        return self._open_reader().contents(fact, county_id)

    def apply(self, partitions: Iterable[Partition]) -> list[Totals]:
        """Replace partitions, all or none; see `ClickHouseAnalytics.apply`."""
        self.close()
        with one_writer(self.folder / ".lock"), _file_errors(self.folder):
            current = self._version()
            self._remove_others(current)
            version = f"version-{int(current.partition('-')[2] or 0) + 1:06d}"
            if current:
                link_tree(self.folder / current, self.folder / version)
            with self._opened(self.folder / version) as writer:
                loaded = writer.apply(partitions)
            write_text(self.folder / CURRENT, version)
            self._remove_others(version)
        return loaded

    def close(self) -> None:
        """Close the engine and remove this process's copy."""
        if self._reader:
            self._reader.close()
        if self._copy:
            self._copy.cleanup()
        self._reader, self._copy = None, None

    def _version(self) -> str:
        path = self.folder / CURRENT
        return path.read_text(encoding="utf-8").strip() if path.is_file() else ""

    def _remove_others(self, keep: str) -> None:
        """Remove all versions but one, and copies of killed readers."""
        for path in self.folder.glob("version-*"):
            if path.name != keep:
                shutil.rmtree(path, ignore_errors=True)
        for path in self.folder.glob(f"{READER}*"):
            if not lives(int(path.name.split("-")[1])):
                shutil.rmtree(path, ignore_errors=True)

    def _open_reader(self) -> ClickHouseAnalytics:
        version = self._version()
        if not version:
            raise LoadError(
                f"{self.folder} has no facts: nothing has been loaded",
                hint="terrafusion run <county>",
            )
        if self._reader is None or version != self._read_version:
            self.close()
            self._copy = tempfile.TemporaryDirectory(
                prefix=f"{READER}{os.getpid()}-", dir=self.folder
            )
            copy = Path(self._copy.name) / "data"
            with _file_errors(self.folder):
                link_tree(self.folder / version, copy)
            self._reader = ClickHouseAnalytics(self._client(copy), self._database)
            self._read_version = version
        return self._reader

    @contextmanager
    def _opened(self, folder: Path) -> Iterator[ClickHouseAnalytics]:
        store = ClickHouseAnalytics(self._client(folder), self._database)
        try:
            yield store
        finally:
            store.close()

    def _client(self, folder: Path) -> Any:
        clickhouse_connect = optional_package("clickhouse-connect", STORE)
        optional_package("chdb", STORE)
        from clickhouse_connect.driver.exceptions import ClickHouseError

        try:
            import chdb  # noqa: F401 - what the interface's name stands for

            return clickhouse_connect.get_client(
                interface="chdb", path=str(folder), settings={"max_threads": self._threads}
            )
        except ClickHouseError as error:
            raise LoadError(
                f"ClickHouse's engine cannot open {folder}: {error}",
                cause="this process has another chdb folder open",
                hint="close that store first",
            ) from error


def link_tree(source: Path, target: Path) -> None:
    """A copy of `source` whose never-changing files are hard links."""

    def link_or_copy(path: str, other: str) -> None:
        if path.endswith(NEVER_CHANGED):
            os.link(path, other)
        else:
            shutil.copyfile(path, other)

    shutil.copytree(source, target, copy_function=link_or_copy, symlinks=True)


@contextmanager
def _file_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LoadError(
            f"The analytics folder cannot be written or read: {error}",
            cause="the disk is full, or another process is loading",
            hint=f"check {folder}; its last good state remains",
        ) from error
