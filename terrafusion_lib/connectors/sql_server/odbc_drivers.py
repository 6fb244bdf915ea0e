"""Finds this machine's ODBC driver for SQL Server, or says what to install."""

import ctypes
import importlib.util
import platform
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from terrafusion_lib.core.config import did_you_mean
from terrafusion_lib.core.errors import ConfigError, MissingDependencyError
from terrafusion_lib.core.packages import install_command

FREETDS_PLACES = (
    "/usr/lib/*/odbc/libtdsodbc.so",
    "/usr/lib64/libtdsodbc.so*",
    "/opt/homebrew/lib/libtdsodbc.so",
    "/usr/local/lib/libtdsodbc.so",
)
DEBIAN_PACKAGES = {
    "libodbc.so.2": "unixodbc",
    "libodbcinst.so.2": "unixodbc",
    "libltdl.so.7": "libltdl7",
    "libkrb5.so.3": "libkrb5-3",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
}


class Dialect(StrEnum):
    """Kind of driver, which determines the keywords of its connection string."""

    MICROSOFT = "microsoft"
    FREETDS = "freetds"


@dataclass(frozen=True)
class Driver:
    """An ODBC driver: the name it is registered under, or the path of its library."""

    name: str
    dialect: Dialect

    @property
    def label(self) -> str:
        return f"{self.dialect.value}: {self.name}"


def import_pyodbc() -> Any:
    """The module pyodbc, without its connection pool.

    A pooled connection would outlive `close` and be reused broken after a fault.

    Raises
    ------
    MissingDependencyError
        pyodbc, or the driver manager that it needs, is not installed.
    """
    try:
        import pyodbc
    except ImportError as error:
        raise missing_library(str(error), install_command("pyodbc")) from error
    pyodbc.pooling = False
    return pyodbc


def install_driver() -> str:
    """The commands that install a driver, either of the two."""
    microsoft = install_command("mssql-python-odbc")
    return (
        f"apt-get install tdsodbc (FreeTDS), or {microsoft} (Microsoft's driver, under its "
        "license; extra microsoft-odbc)"
    )


def missing_library(message: str, otherwise: str) -> MissingDependencyError:
    """The error for a library that cannot be loaded; the hint names its Debian package."""
    libraries = [name for name in DEBIAN_PACKAGES if name in message]
    hint = f"apt-get install {DEBIAN_PACKAGES[libraries[0]]}" if libraries else otherwise
    return MissingDependencyError(
        f"The library {libraries[0]} is not installed" if libraries else f"Cannot load: {message}",
        hint=hint,
    )


def find_driver(wanted: str = "auto") -> Driver:
    """The driver for the option `driver`.

    ``auto`` uses Microsoft's driver if registered or installed from PyPI, otherwise FreeTDS.

    Raises
    ------
    MissingDependencyError
        It is not installed; the hint says how to install one.
    ConfigError
        It is neither a kind, nor a registered name, nor a file.
    """
    searches: dict[str, Callable[[list[str]], Driver | None]] = {
        Dialect.MICROSOFT: _microsoft,
        Dialect.FREETDS: _freetds,
    }
    registered = list(import_pyodbc().drivers())
    if wanted == "auto":
        driver = _microsoft(registered) or _freetds(registered)
    elif wanted in searches:
        driver = searches[wanted](registered)
    else:
        return _named(wanted, registered)
    if driver is None:
        kind = "SQL Server" if wanted == "auto" else wanted
        raise MissingDependencyError(
            f"No ODBC driver for {kind} is installed", hint=install_driver()
        )
    return driver


def check_library(driver: Driver) -> None:
    """Load a driver given by path, so that an error names any missing library.

    Raises
    ------
    MissingDependencyError
        The driver, or a library that it needs, cannot be loaded.
    """
    if not driver.name.startswith("/"):
        return
    try:
        ctypes.CDLL(driver.name)
    except OSError as error:
        raise missing_library(str(error), install_driver()) from error


def _named(wanted: str, registered: list[str]) -> Driver:
    if wanted not in registered and not Path(wanted).is_file():
        raise ConfigError(
            f"The ODBC driver {wanted!r} is neither registered nor a file",
            examples=registered,
            hint=did_you_mean(wanted, registered) or install_driver(),
        )
    free = "freetds" in wanted.lower() or "tdsodbc" in wanted.lower()
    return Driver(wanted, Dialect.FREETDS if free else Dialect.MICROSOFT)


def _microsoft(registered: list[str]) -> Driver | None:
    names = sorted(name for name in registered if name.startswith("ODBC Driver "))
    path = names[-1] if names else _from_pypi()
    return Driver(path, Dialect.MICROSOFT) if path else None


def _from_pypi() -> str | None:
    """Library of the package mssql-python-odbc for this system, if any."""
    spec = importlib.util.find_spec("mssql_python_odbc")
    if spec is None or not spec.origin:
        return None
    libraries = sorted((Path(spec.origin).parent / "libs").rglob("libmsodbcsql*"))
    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    fitting = [
        path for path in libraries if machine in path.parts and _distribution() in path.parts
    ]
    return str(fitting[0]) if fitting else None


def _distribution() -> str:
    """The package's folder with the build for this distribution."""
    if platform.system() == "Darwin":
        return "macos"
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    family = f"{release.get('ID', '')} {release.get('ID_LIKE', '')}"
    for folder, words in {
        "alpine": ("alpine",),
        "suse": ("suse",),
        "rhel": ("rhel", "fedora", "centos"),
    }.items():
        if any(word in family for word in words):
            return folder
    return "debian_ubuntu"


def _freetds(registered: list[str]) -> Driver | None:
    names = [name for name in registered if "freetds" in name.lower()]
    paths = [path for place in FREETDS_PLACES for path in sorted(Path("/").glob(place[1:]))]
    candidates = [*names, *map(str, paths)]
    return Driver(candidates[0], Dialect.FREETDS) if candidates else None
