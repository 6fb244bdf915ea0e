"""Which raw types a database column can be read as, by the type that the source declares."""

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
"""What each type of SQL Server (and of a SQLite file that mirrors it) can be read as."""


def base_type(declared: str) -> str:
    """``varchar`` of ``VARCHAR(50)``."""
    return declared.partition("(")[0].strip().lower()


def check_types(table: SourceTable, columns: Mapping[str, SourceColumn]) -> None:
    """Compare the mapping's types with the source's.

    Types that are not known here (user-defined ones) are left to the values.

    Raises
    ------
    ConnectError
        A column is of a type that cannot be read as declared, as when it was changed at the
        source. Text is never read as a number or a date: the mapping converts it and counts.
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
                f"{name}: declared {table.columns[name].value}, at the source {found}"
                for name, found in wrong.items()
            ],
            cause="the column changed at the source, or the mapping is wrong",
            hint="correct the type in the mapping; read text as text and convert it there",
        )
