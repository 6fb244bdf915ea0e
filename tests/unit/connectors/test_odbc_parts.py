"""Drivers, connection strings and what errors mean, without a server."""

import builtins
import importlib.util
import os
import pickle
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pytest

from terrafusion_lib.connectors.protocol import TransientError
from terrafusion_lib.connectors.sql_server import odbc_drivers
from terrafusion_lib.connectors.sql_server.catalog import type_text
from terrafusion_lib.connectors.sql_server.odbc_connection import Login, connection_string
from terrafusion_lib.connectors.sql_server.odbc_drivers import (
    Dialect,
    Driver,
    check_library,
    find_driver,
    import_pyodbc,
)
from terrafusion_lib.connectors.sql_server.odbc_errors import NotPermittedError, explain
from terrafusion_lib.connectors.sql_server.odbc_stream import _bound
from terrafusion_lib.connectors.sql_server.options import SqlServerOptions
from terrafusion_lib.connectors.sql_server.source_types import READABLE, base_type
from terrafusion_lib.core.errors import ConfigError, ConnectError, MissingDependencyError
from terrafusion_lib.core.raw import RawType

MICROSOFT = Driver("/opt/libmsodbcsql.so", Dialect.MICROSOFT)
FREETDS = Driver("FreeTDS", Dialect.FREETDS)


def login(**changed: object) -> Login:
    values: dict[str, object] = {
        "host": "sql.example.gov",
        "port": 1433,
        "database": "pacs_oltp",
        "user": "reader",
        "password": "s}e;cret",
        "encrypt": True,
        "trust_server_certificate": False,
        "server_certificate": "",
        "application_intent": "ReadOnly",
    }
    return Login(**values | changed)  # type: ignore[arg-type]


def parts(text: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in text.split(";") if "=" in part)


def test_microsofts_driver_is_asked_for_a_verified_encrypted_read_only_connection() -> None:
    text = connection_string(MICROSOFT, login(password="plain"))
    assert parts(text) == {
        "Driver": "{/opt/libmsodbcsql.so}",
        "APP": "TerraFusion",
        "Database": "{pacs_oltp}",
        "ApplicationIntent": "ReadOnly",
        "UID": "{reader}",
        "PWD": "{plain}",
        "Server": "tcp:sql.example.gov,1433",
        "Encrypt": "yes",
        "TrustServerCertificate": "no",
    }
    assert "PWD={s}}e;cret};" in connection_string(MICROSOFT, login())


def test_freetds_verifies_by_a_configuration_file_without_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FREETDSCONF", "/elsewhere")
    found = parts(connection_string(FREETDS, login(password="plain")))
    section = found["Servername"]
    assert "Server" not in found
    text = Path(os.environ["FREETDSCONF"]).read_text()
    assert f"[{section}]" in text
    for line in (
        "host = sql.example.gov",
        "encryption = require",
        "ca file = system",
        "check certificate hostname = yes",
    ):
        assert line in text[text.index(section) :]
    assert "plain" not in text
    assert "reader" not in text
    assert parts(connection_string(FREETDS, login()))["Servername"] == section


def test_encryption_is_given_up_only_when_asked() -> None:
    assert "Encrypt=no" in connection_string(MICROSOFT, login(encrypt=False))
    found = parts(connection_string(FREETDS, login(encrypt=False, password="x")))
    assert (found["Encryption"], found["Port"]) == ("off", "1433")
    trusted = connection_string(FREETDS, login(trust_server_certificate=True))
    assert "Encryption=require" in trusted


def test_an_instance_has_no_port_and_no_user_means_the_accounts_own_ticket() -> None:
    instance = login(host="JCHARRISPACS\\PACS", user="", password="")
    found = parts(connection_string(MICROSOFT, instance))
    assert found["Server"] == "JCHARRISPACS\\PACS"
    assert found["Trusted_Connection"] == "yes"
    assert not {"UID", "PWD"} & found.keys()
    assert instance.server == "JCHARRISPACS\\PACS"


def test_a_certificate_file_is_refused_for_a_driver_that_ignores_it() -> None:
    with pytest.raises(ConfigError, match="uses only the system's certificates"):
        connection_string(MICROSOFT, login(server_certificate="/etc/ssl/county.pem"))


