"""SQL Server end to end: real ODBC drivers read a TDS server on loopback, faults and all."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from terrafusion_lib.connectors.check import check_sources
from terrafusion_lib.connectors.protocol import TransientError
from terrafusion_lib.connectors.sql_server.odbc_session import OdbcSession
from terrafusion_lib.connectors.sql_server_connector import SqlServerConnector
from terrafusion_lib.core.errors import ConnectError
from terrafusion_lib.core.raw import RawType, SourceTable
from terrafusion_lib.core.settings import Settings
from tests.support import tds_pacs as pacs
from tests.support.tds_certificate import server_context
from tests.support.tds_clients import (
    DRIVERS,
    PATHS,
    client,
    county,
    driver_or_skip,
    read_all,
    sqlite_rows,
)
from tests.support.tds_server import PASSWORD, Fault, TdsServer

pytestmark = pytest.mark.odbc
READ = "FROM dbo.property_val"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pacs.build(tmp_path_factory.mktemp("tds") / "pacs.sqlite")


@pytest.fixture
def server(database: Path) -> Iterator[TdsServer]:
    with TdsServer(database).running() as found:
        yield found


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> str:
    driver_or_skip(request.param)
    return str(request.param)


@pytest.fixture(params=PATHS, ids=lambda path: f"{path[0]}-{'arrow' if path[1] else 'pyodbc'}")
def source(request: pytest.FixtureRequest, server: TdsServer) -> Iterator[SqlServerConnector]:
    driver, arrow = request.param
    driver_or_skip(driver)
    connector = client(server, driver=driver, arrow=arrow, encrypt=False)
    yield connector
    connector.close()


@pytest.mark.parametrize(
    "table",
    [pacs.PROPERTY_VAL, pacs.LONG_TEXT, pacs.LIVE_DETAIL, pacs.ACTIVE],
    ids=lambda table: table.name,
)
def test_rows_are_those_of_the_file_to_the_last_value(
    source: SqlServerConnector, database: Path, table: SourceTable
) -> None:
    found = read_all(source, table)
    assert found.num_rows > 0
    assert found.equals(sqlite_rows(database, table))


def test_only_selects_are_sent_and_the_login_wants_to_read(
    source: SqlServerConnector, server: TdsServer
) -> None:
    read_all(source)
    source.freshness(pacs.PROPERTY_VAL)
    words = {statement.split(None, 1)[0].upper() for statement in server.statements}
    assert words <= {"SELECT", "SET", "USE", "SP_DATATYPE_INFO_100"}
    assert {(login["read_only"], login["application"]) for login in server.logins} == {
        (True, "TerraFusion")
    }


def test_catalog_queries_send_values_as_parameters(
    source: SqlServerConnector, server: TdsServer
) -> None:
    columns = {column.name: column.type for column in source.columns("property_val")}
    assert columns["legal_acreage"] == "numeric(14,4)"
    assert columns["remarks"] == "varchar(max)"
    assert columns["tsRowVersion"] == "timestamp"
    [sql] = server.selects("INFORMATION_SCHEMA.COLUMNS")
    assert "@P1" in sql
    assert "property_val" not in sql


def test_freshness_is_unknown_without_the_right_to_see_it(database: Path, driver: str) -> None:
    with TdsServer(database, statistics=False).running() as server:
        connector = client(server, driver=driver, encrypt=False)
        assert connector.freshness(pacs.PROPERTY_VAL) == ""
        line = connector.check()[-1]
        assert (line.name, line.ok) == ("freshness", None)
        assert "GRANT VIEW SERVER STATE" in line.hint


def test_a_table_dropped_since_the_check_is_named(
    source: SqlServerConnector, server: TdsServer
) -> None:
    server.faults.append(Fault("dropped", READ))
    with pytest.raises(ConnectError, match=r"A table does not exist .*dbo\.property_val"):
        read_all(source)


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("SELECT a FROM dbo.nowhere", 208),
        ("SELECT zilch FROM dbo.property_val", 207),
        ("DELETE FROM dbo.property_val", 102),
    ],
)
def test_the_server_refuses_as_sql_server_does(
    server: TdsServer, driver: str, sql: str, number: int
) -> None:
    session = OdbcSession(client(server, driver=driver, encrypt=False).options)
    with pytest.raises(ConnectError, match=rf"\({number}\)"):
        session.rows(sa.text(sql))
    session.close()


def test_a_changed_type_is_told_before_reading(
    source: SqlServerConnector, server: TdsServer
) -> None:
    wrong = pacs.PROPERTY_VAL.model_copy(update={"columns": {"legal_desc": RawType.INTEGER}})
    with pytest.raises(ConnectError, match=r"declared integer, at the source varchar\(255\)"):
        read_all(source, wrong)
    assert not server.selects(READ)


# Logging in


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"user": "nobody"}, "refused the login.*check the variables for user and password"),
        ({"database": "pacs_training"}, "has no database by that name"),
        ({"port": 1}, "cannot be reached: Connection refused.*nc -vz 127.0.0.1 1"),
        ({"host": "no-such-host.invalid"}, "no-such-host.invalid:.* cannot be reached"),
    ],
)
def test_a_login_that_fails_says_why_and_what_to_do(
    server: TdsServer, driver: str, changed: dict[str, object], message: str
) -> None:
    connector = client(server, driver=driver, encrypt=False, **changed)
    with pytest.raises(ConnectError, match=message) as caught:
        connector.tables()
    assert not isinstance(caught.value, TransientError)
    assert PASSWORD not in str(caught.value)
    assert next(item.name for item in connector.check() if item.ok is False) in ("server", "login")


def test_a_refused_login_is_tried_once(
    server: TdsServer, driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WRONG_PASSWORD", "hunter2;}")
    connector = client(
        server, driver=driver, encrypt=False, password="env:WRONG_PASSWORD", retries=3
    )
    with pytest.raises(ConnectError, match="refused the login") as caught:
        connector.tables()
    assert len(server.logins) == 1
    assert server.logins[0]["password"] == "hunter2;}"
    assert "hunter2" not in repr(caught.value) + str(caught.value)


@pytest.mark.parametrize(
    "password", ["plain", "a;b", "a}b", "{ab", "a=b c", 'it\'s "quoted"', "ünï"]
)
def test_any_password_arrives_as_it_is(
    server: TdsServer, driver: str, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setenv("ODD_PASSWORD", password)
    with pytest.raises(ConnectError, match="refused the login"):
        client(server, driver=driver, encrypt=False, password="env:ODD_PASSWORD").tables()
    assert server.logins[0]["password"] == password


# Encryption


def test_encryption_is_the_default_and_a_server_without_it_is_refused(
    server: TdsServer, driver: str
) -> None:
    with pytest.raises(ConnectError, match="no encrypted connection could be made"):
        client(server, driver=driver).tables()
    assert server.logins == []


@pytest.fixture(scope="module")
def secure(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TdsServer]:
    folder = tmp_path_factory.mktemp("certificate")
    context = server_context(folder)
    with TdsServer(database, context).running() as found:
        found.certificate = folder / "server.pem"
        yield found


def test_a_certificate_that_nobody_vouches_for_is_refused(secure: TdsServer, driver: str) -> None:
    secure.logins.clear()
    with pytest.raises(ConnectError, match=r"no encrypted.*trust_server_certificate"):
        client(secure, driver=driver).tables()
    assert secure.logins == []


@pytest.mark.parametrize("arrow", [True, False], ids=["arrow", "pyodbc"])
def test_an_encrypted_read_with_a_trusted_certificate(
    secure: TdsServer, driver: str, arrow: bool, database: Path
) -> None:
    secure.logins.clear()
    connector = client(secure, driver=driver, arrow=arrow, trust_server_certificate=True)
    assert read_all(connector).equals(sqlite_rows(database, pacs.PROPERTY_VAL))
    assert {login["encrypted"] for login in secure.logins} == {True}
    assert "encrypted" in next(item.detail for item in connector.check() if item.name == "login")
    connector.close()


def test_freetds_verifies_the_certificate_that_is_named(secure: TdsServer) -> None:
    driver_or_skip("freetds")
    named = {"driver": "freetds", "server_certificate": str(secure.certificate)}
    assert client(secure, **named).tables()
    with pytest.raises(ConnectError, match="no encrypted connection"):
        client(secure, **named | {"host": "127.1"}).tables()  # the same place by another name


def test_microsofts_driver_verifies_against_the_certificates_of_the_system(
    secure: TdsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver_or_skip("microsoft")
    with pytest.raises(ConnectError, match="no encrypted connection"):
        client(secure, driver="microsoft").tables()
    monkeypatch.setenv("SSL_CERT_FILE", str(secure.certificate))
    assert client(secure, driver="microsoft", host="localhost").tables()


# The whole connect step


def test_the_check_names_every_table_and_what_is_missing(
    server: TdsServer, driver: str, tmp_path: Path
) -> None:
    wrong = pacs.EMPTY.model_copy(update={"name": "w", "columns": {"permit": RawType.TEXT}})
    gone = pacs.EMPTY.model_copy(update={"name": "g", "table": "dbo.bilding_permit"})
    lines = {
        item.name: item
        for item in check_sources(
            county(server, driver=driver, encrypt=False),
            {"property_val": pacs.PROPERTY_VAL, "w": wrong, "g": gone},
            settings=Settings(root=tmp_path, data_dir=tmp_path),
        )
    }
    assert [name for name, item in lines.items() if item.ok] == [
        "pacs: driver",
        "pacs: credentials",
        "pacs: server",
        "pacs: login",
        "pacs: freshness",
        "pacs: table dbo.property_val",
        "pacs: year layers",
        "pacs: current supplement",
    ]
    assert "did you mean dbo.building_permit" in lines["pacs: table dbo.bilding_permit"].hint
    assert "permit" in lines["pacs: table dbo.building_permit"].detail
    assert lines["pacs: current supplement"].detail.startswith("1,500 properties")


def test_two_drivers_in_two_threads_do_not_disturb_each_other(
    server: TdsServer, database: Path
) -> None:
    for name in DRIVERS:
        driver_or_skip(name)
    want = sqlite_rows(database, pacs.PROPERTY_VAL)
    found: dict[str, bool] = {}

    def read(name: str) -> None:
        connector = client(server, driver=name, encrypt=False)
        found[name] = read_all(connector).equals(want)
        connector.close()

    threads = [threading.Thread(target=read, args=(name,)) for name in DRIVERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == dict.fromkeys(DRIVERS, True)
