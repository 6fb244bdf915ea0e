"""The raw layer as views of the declared types."""

from collections.abc import Iterable

from terrafusion_lib.core.config import nearest
from terrafusion_lib.core.errors import MappingError
from terrafusion_lib.core.raw import RawType, SourceTable
from terrafusion_lib.core.sql import identifier, literal
from terrafusion_lib.core.tables import Kind
from terrafusion_lib.mappers.bound import raw_rows
from terrafusion_lib.mappers.conversions import (
    RIGHT_TRIMMED,
    Conversion,
    convert,
    moment_of,
    text_of,
)
from terrafusion_lib.mappers.pieces import cast, named, select
from terrafusion_lib.mappers.session import RawFailure, Session

RAW_KINDS = {
    RawType.INTEGER: Kind.INTEGER,
    RawType.NUMBER: Kind.NUMBER,
    RawType.BOOLEAN: Kind.BOOLEAN,
    RawType.DATE: Kind.DATE,
}
SQL_TYPES = {
    RawType.TEXT: "VARCHAR",
    RawType.INTEGER: "BIGINT",
    RawType.NUMBER: "DOUBLE",
    RawType.DATE: "DATE",
    RawType.TIMESTAMP: "TIMESTAMP",
    RawType.BOOLEAN: "BOOLEAN",
    RawType.GEOMETRY: "BLOB",
}
ANOTHER_MAPPING = "the extract was made with another mapping"
EXTRACT_AGAIN = "terrafusion run <county> --from connect"


def add_raw_views(session: Session) -> None:
    """Make each raw table readable with its declared types.

    Text loses blanks at its end, as SQL Server compares it: char(n) codes come padded. A column
    of a file that is not of its declared type was kept as text: it is converted here, and what
    cannot be is counted.

    Raises
    ------
    MappingError
        The raw layer lacks a table, file or column.
    """
    for table in session.mapping.source_tables().values():
        present = table.name in session.manifest.tables
        query = _typed_rows(session, table) if present else _no_rows(session, table)
        session.run(f"CREATE VIEW {raw_rows(table).sql} AS {query}", where=table.name)


def _typed_rows(session: Session, table: SourceTable) -> str:
    path = session.manifest.path(session.raw_dir, table.name)
    if not path.is_file():
        raise MappingError("A file of the raw layer is missing", table=table.name, examples=[path])
    file = f"read_parquet({literal(str(path))})"
    types = session.types(f"SELECT * FROM {file}", where=table.name)
    values = []
    for column, raw_type in table.columns.items():
        stored = _stored_name(table, column, types)
        conversion = _typed(raw_type, types[stored], table).of(
            identifier(stored), identifier(stored)
        )
        if conversion.failed:
            session.failures.append(
                RawFailure(raw_rows(table), stored, file, conversion.failed, conversion.reason)
            )
            session.retyped.append(f"{table.name}.{stored}")
        values.append(named(conversion.value, column))
    return select(values, f"FROM {file}")


def _stored_name(table: SourceTable, column: str, stored: Iterable[str]) -> str:
    """A column's name in the file, which may differ in case."""
    exact = {name.casefold(): name for name in stored}
    if column.casefold() in exact:
        return exact[column.casefold()]
    raise MappingError(
        "The raw layer lacks a column that the mapping reads",
        table=table.name,
        column=column,
        examples=nearest(column, exact.values()) or list(exact.values()),
        cause=ANOTHER_MAPPING,
        hint=EXTRACT_AGAIN,
    )


def _typed(raw_type: RawType, sql_type: str, table: SourceTable) -> Conversion:
    """How a raw column of `sql_type` becomes its declared type, by the options of its table."""
    if raw_type is RawType.TEXT:
        return Conversion(RIGHT_TRIMMED if sql_type == "VARCHAR" else text_of(sql_type))
    if sql_type.startswith(SQL_TYPES[raw_type]) or sql_type != "VARCHAR":
        return Conversion("{x}")
    formats = table.options.get("date_format", "")
    if raw_type in RAW_KINDS:
        decimal = table.options.get("decimal", ".")
        return convert(RAW_KINDS[raw_type], sql_type, formats=formats, decimal=decimal)
    value = f"TRY_CAST({{x}} AS {SQL_TYPES[raw_type]})"
    if raw_type is RawType.TIMESTAMP:
        value = moment_of(text_of(sql_type), formats)
    failed = f"{value} IS NULL AND trim({{x}}) <> ''"
    return Conversion(value, failed, f"'not a {raw_type.value}'")


def _no_rows(session: Session, table: SourceTable) -> str:
    """An optional table that the source does not have."""
    if not table.optional:
        known = session.manifest.tables
        raise MappingError(
            "The raw layer lacks a table that the mapping reads",
            table=table.name,
            examples=nearest(table.name, known) or sorted(known),
            cause=ANOTHER_MAPPING,
            hint=EXTRACT_AGAIN,
        )
    nulls = [named(cast("NULL", SQL_TYPES[kind]), column) for column, kind in table.columns.items()]
    return select(nulls, "WHERE false")
