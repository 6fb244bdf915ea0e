"""Connectors to the test server, for each ODBC driver that is here."""

import os
from pathlib import Path

from terrafusion_lib.connectors.odbc_drivers import find_driver
from terrafusion_lib.connectors.sql_server_connector import SqlServerConnector
from terrafusion_lib.connectors.sql_server_options import SqlServerOptions
from terrafusion_lib.core.errors import MissingDependencyError
from tests.support.require import require
from tests.support.tds_server import NAME, PASSWORD, USER, TdsServer

DRIVERS = ("freetds", "microsoft")
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
