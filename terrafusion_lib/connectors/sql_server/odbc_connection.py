"""ODBC connection strings: encrypted, read-only intent, the server's certificate verified."""

import atexit
import os
import socket
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from terrafusion_lib.connectors.sql_server.odbc_drivers import Dialect, Driver
from terrafusion_lib.core.errors import ConfigError, ConnectError
from terrafusion_lib.core.files import fingerprint

APPLICATION = "TerraFusion"
FREE_TEXT = {"Driver", "Database", "UID", "PWD"}
SYSTEM_STORE = "system"


@dataclass(frozen=True)
class Login:
    """Server and login, with all references resolved."""

    host: str
    port: int
    database: str
    user: str
    password: str
    encrypt: bool
    trust_server_certificate: bool
    server_certificate: str
    application_intent: str

    @property
    def server(self) -> str:
        """The server's name in messages."""
        return self.host if self.is_instance else f"{self.host}:{self.port}"

    @property
    def is_instance(self) -> bool:
        """Whether the host includes an instance, whose port the server provides."""
        return "\\" in self.host

    @property
    def verified(self) -> bool:
        """Whether the server's certificate must be verified."""
        return self.encrypt and not self.trust_server_certificate


def connection_string(driver: Driver, login: Login) -> str:
    """The connection string for a driver; contains the password, so it is never logged."""
    parts = {
        "Driver": driver.name,
        "APP": APPLICATION,
        "Database": login.database,
        "ApplicationIntent": login.application_intent,
    }
    if login.user:
        parts |= {"UID": login.user, "PWD": login.password}
    else:
        parts |= {"Trusted_Connection": "yes"}
    parts |= _freetds(login) if driver.dialect is Dialect.FREETDS else _microsoft(login)
    return ";".join(
        f"{name}={_quoted(driver, value) if name in FREE_TEXT else value}"
        for name, value in parts.items()
    )


def reach(login: Login, seconds: float) -> None:
    """Open and close a TCP connection, which fails immediately with a reason, unlike the drivers.

    Raises
    ------
    ConnectError
        The host is unknown or does not respond at that port.
    """
    if login.is_instance:
        return
    try:
        socket.create_connection((login.host, login.port), seconds).close()
    except OSError as error:
        raise ConnectError(
            f"{login.server} cannot be reached: {error.strerror or error}",
            cause="wrong host or port, a firewall, or TCP is disabled on the server",
            hint=f"check host and port in county.yaml and try: nc -vz {login.host} {login.port}",
        ) from error


def _microsoft(login: Login) -> dict[str, str]:
    if login.server_certificate:
        raise ConfigError(
            "Microsoft's driver uses only the system's certificates, not server_certificate",
            hint="install the certificate on this machine (update-ca-certificates), or set the "
            "variable SSL_CERT_FILE to its path; or set driver: freetds",
        )
    return {
        "Server": login.host if login.is_instance else f"tcp:{login.host},{login.port}",
        "Encrypt": "yes" if login.encrypt else "no",
        "TrustServerCertificate": "yes" if login.trust_server_certificate else "no",
    }


def _freetds(login: Login) -> dict[str, str]:
    if login.verified:
        return {"Servername": _freetds_section(login)}
    parts = {"Server": login.host, "TDS_Version": "7.4", "ClientCharset": "UTF-8"}
    if not login.is_instance:
        parts["Port"] = str(login.port)
    return parts | {"Encryption": "require" if login.encrypt else "off"}


def _freetds_section(login: Login) -> str:
    """Name of this server's section in a configuration file of this process.

    FreeTDS verifies certificates only for servers in its configuration file, set by FREETDSCONF;
    the file contains no user or password.
    """
    host, _, instance = login.host.partition("\\")
    lines = {
        "host": host,
        "instance" if instance else "port": instance or str(login.port),
        "tds version": "7.4",
        "client charset": "UTF-8",
        "encryption": "require",
        "ca file": login.server_certificate or SYSTEM_STORE,
        "check certificate hostname": "yes",
    }
    name = f"terrafusion_{fingerprint(lines)}"
    path = _freetds_configuration()
    if f"[{name}]" not in path.read_text(encoding="utf-8"):
        with path.open("a", encoding="utf-8") as file:
            file.write(f"[{name}]\n" + "".join(f"  {key} = {lines[key]}\n" for key in lines))
    os.environ["FREETDSCONF"] = str(path)
    return name


@cache
def _freetds_configuration() -> Path:
    handle, name = tempfile.mkstemp(prefix="terrafusion-", suffix="-freetds.conf")
    os.close(handle)
    path = Path(name)
    atexit.register(path.unlink, missing_ok=True)
    return path


def _quoted(driver: Driver, value: str) -> str:
    """`value` quoted so that each driver reads it back exactly, whatever characters it contains.

    Microsoft's driver follows ODBC: braces, with ``}`` doubled. FreeTDS reads ``}}`` in braces as
    two characters, but ``}`` outside braces as itself.
    """
    if driver.dialect is Dialect.MICROSOFT:
        return "{" + value.replace("}", "}}") + "}"
    bare = "}" in value and ";" not in value and not value.startswith("{")
    return value if bare else "{" + value + "}"
