"""The operational store: one object for SQLite and PostgreSQL, by URL."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from terrafusion_lib.core.database_url import database_url
from terrafusion_lib.core.declared import result_table
from terrafusion_lib.core.errors import LoadError
from terrafusion_lib.core.log import mask_secrets
from terrafusion_lib.core.progress import Progress, silent
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.store import audit, ledger, migrate, reading
from terrafusion_lib.store.bulk import (
    LoadResult,
    county_transaction,
    load_tables,
    put_results,
)
from terrafusion_lib.store.models import CANONICAL, load_runs
from terrafusion_lib.store.plugin_tables import results_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

BUSY_SECONDS = 60
HINT = (
    "set TERRAFUSION_OPERATIONAL_URL to postgresql://user:env:NAME@host:5432/database, "
    "or leave it empty for SQLite in data/"
)
PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "foreign_keys = ON",
    "cache_size = -131072",  # 128 MB: keys of a county's tables stay in memory while they load
    "temp_store = MEMORY",
)


def open_store(url: str) -> "Store":
    """Open the operational database at `url`; creates nothing yet.

    Raises
    ------
    ConfigError
        The URL is malformed or not for SQLite or PostgreSQL.
    MissingDependencyError
        The database's driver is not installed.
    """
    return Store(database_url(url, setting="TERRAFUSION_OPERATIONAL_URL", hint=HINT))


class Store:
    """The operational database. Use it in a ``with`` block; see `open_store`."""

    def __init__(self, url: sa.URL) -> None:
        self.url = url
        self.sqlite = url.get_backend_name() == "sqlite"
        if self.sqlite:
            if url.database:
                Path(url.database).parent.mkdir(parents=True, exist_ok=True)
            self.engine = sa.create_engine(url, connect_args={"timeout": BUSY_SECONDS})
            sa.event.listen(self.engine, "connect", _configure_sqlite)
            sa.event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = sa.create_engine(url)

    def __enter__(self) -> "Store":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Return all connections."""
        self.engine.dispose()

    def migrate(self) -> None:
        """Upgrade the schema to this version; an up-to-date schema is left alone.

        Raises
        ------
        LoadError
            The database cannot be reached, or was created by a newer version.
        """
        with self._errors("migrate"):
            migrate.upgrade(self.engine)

    def load(
        self,
        county_id: str,
        tables: Mapping[str, Path],
        *,
        run_id: str,
        fingerprint: str,
        clock: Callable[[], datetime],
        quarantine: Path | None = None,
        progress: Progress = silent,
    ) -> LoadResult:
        """Make the county's rows equal to the Parquet files, all tables in one transaction.

        Unchanged rows are not written, rows missing from the files are marked inactive, and rows
        that return become active again. Two loads of one county wait for each other.

        Raises
        ------
        LoadError
            The database rejected the load; nothing from it is kept.
        """
        with self._errors("load", county_id):
            return load_tables(
                self.engine,
                county_id,
                tables,
                run_id=run_id,
                fingerprint=fingerprint,
                quarantine=quarantine,
                now=clock(),
                progress=progress,
            )

    def last_load_fingerprint(self, county_id: str) -> str | None:
        """Fingerprint of the load that wrote the county's rows."""
        query = (
            sa.select(load_runs.c.fingerprint)
            .where(load_runs.c.county_id == county_id)
            .order_by(load_runs.c.load_id.desc())
            .limit(1)
        )
        with self._errors("read", county_id), self.engine.connect() as connection:
            return connection.scalar(query)

    def read(
        self,
        table: str,
        *,
        county_id: str,
        columns: Sequence[str] | None = None,
        active_only: bool = True,
    ) -> "pa.Table":
        """Canonical rows of a county in key order, typed by `core.schema`."""
        source, spec = CANONICAL[table], TABLES[table]
        query = sa.select(*(source.c[name] for name in columns or spec.column_names))
        query = query.where(source.c.county_id == county_id)
        if active_only:
            query = query.where(source.c.is_active)
        query = query.order_by(*(source.c[name] for name in spec.key))
        return self._read(query, spec.arrow_schema())

    def save_results(
        self, tables: "Mapping[str, pa.Table]", *, county_id: str, run_id: str
    ) -> dict[str, int]:
        """Replace the rows of result tables for a county and run, all in one transaction."""
        with self.county_transaction("save results", county_id) as connection:
            return {
                name: put_results(connection, name, table, county_id=county_id, run_id=run_id)
                for name, table in tables.items()
            }

    def read_results(
        self, name: str, *, county_id: str, run_id: str, columns: Sequence[str] | None = None
    ) -> "pa.Table":
        """Rows of a result table in key order, typed as declared by its plugin.

        Raises
        ------
        PluginError
            No plugin declares the table.
        """
        source, spec = results_of(name), result_table(name)
        query = sa.select(*(source.c[column] for column in columns or spec.column_names))
        query = query.where(source.c.county_id == county_id, source.c.run_id == run_id)
        return self._read(query.order_by(*(source.c[key] for key in spec.key)), spec.arrow_schema())

    def has_results(self, county_id: str, run_id: str, name: str) -> bool:
        """Whether the run has rows in a result table."""
        source = results_of(name)
        query = sa.select(sa.literal(1)).where(
            source.c.county_id == county_id, source.c.run_id == run_id
        )
        with self.reading("read", county_id) as connection:
            return connection.scalar(query.limit(1)) is not None

    def audit(
        self, action: str, *, username: str, county_id: str, at: datetime, **detail: Any
    ) -> None:
        """Append to the audit log: who did what, where and when."""
        with self.writing("write the audit log", county_id) as connection:
            audit.append(
                connection,
                at=at,
                username=username,
                action=action,
                county_id=county_id,
                detail=detail,
            )

    def start_run(self, run_id: str, **fields: Any) -> None:
        """Record the start of a run; a resumed run restarts under its id."""
        with self.writing("ledger") as connection:
            ledger.start_run(connection, run_id, **fields)

    def record_step(self, run_id: str, **fields: Any) -> None:
        """Record the outcome of a step."""
        with self.writing("ledger") as connection:
            ledger.record_step(connection, run_id, **fields)

    def finish_run(
        self, run_id: str, *, status: str, finished_at: datetime, message: str = ""
    ) -> None:
        """Record the outcome of a run."""
        values = {"status": status, "finished_at": finished_at, "message": message}
        with self.writing("ledger") as connection:
            ledger.update_run(connection, run_id, **values)

    def promote(self, run_id: str, *, promoted_at: datetime) -> None:
        """Record that a run's results are now current."""
        with self.writing("ledger") as connection:
            ledger.update_run(connection, run_id, promoted_at=promoted_at)

    def close_stale_runs(self, county_id: str, *, clock: Callable[[], datetime]) -> int:
        """Mark runs as failed whose process ended unexpectedly; the caller holds the lock."""
        with self.writing("ledger", county_id) as connection:
            return ledger.close_stale_runs(connection, county_id, clock())

    def list_runs(self, county_id: str | None = None) -> list[dict[str, Any]]:
        """Runs in the ledger, newest first."""
        with self._errors("ledger", county_id), self.engine.connect() as connection:
            return ledger.list_runs(connection, county_id)

    @contextmanager
    def reading(self, what: str, county_id: str | None = None) -> "Iterator[sa.Connection]":
        """A connection for queries.

        Raises
        ------
        LoadError
            The database cannot do `what`.
        """
        with self._errors(what, county_id), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def county_transaction(self, what: str, county_id: str) -> "Iterator[sa.Connection]":
        """A write transaction that excludes loads of the county; see `reading`."""
        with (
            self._errors(what, county_id),
            county_transaction(self.engine, county_id) as connection,
        ):
            yield connection

    @contextmanager
    def writing(self, what: str, county_id: str | None = None) -> "Iterator[sa.Connection]":
        """A transaction that holds SQLite's write lock from its first statement; see `reading`."""
        with (
            self._errors(what, county_id),
            self.engine.connect().execution_options(immediate=True) as connection,
            connection.begin(),
        ):
            yield connection

    def _read(self, query: sa.Select[Any], schema: "pa.Schema") -> "pa.Table":
        with self._errors("read"):
            return reading.read_arrow(self.engine, query, schema)

    @contextmanager
    def _errors(self, what: str, county_id: str | None = None) -> "Iterator[None]":
        driver = self.engine.dialect.loaded_dbapi.Error
        try:
            yield
        except (DBAPIError, driver) as error:
            text = mask_secrets(str(getattr(error, "orig", error))).strip()
            raise LoadError(
                f"The operational database could not {what}: {text}",
                county=county_id,
                cause=_cause(text),
                hint=f"look at {self.url.render_as_string()}; its last good state remains",
            ) from error


def _cause(text: str) -> str | None:
    """The likely cause of a database error, in plain words."""
    causes = {
        "is full": "the disk is full",
        "No space left": "the disk is full",
        "locked": f"another load has held the database for {BUSY_SECONDS} seconds",
        "lock timeout": f"another load has held the county for {BUSY_SECONDS} seconds",
        "Connection refused": "the server is not running or is at another address",
        "password authentication": "the user or password is wrong",
        "no such table": "the database has not been migrated",
    }
    return next((cause for sign, cause in causes.items() if sign in text), None)


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    """Begin immediately: the driver would begin only at the first write, and not before DDL."""
    immediate = connection.get_execution_options().get("immediate")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