def test_all_missing_references_are_named_at_once() -> None:
    options = SqlServerOptions(
        host="env:NO_HOST", port="env:NO_PORT", database="d", user="u", password="env:NO_PASSWORD"
    )
    with pytest.raises(ConfigError) as caught:
        options.login()
    for name in ("NO_HOST", "NO_PORT", "NO_PASSWORD"):
        assert f"export {name}=" in str(caught.value)
    with pytest.raises(ConfigError, match="port must be a number"):
        SqlServerOptions(host="h", database="d", port="many").login()


def fake_pyodbc(monkeypatch: pytest.MonkeyPatch, *drivers: str) -> None:
    module = SimpleNamespace(drivers=lambda: list(drivers), pooling=True)
    monkeypatch.setattr(odbc_drivers, "import_pyodbc", lambda: module)


def test_auto_takes_microsofts_newest_driver_then_pypis_then_freetds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake_pyodbc(monkeypatch, "ODBC Driver 17 for SQL Server", "ODBC Driver 18 for SQL Server")
    assert find_driver().name == "ODBC Driver 18 for SQL Server"
    fake_pyodbc(monkeypatch, "FreeTDS")
    monkeypatch.setattr(odbc_drivers, "_from_pypi", lambda: "/site/libmsodbcsql.so")
    assert find_driver() == Driver("/site/libmsodbcsql.so", Dialect.MICROSOFT)
    monkeypatch.setattr(odbc_drivers, "_from_pypi", lambda: None)
    assert find_driver() == FREETDS
    assert find_driver("FreeTDS") == FREETDS


def test_without_any_driver_the_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_pyodbc(monkeypatch)
    monkeypatch.setattr(odbc_drivers, "_from_pypi", lambda: None)
    monkeypatch.setattr(odbc_drivers, "FREETDS_PLACES", ())
    for wanted in ("auto", "freetds", "microsoft"):
        with pytest.raises(MissingDependencyError, match=r"tdsodbc.*microsoft-odbc"):
            find_driver(wanted)
    with pytest.raises(ConfigError, match="neither registered nor a file"):
        find_driver("/nowhere/libx.so")


@pytest.mark.parametrize(
    ("family", "folder"),
    [("ID=debian", "debian_ubuntu"), ("ID=rocky\nID_LIKE=rhel", "rhel"), ("ID=alpine", "alpine")],
)
def test_the_build_of_this_distribution_is_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, family: str, folder: str
) -> None:
    machine = odbc_drivers.platform.machine()
    for name in ("debian_ubuntu", "rhel", "alpine"):
        place = tmp_path / "libs" / "linux" / name / machine / "lib"
        place.mkdir(parents=True)
        (place / "libmsodbcsql-18.6.so.2.1").touch()
    release = dict(line.split("=") for line in family.splitlines())
    monkeypatch.setattr(odbc_drivers.platform, "freedesktop_os_release", lambda: release)
    spec = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    fake_pyodbc(monkeypatch)
    assert f"/{folder}/" in find_driver("microsoft").name


def test_a_missing_driver_manager_names_its_debian_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = builtins.__import__

    def missing(name: str, *rest: object) -> object:
        if name == "pyodbc":
            raise ImportError("libodbc.so.2: cannot open shared object file: No such file")
        return before(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingDependencyError, match="apt-get install unixodbc"):
        import_pyodbc()


def test_a_driver_that_cannot_be_loaded_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(name: str) -> None:
        raise OSError("libltdl.so.7: cannot open shared object file")

    monkeypatch.setattr(odbc_drivers.ctypes, "CDLL", missing)
    with pytest.raises(MissingDependencyError, match=r"libltdl.so.7 .*apt-get install libltdl7"):
        check_library(MICROSOFT)
    check_library(FREETDS)


def test_nothing_of_odbc_is_imported_before_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = builtins.__import__

    def refuse(name: str, *rest: object) -> object:
        level = rest[3] if len(rest) > 3 else 0  # SQLAlchemy has a module of that name of its own
        assert level or name not in ("pyodbc", "arrow_odbc"), f"{name} was imported"
        return before(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)
    from terrafusion_lib.connectors.sql_server_connector import SqlServerConnector

    SqlServerConnector(SqlServerOptions(host="h", database="d"), Path("/"))


