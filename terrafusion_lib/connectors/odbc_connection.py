"""ODBC connection strings: encrypted, read-only intent, the server's certificate verified."""

import atexit
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from terrafusion_lib.connectors.odbc_drivers import Dialect, Driver

VERIFIED = """[global]
    ca file = system
    check certificate hostname = yes
"""
APPLICATION = "TerraFusion"
FREE_TEXT = {"Driver", "Database", "UID", "PWD"}


@dataclass(frozen=True)
class Login:
    """Where and as whom to connect, with all references resolved."""

    host: str
    port: int
    database: str
    user: str
    password: str
    encrypt: bool
    trust_server_certificate: bool
    application_intent: str

    @property
    def server(self) -> str:
        """The server as messages name it."""
        return self.host if "\\" in self.host else f"{self.host}:{self.port}"


def connection_string(driver: Driver, login: Login) -> str:
    """The connection string for a driver; holds the password, so it is never logged."""
    parts = {"Driver": driver.name, "APP": APPLICATION, "Database": login.database}
    parts |= {"ApplicationIntent": login.application_intent}
    if login.user:
        parts |= {"UID": login.user, "PWD": login.password}
    else:
        parts |= {"Trusted_Connection": "yes"}
    parts |= _freetds(login) if driver.dialect is Dialect.FREETDS else _microsoft(login)
    return ";".join(
        f"{name}={_quoted(driver, value) if name in FREE_TEXT else value}"
        for name, value in parts.items()
    )


def prepare_environment(driver: Driver, login: Login) -> None:
    """Make FreeTDS verify certificates, which it does by its configuration file only.

    The file is named by the variable FREETDSCONF of this process; one that the user has set is
    left alone.
    """
    if driver.dialect is not Dialect.FREETDS:
        return
    ours = str(_verifying_configuration())
    verify = login.encrypt and not login.trust_server_certificate
    if verify and "FREETDSCONF" not in os.environ:
        os.environ["FREETDSCONF"] = ours
    elif not verify and os.environ.get("FREETDSCONF") == ours:
        del os.environ["FREETDSCONF"]


@cache
def _verifying_configuration() -> Path:
    handle, name = tempfile.mkstemp(prefix="terrafusion-", suffix="-freetds.conf")
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(VERIFIED)
    path = Path(name)
    atexit.register(path.unlink, missing_ok=True)
    return path


def _microsoft(login: Login) -> Mapping[str, str]:
    instance = "\\" in login.host
    return {
        "Server": login.host if instance else f"tcp:{login.host},{login.port}",
        "Encrypt": "yes" if login.encrypt else "no",
        "TrustServerCertificate": "yes" if login.trust_server_certificate else "no",
    }


def _freetds(login: Login) -> Mapping[str, str]:
    port = {} if "\\" in login.host else {"Port": str(login.port)}
    return {
        "Server": login.host,
        **port,
        "TDS_Version": "7.4",
        "ClientCharset": "UTF-8",
        "Encryption": "require" if login.encrypt else "off",
    }


def _quoted(driver: Driver, value: str) -> str:
    """`value` so that each driver reads back just that, whatever characters a password holds.

    Microsoft's driver follows ODBC: braces, with ``}`` doubled. FreeTDS takes ``}}`` in braces as
    two characters, but a ``}`` outside braces as itself.
    """
    if driver.dialect is Dialect.MICROSOFT:
        return "{" + value.replace("}", "}}") + "}"
    bare = "}" in value and ";" not in value and not value.startswith("{")
    return value if bare else "{" + value + "}"
