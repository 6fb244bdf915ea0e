"""One login to SQL Server: SQLAlchemy's engine on pyodbc, with errors translated."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from terrafusion_lib.connectors.retries import retrying
from terrafusion_lib.connectors.sql_server.odbc_connection import Login, connection_string, reach
from terrafusion_lib.connectors.sql_server.odbc_drivers import Driver, find_driver, import_pyodbc
from terrafusion_lib.connectors.sql_server.odbc_errors import explain
from terrafusion_lib.connectors.sql_server.options import SqlServerOptions


class OdbcSession:
    """Connects on first use; sends only SELECT statements."""

    def __init__(self, options: SqlServerOptions) -> None:
        self.options = options
        self._connected = False

    @cached_property
    def driver(self) -> Driver:
        return find_driver(self.options.driver)

    @cached_property
    def login(self) -> Login:
        return self.options.login()

    @cached_property
    def engine(self) -> sa.Engine:
        """One pooled connection; autocommit, so no transaction stays open on the server."""
        return sa.create_engine(
            "mssql+pyodbc://",
            creator=self._connect,
            pool_size=1,
            isolation_level="AUTOCOMMIT",
        )

    def connection_string(self) -> str:
        """The connection string, for a reader that connects itself; contains the password."""
        return connection_string(self.driver, self.login)

    def rows(self, statement: sa.TextClause, **values: object) -> list[tuple[Any, ...]]:
        """All rows of a catalog query; transient faults are retried.

        Raises
        ------
        ConnectError
            The server or the driver rejected the query.
        """
        return retrying(self.options.retries)(self._rows_once, statement, values)

    @contextmanager
    def translated(self, table: str | None = None) -> Iterator[None]:
        """Convert errors of SQLAlchemy, pyodbc and arrow-odbc to TerraFusion errors."""
        pyodbc = import_pyodbc()
        import arrow_odbc

        try:
            yield
        except (sa.exc.DBAPIError, pyodbc.Error, arrow_odbc.Error) as error:
            self.close()
            original = getattr(error, "orig", None) or error
            raise explain(
                original,
                server=self.login.server,
                secret=self.login.password,
                table=table,
                connected=self._connected,
            ) from None

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        if "engine" in self.__dict__:
            self.engine.dispose()

    def _connect(self) -> Any:
        if not self._connected:
            reach(self.login, self.options.login_timeout)
        connection = import_pyodbc().connect(
            self.connection_string(),
            autocommit=True,
            readonly=True,
            timeout=self.options.login_timeout,
        )
        connection.timeout = self.options.query_timeout
        self._connected = True
        return connection

    def _rows_once(
        self, statement: sa.TextClause, values: dict[str, object]
    ) -> list[tuple[Any, ...]]:
        with self.translated(), self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(statement, values)]
