"""Connectors to the test server, for each ODBC driver that is here."""

import os
from pathlib import Path

import pyarrow as pa

from terrafusion_lib.connectors.sql_server.odbc_drivers import find_driver
from terrafusion_lib.connectors.sql_server.options import SqlServerOptions
from terrafusion_lib.connectors.sql_server_connector import SqlServerConnector
from terrafusion_lib.core.county import CountyConfig, SourceConfig
from terrafusion_lib.core.errors import MissingDependencyError
from terrafusion_lib.core.raw import SourceTable
from tests.support import tds_pacs as pacs
from tests.support.require import require
from tests.support.tds_server import NAME, PASSWORD, USER, TdsServer

DRIVERS = ("freetds", "microsoft")
PATHS = [("freetds", False), ("microsoft", True), ("microsoft", False)]
"""Driver, and whether arrow-odbc reads."""

SECRET = "TERRAFUSION_TEST_TDS_PASSWORD"


def driver_or_skip(driver: str) -> None:
    """Skip (fail in CI) with what to install when the ODBC driver is missing."""
    try:
        find_driver(driver)
    except MissingDependencyError as error:
        require(False, str(error))


def options_for(server: TdsServer, **more: object) -> dict[str, object]:
    """Options of the SQL Server connector that reach the test server."""
    os.environ[SECRET] = PASSWORD
    return {
        "host": "127.0.0.1",
        "port": server.port,
        "database": NAME,
        "user": USER,
        "password": f"env:{SECRET}",
        "login_timeout": 5,
        "query_timeout": 30,
        "retries": 0,
    } | more


def client(server: TdsServer, **more: object) -> SqlServerConnector:
    """A connector to the test server."""
    options = SqlServerOptions.model_validate(options_for(server, **more))
    return SqlServerConnector(options, Path("/"))


def sqlite_rows(database: Path, table: SourceTable) -> pa.Table:
    """What the file itself gives."""
    lite = SqlServerConnector(SqlServerOptions(url=f"sqlite:///{database}"), Path("/"))
    return pa.Table.from_batches(lite.read(table, pacs.YEARS))


def read_all(connector: SqlServerConnector, table: SourceTable = pacs.PROPERTY_VAL) -> pa.Table:
    """All rows of a table."""
    return pa.Table.from_batches(connector.read(table, pacs.YEARS))


def county(server: TdsServer, **options: object) -> CountyConfig:
    """A county whose PACS is the test server."""
    return CountyConfig(
        county_id="test_wa",
        name="Test",
        assessment_year=2026,
        sources={
            "pacs": SourceConfig(connector="sql_server", options=options_for(server, **options))
        },
        mapping=Path("m.yaml"),
    )
