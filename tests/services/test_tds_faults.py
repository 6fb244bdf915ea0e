"""Faults on the wire: deadlocks, cut and slow connections, Ctrl-C, on real ODBC drivers."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from terrafusion_lib.connectors import retries
from terrafusion_lib.connectors.protocol import SourceColumn, TransientError
from terrafusion_lib.connectors.raw.layer import extract
from terrafusion_lib.connectors.sql_server.odbc_drivers import Dialect, Driver
from terrafusion_lib.connectors.sql_server.odbc_stream import arrow_serves
from terrafusion_lib.connectors.sql_server_connector import SqlServerConnector
from terrafusion_lib.core.settings import Settings
from tests.support import tds_pacs as pacs
from tests.support.require import ROOT
from tests.support.tds_clients import DRIVERS, PATHS, client, county, driver_or_skip, read_all
from tests.support.tds_server import Fault, TdsServer

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


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.01)


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
    with pytest.raises(TransientError, match=r"interrupted the read.*deadlock victim"):
        extract(
            county(server, driver=driver, encrypt=False, retries=2),
            {"property_val": pacs.PROPERTY_VAL},
            pacs.YEARS,
            settings=Settings(root=tmp_path, data_dir=tmp_path),
            clock=lambda: datetime.now(UTC),
        )
    assert len(server.selects(READ)) == 3


@pytest.mark.usefixtures("patient")
def test_catalog_queries_are_tried_again(server: TdsServer, driver: str) -> None:
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
    with pytest.raises(TransientError, match="interrupted the read"):
        read_all(slow)
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
