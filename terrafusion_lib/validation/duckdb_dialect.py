"""SQLAlchemy on an open DuckDB connection, as far as Great Expectations needs it.

DuckDB speaks PostgreSQL's SQL, so this is PostgreSQL's dialect with DuckDB's catalog and without
transactions (it only reads). The published DuckDB driver cannot reflect tables under SQLAlchemy
2.1.
"""

from typing import Any

import duckdb
import sqlalchemy as sa
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.base import PGDialect

from terrafusion_lib.core.sql import literal

DRIVER = "terrafusion_duckdb"
URL = f"postgresql+{DRIVER}://"
TYPES: dict[str, type[sa.types.TypeEngine[Any]]] = {
    "BIGINT": sa.BigInteger,
    "BLOB": sa.LargeBinary,
    "BOOLEAN": sa.Boolean,
    "DATE": sa.Date,
    "DOUBLE": sa.Double,
    "VARCHAR": sa.String,
}

registry.register(f"postgresql.{DRIVER}", __name__, "DuckDBDialect")


class DuckDBDialect(PGDialect):
    """PostgreSQL's dialect over DuckDB's DB-API."""

    driver = DRIVER
    default_paramstyle = "qmark"
    supports_statement_cache = True

    @classmethod
    def import_dbapi(cls) -> Any:
        return duckdb

    def initialize(self, connection: sa.Connection) -> None:  # noqa: ARG002
        self.default_schema_name = "main"
        self.server_version_info = (15, 0)

    def do_begin(self, dbapi_connection: Any) -> None:
        """Nothing to do, since it only reads."""

    def do_commit(self, dbapi_connection: Any) -> None:
        """Nothing to do, since it only reads."""

    def do_rollback(self, dbapi_connection: Any) -> None:
        """Nothing to do, since it only reads."""

    def has_table(self, connection: Any, table_name: str, schema: Any = None, **_: Any) -> bool:
        return table_name in self.get_table_names(connection, schema)

    def get_schema_names(self, connection: Any, **_: Any) -> list[str]:
        return self._names(connection, "SELECT schema_name FROM duckdb_schemas()")

    def get_table_names(self, connection: Any, schema: Any = None, **_: Any) -> list[str]:
        where = f"schema_name = {literal(schema or 'main')}"
        return self._names(
            connection,
            f"SELECT view_name FROM duckdb_views() WHERE {where} "
            f"UNION ALL SELECT table_name FROM duckdb_tables() WHERE {where}",
        )

    def get_view_names(self, connection: Any, schema: Any = None, **_: Any) -> list[str]:
        return self.get_table_names(connection, schema)

    def get_columns(
        self, connection: Any, table_name: str, schema: Any = None, **_: Any
    ) -> list[Any]:
        described = connection.exec_driver_sql(f'DESCRIBE {schema or "main"}."{table_name}"')
        return [
            {
                "name": row[0],
                "type": TYPES.get(row[1], sa.String)(),
                "nullable": True,
                "default": None,
            }
            for row in described
        ]

    def get_pk_constraint(
        self,
        connection: Any,  # noqa: ARG002
        table_name: str,  # noqa: ARG002
        schema: Any = None,  # noqa: ARG002
        **_: Any,
    ) -> Any:
        return {"constrained_columns": [], "name": None}

    @staticmethod
    def _names(connection: Any, query: str) -> list[str]:
        return [row[0] for row in connection.exec_driver_sql(query)]
