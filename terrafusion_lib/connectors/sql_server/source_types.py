"""Which raw types a database column can be read as, by its declared type."""

from collections.abc import Mapping

from terrafusion_lib.connectors.protocol import SourceColumn
from terrafusion_lib.core.errors import ConnectError
from terrafusion_lib.core.raw import RawType, SourceTable

_NAMES: dict[str, set[RawType]] = {
    "int integer bigint smallint tinyint": {
        RawType.INTEGER,
        RawType.NUMBER,
        RawType.TEXT,
        RawType.BOOLEAN,
    },
    "numeric decimal money smallmoney float real double": {
        RawType.INTEGER,
        RawType.NUMBER,
        RawType.TEXT,
    },
    "date datetime datetime2 smalldatetime datetimeoffset": {
        RawType.DATE,
        RawType.TIMESTAMP,
        RawType.TEXT,
    },
    "char varchar nchar nvarchar text ntext xml time uniqueidentifier sysname": {RawType.TEXT},
    "binary varbinary image rowversion timestamp blob": {RawType.GEOMETRY},
    "bit": {RawType.BOOLEAN, RawType.INTEGER, RawType.TEXT},
}
READABLE = {name: kinds for names, kinds in _NAMES.items() for name in names.split()}
"""Raw types for each type of SQL Server (and of a SQLite file that mirrors it)."""


def base_type(declared: str) -> str:
    """``varchar`` of ``VARCHAR(50)``."""
    return declared.partition("(")[0].strip().lower()


def check_types(table: SourceTable, columns: Mapping[str, SourceColumn]) -> None:
    """Compare the mapping's types with the source's.

    Unknown (user-defined) types are judged by their values.

    Raises
    ------
    ConnectError
        A column's type cannot be read as declared, for example because it changed at the source.
        Text is never read as a number or a date: the mapping converts it and counts failures.
    """
    wrong = {
        name: columns[name].type
        for name, kind in table.columns.items()
        if kind not in READABLE.get(base_type(columns[name].type), set(RawType))
    }
    if wrong:
        raise ConnectError(
            f"{len(wrong)} columns of {table.table} do not have the type that the mapping declares",
            table=table.table,
            column=", ".join(wrong),
            examples=[
                f"{name}: declared {table.columns[name].value}, at the source {source_type}"
                for name, source_type in wrong.items()
            ],
            cause="the column changed at the source, or the mapping is wrong",
            hint="correct the type in the mapping; read text as text and convert it there",
        )
