"""A mapping with every name resolved: what compiling reads.

`mapping.load_mapping` makes it once from the file; nothing here looks a name up or reads YAML.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from terrafusion_lib.core.raw import SourceTable
from terrafusion_lib.core.sql import identifier
from terrafusion_lib.core.tables import TableSpec
from terrafusion_lib.mappers.expressions import Expression
from terrafusion_lib.mappers.model import Geometry, Literal, Points, ValueMap
from terrafusion_lib.mappers.transforms import Step

RAW, RELATION, RESULT = "raw", "relation", "mapped"
"""Schemas of the engine."""
MAPPED = "mapped."
"""Begins the names of canonical tables mapped before."""


@dataclass(frozen=True)
class Rows:
    """Rows that can be read by a name: a raw table, a relation or a mapped table.

    `key` tells the rows apart and breaks ties the same way in every run. `one_per` are columns
    that no two rows share, by construction. `computed` are columns that an expression makes anew
    at each reading.
    """

    name: str
    schema: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    one_per: tuple[str, ...] = ()
    computed: frozenset[str] = frozenset()

    @property
    def alias(self) -> str:
        """Name under which an expression reaches the rows."""
        return self.name.removeprefix(MAPPED)

    @property
    def sql(self) -> str:
        """SQL identifier."""
        return f"{self.schema}.{identifier(self.alias)}"


def raw_rows(table: SourceTable) -> Rows:
    """A raw table as its typed view."""
    columns = tuple(table.columns)
    return Rows(table.name, RAW, columns, table.key or columns)


def mapped_rows(spec: TableSpec) -> Rows:
    """A canonical table that has been mapped."""
    return Rows(MAPPED + spec.name, RESULT, spec.column_names, spec.key)


@dataclass(frozen=True)
class BoundJoin:
    """A look-up: for each column of the target the expression that it must equal."""

    alias: str
    target: Rows
    match: dict[str, Expression]
    many: bool = False
    """A row may find several, and is repeated for each (in relations only)."""


@dataclass(frozen=True)
class From:
    """Base rows and their look-ups, each of which may use those before it."""

    base: Rows
    joins: tuple[BoundJoin, ...] = ()

    def rows(self) -> Iterator[Rows]:
        """Everything that is read."""
        yield self.base
        yield from (join.target for join in self.joins)

    def aliases(self) -> dict[str, str]:
        """Name of the rows behind each alias."""
        joined = {join.alias: join.target.name for join in self.joins}
        return {self.base.alias: self.base.name} | joined


@dataclass(frozen=True)
class BoundRelation:
    """An intermediate table: of the base's columns those `kept`, and `columns` of its own."""

    rows: Rows
    reads: From
    kept: tuple[str, ...]
    columns: dict[str, Expression]
    where: Expression | None = None
    order: tuple[tuple[Expression, str], ...] = ()
    group_by: tuple[str, ...] = ()
    first_per: tuple[str, ...] = ()
    geometry: Geometry | None = None
    points: Points | None = None

    def expressions(self) -> Iterator[Expression]:
        """Expressions of the relation, those of its joins left out."""
        if self.where:
            yield self.where
        yield from (expression for expression, _ in self.order)
        yield from self.columns.values()

    def reads_of_base(self) -> set[str]:
        """Columns of the base that are read other than by an expression."""
        columns = {*self.kept, *self.group_by, *self.first_per}
        if self.geometry:
            columns.add(self.geometry.column)
        if self.points:
            columns |= {self.points.x, self.points.y}
        if self.first_per or self.geometry or self.points:
            columns.update(self.reads.base.key)
        return columns


@dataclass(frozen=True)
class BoundMember:
    """A value, the transforms before its conversion, the conversion if named, those after it."""

    value: Expression
    before: tuple[Step, ...] = ()
    conversion: Step | None = None
    after: tuple[Step, ...] = ()


@dataclass(frozen=True)
class BoundColumn:
    """One canonical column: one value, or the members of a JSON object."""

    value: BoundMember | None
    members: dict[str, BoundMember]
    map_name: str = ""
    value_map: ValueMap | None = None
    known: Expression | None = None
    default: Literal | None = None
    required: bool = False

    def expressions(self) -> Iterator[Expression]:
        """Everything that the column is made of."""
        if self.known:
            yield self.known
        yield from (member.value for member in (self.value, *self.members.values()) if member)


@dataclass(frozen=True)
class BoundTable:
    """One canonical table: its rows, why some are left out, its columns."""

    spec: TableSpec
    reads: From
    drops: tuple[tuple[str, Expression], ...]
    """Reason, and where it holds."""
    columns: dict[str, BoundColumn]

    @property
    def rows(self) -> Rows:
        """The table once it has been mapped."""
        return mapped_rows(self.spec)

    def expressions(self) -> Iterator[Expression]:
        """Expressions of the table, those of its joins left out."""
        yield from (when for _, when in self.drops)
        for column in self.columns.values():
            yield from column.expressions()


@dataclass(frozen=True)
class Mapping:
    """A county's mapping, checked and bound."""

    path: Path
    sources: dict[str, SourceTable]
    """What to extract, by name in the raw layer."""
    relations: dict[str, BoundRelation] = field(default_factory=dict)
    value_maps: dict[str, ValueMap] = field(default_factory=dict)
    tables: dict[str, BoundTable] = field(default_factory=dict)

    def source_tables(self) -> dict[str, SourceTable]:
        """What to extract, by name in the raw layer."""
        return self.sources
