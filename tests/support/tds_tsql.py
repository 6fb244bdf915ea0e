"""T-SQL on a SQLite file: SELECTs translated by sqlglot, and the catalog that clients ask for."""

import re
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp

from tests.support.tds_types import Column

STARTED = "2026-01-02 03:04:05"
SERVER = {"productversion": "15.0.4430.1", "edition": "Developer Edition", "engineedition": 3}
FETCH = 200


class SqlError(Exception):
    """An error as SQL Server numbers it."""

    def __init__(self, number: int, message: str, severity: int = 16) -> None:
        super().__init__(message)
        self.number, self.message, self.severity = number, message, severity


@dataclass
class Result:
    """Columns and rows of a SELECT; no columns for a statement that gives none."""

    columns: list[Column]
    rows: Iterator[tuple[object, ...]]


class Database:
    """One session on a SQLite file that is taken for a SQL Server database."""

    def __init__(self, path: Path, name: str, *, statistics: bool = True) -> None:
        self.name = name
        self.statistics = statistics
        uri = f"{path.resolve().as_uri()}?mode=ro"
        self.connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        for schema in ("sys", "information_schema"):
            self.connection.execute(f"ATTACH ':memory:' AS {schema}")
        self._add_catalog()
        self._add_functions()

    def close(self) -> None:
        self.connection.close()

    def run(self, sql: str, parameters: Mapping[str, object] | None = None) -> Result:
        """Run one batch; anything but SELECT is accepted without effect when it sets an option."""
        text = sql.strip().rstrip(";")
        if re.match(r"(?i)(set|use|if\s+@@trancount|rollback|commit|begin tran)\b", text):
            return Result([], iter(()))
        if not re.match(r"(?i)\(?\s*(select|with)\b", text):
            raise SqlError(102, f"Incorrect syntax near '{text.split(None, 1)[0]}'.", 15)
        self._refuse(text)
        tree = sqlglot.parse_one(text, read="tsql")
        for table in tree.find_all(exp.Table):
            if table.db.lower() == "dbo":
                table.set("db", None)
            table.set("catalog", None)
        for equality in tree.find_all(exp.EQ):
            if equality.expression.is_string:  # trailing blanks do not count
                equality.set("this", exp.func("RTRIM", equality.this.copy()))
        bound = {name.lstrip("@"): value for name, value in (parameters or {}).items()}
        try:
            cursor = self.connection.execute(tree.sql("sqlite"), bound)
        except sqlite3.OperationalError as error:
            raise _error(str(error)) from error
        columns = [
            Column(name[0], self._declared(node, tree))
            for name, node in zip(cursor.description, tree.selects, strict=True)
        ]
        return Result(columns, _rows(cursor))

    def _refuse(self, sql: str) -> None:
        if not self.statistics and "dm_db_index_usage_stats" in sql.lower():
            raise SqlError(300, "VIEW SERVER STATE permission was denied on object 'server'.", 14)
        if "fn_listextendedproperty" in sql.lower():
            raise SqlError(208, "Invalid object name 'fn_listextendedproperty'.")

    def _declared(self, node: exp.Expression, select: exp.Expression) -> str:
        """Type of a result column: that of the column, cast or subquery it comes from."""
        node = node.unalias()
        if isinstance(node, exp.Cast):
            return node.to.sql("tsql").lower()
        if isinstance(node, exp.Subquery | exp.Select):
            inner = node.unnest()
            return self._declared(inner.selects[0], inner)
        if isinstance(node, exp.Max | exp.Min | exp.Sum):
            return self._declared(node.this, select)
        if isinstance(node, exp.Column):
            return self._column_type(node, select)
        return "int" if isinstance(node, exp.Count) or node.is_int else "nvarchar(4000)"

    def _column_type(self, column: exp.Column, select: exp.Expression) -> str:
        source = select.args.get("from_") or select.args.get("from")
        for table in source.find_all(exp.Table) if source else ():
            if column.table and column.table.lower() != table.alias_or_name.lower():
                continue
            rows = self.connection.execute(
                "SELECT type FROM pragma_table_xinfo(?, ?) WHERE name = ? COLLATE NOCASE",
                (table.name, table.db or "main", column.name),
            ).fetchall()
            if rows:
                return str(rows[0][0]).lower() or "nvarchar(4000)"
        return "nvarchar(4000)"

    def _add_functions(self) -> None:
        names = {name.lower() for (name,) in self._tables()}

        def object_id(name: str) -> int | None:
            bare = name.replace("[", "").replace("]", "").rpartition(".")[2].lower()
            return _id(bare) if bare in names else None

        functions = {
            ("serverproperty", 1): lambda name: SERVER.get(name.lower()),
            ("schema_name", 0): lambda: "dbo",
            ("db_name", 0): lambda: self.name,
            ("db_id", 0): lambda: 5,
            ("object_id", 1): object_id,
            ("databasepropertyex", 2): lambda _name, _property: "READ_WRITE",
        }
        for (name, arguments), function in functions.items():
            self.connection.create_function(name, arguments, function)

    def _tables(self) -> list[tuple[str]]:
        return self.connection.execute(
            "SELECT name FROM main.sqlite_master WHERE type = 'table'"
        ).fetchall()

    def _add_catalog(self) -> None:
        self.connection.executescript(
            """
            CREATE TABLE sys.partitions (object_id int, index_id int, rows bigint);
            CREATE TABLE sys.dm_db_partition_stats (object_id int, index_id int, row_count bigint);
            CREATE TABLE sys.dm_db_index_usage_stats
              (database_id int, object_id int, last_user_update datetime);
            CREATE TABLE sys.dm_os_sys_info (sqlserver_start_time datetime);
            CREATE TABLE sys.system_views (name nvarchar(128));
            CREATE TABLE information_schema.TABLES
              (TABLE_SCHEMA nvarchar(128), TABLE_NAME nvarchar(128), TABLE_TYPE varchar(10));
            CREATE TABLE information_schema.COLUMNS
              (TABLE_SCHEMA nvarchar(128), TABLE_NAME nvarchar(128), COLUMN_NAME nvarchar(128),
               ORDINAL_POSITION int, DATA_TYPE nvarchar(128), IS_NULLABLE varchar(3),
               CHARACTER_MAXIMUM_LENGTH int, NUMERIC_PRECISION tinyint, NUMERIC_SCALE int);
            """
        )
        execute = self.connection.execute
        execute("INSERT INTO sys.dm_os_sys_info VALUES (?)", (STARTED,))
        for (name,) in self._tables():
            [(rows,)] = execute(f'SELECT count(*) FROM main."{name}"')
            execute("INSERT INTO sys.partitions VALUES (?, 1, ?)", (_id(name), rows))
            execute("INSERT INTO sys.dm_db_partition_stats VALUES (?, 1, ?)", (_id(name), rows))
            execute(
                "INSERT INTO information_schema.TABLES VALUES ('dbo', ?, 'BASE TABLE')", (name,)
            )
            self._add_columns(name)

    def _add_columns(self, table: str) -> None:
        columns = self.connection.execute(
            'SELECT cid, name, type, "notnull" FROM pragma_table_xinfo(?)', (table,)
        ).fetchall()
        for position, name, declared, required in columns:
            column = Column(name, declared)
            length = precision = scale = None
            if "char" in column.base:
                length = column.sizes[0] if column.sizes else -1
            elif column.base in ("numeric", "decimal"):
                precision, scale = (*column.sizes, 0)[:2]
            kind = "timestamp" if column.base == "rowversion" else column.base
            nullable = "NO" if required else "YES"
            row = (table, name, position + 1, kind, nullable, length, precision, scale)
            self.connection.execute(
                "INSERT INTO information_schema.COLUMNS VALUES ('dbo', ?, ?, ?, ?, ?, ?, ?, ?)", row
            )


def _id(table: str) -> int:
    return zlib.crc32(table.lower().encode()) & 0x7FFFFFFF


def _rows(cursor: sqlite3.Cursor) -> Iterator[tuple[object, ...]]:
    while rows := cursor.fetchmany(FETCH):
        yield from rows


def _error(message: str) -> SqlError:
    kind, _, name = message.partition(": ")
    if kind == "no such table":
        return SqlError(208, f"Invalid object name '{name}'.")
    if kind == "no such column":
        return SqlError(207, f"Invalid column name '{name.rpartition('.')[2]}'.")
    return SqlError(102, f"Incorrect syntax: {message}", 15)
