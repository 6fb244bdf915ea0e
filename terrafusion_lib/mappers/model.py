"""The shape of ``mappings.yaml``: what may be written where. Meaning is checked by `mapping`."""

from pydantic import Field, field_validator

from terrafusion_lib.core.config import FrozenModel
from terrafusion_lib.core.raw import OptionText, RawType, SourceFilter, SourceTable

Literal = bool | int | float | str


class Supplement(FrozenModel):
    """The table that says which supplement is current, and how a table's columns match it."""

    association: str
    match: dict[str, str] = Field(description="Column of this table: column of the association")


class Keep(FrozenModel):
    """Rows that the source sends; the rest is never read."""

    years: str = Field(default="", description="Column that holds the year")
    equals: dict[str, str | int] = Field(default_factory=dict)
    current_supplement: Supplement | None = None


class Source(FrozenModel):
    """One table to read from a source system."""

    source: str = Field(default="", description="Default: the source at the top of the file")
    table: OptionText
    columns: dict[RawType, tuple[str, ...]] = Field(description="Column names by type")
    key: tuple[str, ...] = ()
    keep: Keep = Keep()
    optional: bool = False
    options: dict[str, OptionText] = Field(default_factory=dict)

    def source_table(self, name: str, default_source: str) -> SourceTable:
        """What the connector is asked to read."""
        filters = [SourceFilter(kind="years", column=self.keep.years)] if self.keep.years else []
        filters += [
            SourceFilter(kind="equals", column=column, value=value)
            for column, value in self.keep.equals.items()
        ]
        if supplement := self.keep.current_supplement:
            filters.append(
                SourceFilter(
                    kind="current_supplement",
                    association=supplement.association,
                    on=supplement.match,
                )
            )
        return SourceTable(
            name=name,
            source=self.source or default_source,
            table=self.table,
            columns={column: kind for kind in RawType for column in self.columns.get(kind, ())},
            key=self.key,
            filters=tuple(filters),
            optional=self.optional,
            options=self.options,
        )


class Join(FrozenModel):
    """A look-up of at most one row; a row without a match stays, with nulls.

    With `many`, in a relation only, the row is repeated for each row that is found: a lot for each
    unit of the condominium on it.
    """

    to: str = Field(default="", description="Relation looked up; default the join's own name")
    match: dict[str, str] = Field(
        min_length=1, description="Column of the relation: expression of this table"
    )
    many: bool = False

    @field_validator("match", mode="before")
    @classmethod
    def _literals_as_text(cls, value: object) -> object:
        return _literals(value)


class Geometry(FrozenModel):
    """Shapes to measure: adds area_sqft, latitude, longitude, part_count and geometry (WGS 84)."""

    column: str = "geometry"
    crs: str = Field(default="EPSG:4326", description="System that the layer is in")


class Points(FrozenModel):
    """Coordinates to locate: adds latitude and longitude (WGS 84).

    Degrees are taken as they are, anything else is read in the county's projected system.
    """

    x: str
    y: str


class Relation(FrozenModel):
    """An intermediate table.

    Plain: the rows of `from` with `columns` added. ``group_by``: one row per group, `columns` are
    aggregates. ``first_per``: of each group the first row by `order_by`. ``geometry`` and
    ``points``: the rows of `from` with what was measured.
    """

    description: str = ""
    base: str = Field(alias="from")
    joins: dict[str, Join] = Field(default_factory=dict)
    where: str = ""
    group_by: tuple[str, ...] = ()
    first_per: tuple[str, ...] = ()
    order_by: tuple[str, ...] = ()
    columns: dict[str, str] = Field(default_factory=dict)
    geometry: Geometry | None = None
    points: Points | None = None

    @field_validator("columns", mode="before")
    @classmethod
    def _literals_as_text(cls, value: object) -> object:
        return _literals(value)


class ValueMap(FrozenModel):
    """Source code to canonical value; a code that is not listed is always counted."""

    description: str = ""
    unmapped: str = Field(
        default="null",
        pattern="^(null|keep|fail|default)$",
        description="What an unlisted code becomes: null, itself, an error, or `default`",
    )
    default: Literal | None = None
    values: dict[str, Literal | None]

    @field_validator("unmapped", mode="before")
    @classmethod
    def _null_is_a_word(cls, value: object) -> object:
        return "null" if value is None else value


class Member(FrozenModel):
    """A value and what is done to it: a column or expression, then named transforms."""

    value: str = ""
    transform: tuple[str, ...] = ()

    @field_validator("transform", mode="before")
    @classmethod
    def _one_or_many(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("value", mode="before")
    @classmethod
    def _literal_as_text(cls, value: object) -> object:
        return _as_expression(value)


class Column(Member):
    """One canonical column: its value, codes and what stands in for null."""

    value_map: str = ""
    known: str = Field(
        default="",
        description="Null where the source's own code table lacks the code: counted as unmapped",
    )
    members: dict[str, Member] = Field(default_factory=dict, alias="json")
    default: Literal | None = None
    required: bool = False

    @field_validator("members", mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return _long_form(value)


class Drop(FrozenModel):
    """Rows left out, with the reason that the run summary shows."""

    reason: str
    when: str


class Table(FrozenModel):
    """One canonical table: its base rows, look-ups, rows left out and columns."""

    description: str = ""
    base: str = Field(alias="from")
    joins: dict[str, Join] = Field(default_factory=dict)
    let: dict[str, str] = Field(
        default_factory=dict, description="Names for expressions that drop and fields use"
    )
    drop: tuple[Drop, ...] = ()
    fields: dict[str, Column]

    @field_validator("fields", mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return _long_form(value)


class MappingFile(FrozenModel):
    """The whole file."""

    version: int = Field(ge=1, le=1)
    source: str = Field(default="", description="Source of tables that name none")
    sources: dict[str, Source]
    relations: dict[str, Relation] = Field(default_factory=dict)
    value_maps: dict[str, ValueMap] = Field(default_factory=dict)
    tables: dict[str, Table]


def _as_expression(value: object) -> object:
    """YAML's own literals as SQL text, so that ``parcel_count: 1`` needs no quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _literals(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {name: _as_expression(item) for name, item in value.items()}


def _long_form(value: object) -> object:
    """``name: expression`` as ``name: {value: expression}``."""
    if not isinstance(value, dict):
        return value
    return {
        name: item if isinstance(item, dict) else {"value": item} for name, item in value.items()
    }
