"""Database URLs of the settings: every usual form of them, and the drivers that we bring."""

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.packages import optional_package
from terrafusion_lib.core.secrets import resolve

DRIVERS = {"sqlite": "pysqlite", "postgresql": "psycopg2"}
"""The one driver of each database that bulk loads are written for."""
SAME = {"postgres": "postgresql"}


def database_url(text: str, *, setting: str, hint: str) -> sa.URL:
    """The database that a setting names, to be opened with our driver.

    ``postgresql://``, ``postgres://`` and ``postgresql+psycopg2://`` are one; the URL as a whole,
    or its password, may be a reference such as ``env:NAME``.

    Parameters
    ----------
    setting : str
        Name of the setting, for messages; the URL itself may hold a password and is not shown.
    hint : str
        Forms that the setting takes.

    Raises
    ------
    ConfigError
        The URL is malformed, of another database, or asks for another driver.
    MissingDependencyError
        The driver is not installed.
    """
    try:
        url = sa.make_url(resolve(text, what=setting))
    except (ArgumentError, ValueError) as error:
        raise ConfigError(f"{setting} is not a database URL", hint=hint) from error
    named, _, driver = url.drivername.partition("+")
    database = SAME.get(named, named)
    if database not in DRIVERS:
        raise ConfigError(f"{setting} is for another kind of database: {named}", hint=hint)
    ours = DRIVERS[database]
    if driver not in ("", ours):
        raise ConfigError(
            f"{setting} specifies the driver {driver}; TerraFusion uses {ours} for {database}",
            hint=f"write {database}:// instead of {url.drivername}://",
        )
    if database == "postgresql":
        optional_package("psycopg2-binary", "PostgreSQL", module=ours)
    password = resolve(url.password or "", what=f"password in {setting}")
    return url.set(drivername=f"{database}+{ours}", password=password or None)
