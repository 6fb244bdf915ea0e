"""Database URLs in the settings: all common forms, and the drivers we ship."""

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.packages import optional_package
from terrafusion_lib.core.secrets import resolve

DRIVERS = {"sqlite": "pysqlite", "postgresql": "psycopg2"}
"""The driver that bulk loads use for each database."""
SAME = {"postgres": "postgresql"}


def database_url(text: str, *, setting: str, hint: str) -> sa.URL:
    """The database URL in a setting, to be opened with our driver.

    ``postgresql://``, ``postgres://`` and ``postgresql+psycopg2://`` mean the same; the whole URL,
    or only its password, may be a reference such as ``env:NAME``.

    Parameters
    ----------
    setting : str
        Name of the setting, for messages; the URL is not shown because it may contain a password.
    hint : str
        Forms that the setting accepts.

    Raises
    ------
    ConfigError
        The URL is malformed, for another kind of database, or specifies another driver.
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
