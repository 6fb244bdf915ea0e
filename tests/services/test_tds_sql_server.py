"""SQL Server end to end: real ODBC drivers read a TDS server on loopback, faults and all."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from terrafusion_lib.connectors import retries
from terrafusion_lib.connectors.check import check_sources
from terrafusion_lib.connectors.odbc_drivers import Dialect, Driver
from terrafusion_lib.connectors.odbc_session import OdbcSession
from terrafusion_lib.connectors.odbc_stream import arrow_serves
from terrafusion_lib.connectors.protocol import SourceColumn, TransientError
from terrafusion_lib.connectors.raw_layer import extract
from terrafusion_lib.connectors.sql_server_connector import SqlServerConnector
from terrafusion_lib.connectors.sql_server_options import SqlServerOptions
from terrafusion_lib.core.county import CountyConfig, SourceConfig
from terrafusion_lib.core.errors import ConnectError
from terrafusion_lib.core.raw import RawType, SourceTable
from terrafusion_lib.core.settings import Settings
from tests.support import tds_pacs as pacs
from tests.support.require import ROOT
from tests.support.tds_certificate import server_context
from tests.support.tds_clients import DRIVERS, client, driver_or_skip, options_for
from tests.support.tds_server import PASSWORD, Fault, TdsServer

pytestmark = pytest.mark.odbc
PATHS = [("freetds", False), ("microsoft", True), ("microsoft", False)]
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


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.01)


def sqlite_rows(database: Path, table: SourceTable) -> pa.Table:
    lite = SqlServerConnector(SqlServerOptions(url=f"sqlite:///{database}"), Path("/"))
    return pa.Table.from_batches(lite.read(table, pacs.YEARS))


def rows(connector: SqlServerConnector, table: SourceTable = pacs.PROPERTY_VAL) -> pa.Table:
    return pa.Table.from_batches(connector.read(table, pacs.YEARS))


def county(server: TdsServer, **options: object) -> CountyConfig:
    return CountyConfig(
        county_id="test_wa",
        name="Test",
        assessment_year=2026,
        sources={
            "pacs": SourceConfig(connector="sql_server", options=options_for(server, **options))
        },
        mapping=Path("m.yaml"),
    )


@pytest.mark.parametrize(
    "table",
    [pacs.PROPERTY_VAL, pacs.LONG_TEXT, pacs.LIVE_DETAIL, pacs.ACTIVE],
    ids=lambda table: table.name,
)
def test_rows_are_those_of_the_file_to_the_last_value(
    source: SqlServerConnector, database: Path, table: SourceTable
) -> None:
    found = rows(source, table)
    assert found.num_rows > 0
    assert found.equals(sqlite_rows(database, table))


def test_only_selects_are_sent_and_the_login_wants_to_read(
    source: SqlServerConnector, server: TdsServer
) -> None:
    rows(source)
    source.freshness(pacs.PROPERTY_VAL)
    words = {statement.split(None, 1)[0].upper() for statement in server.statements}
    assert words <= {"SELECT", "SET", "USE", "SP_DATATYPE_INFO_100"}
    assert {(login["read_only"], login["application"]) for login in server.logins} == {
        (True, "TerraFusion")
    }


def test_catalogue_queries_send_values_as_parameters(
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
        rows(source)


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
        rows(source, wrong)
    assert not server.selects(READ)


# Logging in


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"user": "nobody"}, "refused the login.*check the variables that user and password"),
        ({"database": "pacs_training"}, "has no database of that name"),
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
    assert rows(connector).equals(sqlite_rows(database, pacs.PROPERTY_VAL))
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


# Faults on the wire


@pytest.mark.parametrize("kind", ["deadlock", "cut"])
@pytest.mark.usefixtures("patient")
def test_a_fault_in_mid_stream_begins_the_table_again(
    server: TdsServer, source: SqlServerConnector, tmp_path: Path, kind: str
) -> None:
    server.faults.append(Fault(kind, READ, rows=1_700, times=2))
    options = source.options
    wanted = county(server, driver=options.driver, arrow=options.arrow, encrypt=False, retries=2)
    _, manifest = extract(
        wanted,
        {"property_val": pacs.PROPERTY_VAL},
        pacs.YEARS,
        settings=Settings(root=tmp_path, data_dir=tmp_path),
        clock=lambda: datetime.now(UTC),
    )
    assert manifest.tables["property_val"].rows == pacs.ROWS
    assert len(server.selects(READ)) == 3


@pytest.mark.usefixtures("patient")
def test_a_fault_that_stays_is_told_after_the_retries(
    server: TdsServer, driver: str, tmp_path: Path
) -> None:
    server.faults.append(Fault("deadlock", READ, times=99))
    with pytest.raises(TransientError, match=r"broke off.*deadlock victim"):
        extract(
            county(server, driver=driver, encrypt=False, retries=2),
            {"property_val": pacs.PROPERTY_VAL},
            pacs.YEARS,
            settings=Settings(root=tmp_path, data_dir=tmp_path),
            clock=lambda: datetime.now(UTC),
        )
    assert len(server.selects(READ)) == 3


@pytest.mark.usefixtures("patient")
def test_catalogue_queries_are_tried_again(server: TdsServer, driver: str) -> None:
    server.faults.append(Fault("deadlock", "INFORMATION_SCHEMA.TABLES", times=2))
    assert client(server, driver=driver, encrypt=False, retries=2).tables()
    assert len(server.selects("INFORMATION_SCHEMA.TABLES")) == 3


def test_a_query_that_takes_too_long_is_given_up(
    server: TdsServer, source: SqlServerConnector
) -> None:
    server.faults.append(Fault("slow", READ, seconds=20))
    options = source.options
    slow = client(
        server, driver=options.driver, arrow=options.arrow, encrypt=False, query_timeout=1
    )
    started = time.monotonic()
    with pytest.raises(TransientError, match="broke off"):
        rows(slow)
    assert time.monotonic() - started < 15


INTERRUPTED = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.support import tds_pacs as pacs
from tests.support.tds_clients import client
from tests.support.tds_server import TdsServer

class Place:
    port = int(sys.argv[2])

reader = client(Place, driver=sys.argv[3], arrow=sys.argv[4] == "arrow", encrypt=False)
stream = reader.read(pacs.PROPERTY_VAL, pacs.YEARS)
reader.verify(pacs.PROPERTY_VAL)
print("reading", flush=True)
try:
    list(stream)
except KeyboardInterrupt:
    stream.close()
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize(("driver", "arrow"), PATHS)
def test_ctrl_c_ends_a_read_that_waits_for_the_server(
    server: TdsServer, driver: str, arrow: bool
) -> None:
    driver_or_skip(driver)
    server.faults.append(Fault("slow", READ, seconds=60))
    way = "arrow" if arrow else "pyodbc"
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(ROOT), str(server.port), driver, way],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "reading\n"
        _wait(lambda: bool(server.selects(READ)))
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=40)
    finally:
        process.kill()
    assert out == "interrupted\n"
    assert time.monotonic() - started < 20
    if not arrow:
        _wait(lambda: server.cancelled >= 1)
        assert server.cancelled >= 1


def _wait(condition: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.02)


def test_freetds_is_never_read_in_blocks() -> None:
    """Of a block that an error cuts short it says nothing: rows would be lost without a word."""
    driver = Driver("FreeTDS", Dialect.FREETDS)
    columns = [SourceColumn("prop_id", "int", nullable=False)]
    assert not arrow_serves(driver, columns)
    assert arrow_serves(Driver("x", Dialect.MICROSOFT), columns)


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
        found[name] = rows(connector).equals(want)
        connector.close()

    threads = [threading.Thread(target=read, args=(name,)) for name in DRIVERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == dict.fromkeys(DRIVERS, True)