MS = "[Microsoft][ODBC Driver 18 for SQL Server]"
ERRORS = [
    ("42000", f"[28000] {MS}[SQL Server]Login failed for user 'x'. (18456)", ConnectError, "login"),
    ("42S02", f"[42S02] {MS}Invalid object name 'dbo.x'. (208)", ConnectError, "does not exist"),
    ("42000", f"[42000] {MS}The SELECT permission was denied (229)", NotPermittedError, "SELECT"),
    ("42000", f"[42000] {MS}VIEW SERVER STATE denied (300)", NotPermittedError, "may not read"),
    ("40001", f"[40001] {MS}deadlock victim. (1205)", TransientError, "interrupted the read"),
    (
        "42000",
        f"[42000] {MS}Database is not currently available. (40613)",
        TransientError,
        "interrupted",
    ),
    (
        "08S01",
        f"[08S01] {MS}TCP Provider: Error code 0x68 (104)",
        TransientError,
        "interrupted the read",
    ),
    ("HYT00", f"[HYT00] {MS}Query timeout expired (0)", TransientError, "interrupted the read"),
    (
        "HY000",
        "[HY000] [FreeTDS][SQL Server]Unknown error (0) (SQLFetch)",
        TransientError,
        "interrupted",
    ),
    (
        "01000",
        "[01000] [FreeTDS][SQL Server]Unexpected EOF (20017)",
        TransientError,
        "interrupted the read",
    ),
    ("08001", f"[08001] {MS}SSL Provider: certificate verify failed (-1)", ConnectError, "encrypt"),
    ("01000", "[01000] [unixODBC]Can't open lib 'x' : file not found", MissingDependencyError, "x"),
    ("HY000", "[HY000] something else", ConnectError, "cannot be read"),
]


@pytest.mark.parametrize(("state", "text", "kind", "words"), ERRORS)
def test_a_drivers_error_becomes_a_sentence(
    state: str, text: str, kind: type[Exception], words: str
) -> None:
    error = explain(Exception(state, text), server="s:1433", secret="", connected=False)
    assert type(error) is kind
    assert words in str(error)


def test_a_server_that_was_there_may_come_back() -> None:
    gone = Exception("08001", f"[08001] {MS}TCP Provider: timeout (10060)")
    first = explain(gone, server="s", secret="", connected=False)
    later = explain(gone, server="s", secret="", connected=True)
    assert not isinstance(first, TransientError)
    assert isinstance(later, TransientError)


def test_arrow_odbcs_wording_is_understood_too() -> None:
    text = "ODBC emitted an error calling 'SQLFetch': State: 40001, Native error: 1205, Message: x"
    assert isinstance(
        explain(Exception(text), server="s", secret="", connected=True), TransientError
    )


def test_a_password_never_shows_nor_travels() -> None:
    secret = "hunter2;}"
    text = f"login failed for PWD={secret};UID=x with {secret}"
    error = explain(Exception("28000", text), server="s", secret=secret, connected=False)
    assert "hunter2" not in str(error)
    assert "hunter2" not in str(pickle.loads(pickle.dumps(error)))
    assert error.__cause__ is None


@pytest.mark.parametrize(
    ("found", "kind", "bound"),
    [
        (pa.decimal128(14, 0), RawType.INTEGER, pa.int64()),
        (pa.decimal128(14, 4), RawType.INTEGER, pa.decimal128(14, 4)),
        (pa.decimal128(28, 0), RawType.INTEGER, pa.decimal128(28, 0)),
        (pa.decimal128(14, 4), RawType.NUMBER, pa.float64()),
        (pa.decimal128(14, 4), RawType.TEXT, pa.decimal128(14, 4)),
        (pa.timestamp("ns"), RawType.DATE, pa.timestamp("us")),
        (pa.string(), RawType.TEXT, pa.string()),
    ],
)
def test_buffers_take_types_without_loss(
    found: pa.DataType, kind: RawType, bound: pa.DataType
) -> None:
    assert _bound(found, kind) == bound


def test_types_of_the_catalog_read_as_they_are_written() -> None:
    assert type_text("varchar", 50, None, None) == "varchar(50)"
    assert type_text("varchar", -1, None, None) == "varchar(max)"
    assert type_text("numeric", None, 14, 4) == "numeric(14,4)"
    assert type_text("int", None, 10, 0) == "int"
    assert base_type("NUMERIC(14, 4)") == "numeric"
    assert RawType.NUMBER not in READABLE["varchar"]
