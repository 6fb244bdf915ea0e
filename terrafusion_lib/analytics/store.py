"""The analytics database from the settings: DuckDB by default, ClickHouse by URL.

Facts are written here; it is not a source for mappings.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import pyarrow as pa

from terrafusion_lib.analytics.dialect import Dialect
from terrafusion_lib.analytics.fact_table import FactTable
from terrafusion_lib.analytics.partitions import Partition
from terrafusion_lib.analytics.totals import Totals
from terrafusion_lib.core.errors import ConfigError, ConnectError
from terrafusion_lib.core.log import mask_secrets
from terrafusion_lib.core.packages import optional_package
from terrafusion_lib.core.secrets import resolve
from terrafusion_lib.core.settings import Settings

DATABASE = "terrafusion"
SERVER_SCHEMES = ("clickhouse", "clickhousedb", "clickhousedb+connect")
"""Our URL schemes, and those of clickhouse-connect's SQLAlchemy dialect."""
HINT = (
    "set TERRAFUSION_ANALYTICS_URL to clickhouse://user:env:NAME@host:8123/database, "
    "chdb:///folder, or leave it empty for DuckDB"
)


class AnalyticsStore(Protocol):
    """Facts of all counties in one of the engines; the contract suite tests each."""

    @property
    def dialect(self) -> Dialect: ...

    def query(self, sql: str, parameters: Mapping[str, Any]) -> pa.Table:
        """Result of a query in the engine's dialect."""
        ...

    def contents(self, fact: FactTable, county_id: str) -> dict[int, str]:
        """Content hash by year of the county's rows in the table."""
        ...

    def apply(self, partitions: Iterable[Partition]) -> list[Totals]:
        """Replace partitions and check their totals; the old rows remain if it fails."""
        ...

    def close(self) -> None:
        """Release open resources."""
        ...


def open_analytics(settings: Settings) -> AnalyticsStore:
    """The analytics database from the settings; creates nothing before the first load.

    The whole URL, or only its password, may be a reference such as ``env:NAME``. Options of a
    server's URL: ``secure=true`` for TLS, ``cluster=<name>`` for ``ON CLUSTER``.

    Raises
    ------
    ConfigError
        The URL is malformed or for another kind of database, or a reference is empty.
    ConnectError
        The server cannot be reached or rejects the login.
    """
    url = resolve(settings.analytics_url, what="analytics URL")
    if not url:
        from terrafusion_lib.analytics.duckdb_store import DuckDbAnalytics

        return DuckDbAnalytics(
            settings.data_path / "analytics" / "analytics.duckdb",
            threads=settings.threads,
            memory_limit=settings.duckdb_memory_limit,
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ConfigError("The analytics URL is malformed", hint=HINT) from error
    if parts.scheme == "chdb" and parts.path.strip("/") and not parts.netloc:
        from terrafusion_lib.analytics.chdb_store import ChdbAnalytics

        return ChdbAnalytics(Path(unquote(parts.path)), DATABASE, threads=settings.threads)
    if parts.scheme in SERVER_SCHEMES and parts.hostname:
        return _server(parts, port)
    raise ConfigError(f"{mask_secrets(url)} is not the URL of an analytics database", hint=HINT)


def _server(parts: SplitResult, port: int | None) -> AnalyticsStore:
    clickhouse_connect = optional_package("clickhouse-connect", "The analytics store ClickHouse")
    from clickhouse_connect.driver.exceptions import ClickHouseError

    from terrafusion_lib.analytics.clickhouse_store import ClickHouseAnalytics

    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    unknown = sorted(options.keys() - {"secure", "cluster"})
    database = parts.path.strip("/") or DATABASE
    if unknown or not database.isidentifier():
        raise ConfigError(
            "The analytics URL has an invalid database or options",
            examples=[*unknown, database],
            hint=HINT,
        )
    try:
        client = clickhouse_connect.get_client(
            host=parts.hostname,
            port=port,
            username=unquote(parts.username or "default"),
            password=resolve(unquote(parts.password or ""), what="analytics password"),
            secure=options.get("secure", "").lower() == "true",
        )
    except ClickHouseError as error:
        raise ConnectError(
            f"ClickHouse at {parts.hostname} did not respond: {mask_secrets(str(error))}",
            hint="check that the server is running and that host, port, user and password are "
            "correct",
        ) from error
    return ClickHouseAnalytics(client, database, cluster=options.get("cluster", ""))
