"""Changes to an analytics database that TerraFusion did not make."""

from contextlib import closing

import clickhouse_connect
import duckdb

from terrafusion_lib.analytics.store import DATABASE
from terrafusion_lib.core.settings import Settings


def tamper(settings: Settings, table: str, change: str, where: str) -> None:
    """Set columns of some rows, in DuckDB or in a folder of ClickHouse's engine."""
    if not settings.analytics_url:
        path = settings.data_path / "analytics" / "analytics.duckdb"
        with duckdb.connect(path) as database:
            database.execute(f"UPDATE {table} SET {change} WHERE {where}")
        return
    with closing(_engine(settings)) as client:
        client.command(
            f"ALTER TABLE {table} UPDATE {change} WHERE {where} SETTINGS mutations_sync = 2"
        )


def delete(settings: Settings, table: str, where: str) -> None:
    """Remove some rows."""
    if not settings.analytics_url:
        path = settings.data_path / "analytics" / "analytics.duckdb"
        with duckdb.connect(path) as database:
            database.execute(f"DELETE FROM {table} WHERE {where}")
        return
    with closing(_engine(settings)) as client:
        client.command(f"ALTER TABLE {table} DELETE WHERE {where} SETTINGS mutations_sync = 2")


def _engine(settings: Settings):  # type: ignore[no-untyped-def] - the client's type is not public
    from pathlib import Path

    folder = Path(settings.analytics_url.removeprefix("chdb://"))
    version = (folder / "CURRENT").read_text(encoding="utf-8").strip()
    return clickhouse_connect.get_client(
        interface="chdb", path=str(folder / version), database=DATABASE
    )
