"""What the connector asks SQL Server about its tables. Works with SQL Server 2016 and newer."""

import sqlalchemy as sa

TABLES = sa.text(
    "SELECT TABLE_SCHEMA, TABLE_NAME FROM INFORMATION_SCHEMA.TABLES "
    "ORDER BY TABLE_SCHEMA, TABLE_NAME"
)

COLUMNS = sa.text(
    "SELECT COLUMN_NAME, DATA_TYPE, IS_NULLABLE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, "
    "NUMERIC_SCALE FROM INFORMATION_SCHEMA.COLUMNS "
    "WHERE TABLE_SCHEMA = :owner AND TABLE_NAME = :name ORDER BY ORDINAL_POSITION"
)

ROWS = sa.text(
    "SELECT SUM(rows) FROM sys.partitions "
    "WHERE object_id = OBJECT_ID(:table) AND index_id IN (0, 1)"
)
"""Rows of a table from its partitions (heap or clustered index): needs no permission and no
scan."""

FRESHNESS = sa.text(
    "SELECT (SELECT SUM(row_count) FROM sys.dm_db_partition_stats "
    "WHERE object_id = OBJECT_ID(:table) AND index_id IN (0, 1)) AS row_count, "
    "(SELECT MAX(last_user_update) FROM sys.dm_db_index_usage_stats "
    "WHERE database_id = DB_ID() AND object_id = OBJECT_ID(:table)) AS last_update, "
    "(SELECT sqlserver_start_time FROM sys.dm_os_sys_info) AS started, "
    "CAST(DATABASEPROPERTYEX(DB_NAME(), 'Updateability') AS varchar(20)) AS updateability"
)
"""When a table was last written, by the server's usage statistics.

They restart with the server, so the server's start time is part of the freshness: after a restart
every table counts as changed once. A read-only replica has no statistics of its own; there, and
without the permission VIEW SERVER STATE, the state is unknown.
"""

SERVER = sa.text(
    "SELECT CAST(SERVERPROPERTY('ProductVersion') AS varchar(30)) AS version, "
    "CAST(DB_NAME() AS varchar(128)) AS name, "
    "CAST(DATABASEPROPERTYEX(DB_NAME(), 'Updateability') AS varchar(20)) AS updateability"
)


def type_text(kind: str, length: int | None, precision: int | None, scale: int | None) -> str:
    """``varchar(50)``, ``varchar(max)``, ``numeric(14,4)`` from the catalog's parts."""
    if length is not None:
        return f"{kind}({'max' if length < 0 else length})"
    if kind in ("numeric", "decimal"):
        return f"{kind}({precision},{scale})"
    return kind
