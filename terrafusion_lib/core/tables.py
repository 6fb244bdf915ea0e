"""Table definitions: columns with kinds, meanings and units, and the key."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


class Kind(StrEnum):
    """Kinds of columns."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    MONEY = "money"
    BOOLEAN = "boolean"
    DATE = "date"
    JSON = "json"
    GEOMETRY = "geometry"


@dataclass(frozen=True)
class Column:
    """One column: name, kind, whether null is allowed, and its meaning with unit."""

    name: str
    kind: Kind
    meaning: str
    nullable: bool = True


@dataclass(frozen=True)
class TableSpec:
    """One table; `key` is unique and never null."""

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    parent: str | None = None
    """Table that must contain each row's (county_id, property_id)."""

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def arrow_schema(self) -> "pa.Schema":
        """Arrow schema of the table's Parquet files and batches."""
        import pyarrow as pa

        types = {
            Kind.TEXT: pa.string(),
            Kind.INTEGER: pa.int64(),
            Kind.NUMBER: pa.float64(),
            Kind.MONEY: pa.float64(),
            Kind.BOOLEAN: pa.bool_(),
            Kind.DATE: pa.date32(),
            Kind.JSON: pa.string(),
            Kind.GEOMETRY: pa.binary(),
        }
        return pa.schema(
            [pa.field(c.name, types[c.kind], nullable=c.nullable) for c in self.columns]
        )


def read_table(
    name: str, meaning: str, key: str, columns: str, parent: str | None = None
) -> TableSpec:
    """Read a table from lines ``name kind meaning``; key columns are never null."""
    keys = tuple(key.split())
    parsed = []
    for line in columns.strip().splitlines():
        column, kind, text = line.split(None, 2)
        parsed.append(Column(column, Kind(kind), text.strip(), nullable=column not in keys))
    return TableSpec(name, meaning, keys, tuple(parsed), parent)
