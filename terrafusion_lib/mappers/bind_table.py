"""A canonical table of a mapping, checked against its columns and bound to what it reads."""

from collections.abc import Mapping

from terrafusion_lib.core.errors import MappingError
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.tables import Kind, TableSpec
from terrafusion_lib.mappers.bound import BoundColumn, BoundMember, BoundTable
from terrafusion_lib.mappers.expressions import Scope, row_expression
from terrafusion_lib.mappers.model import Column, Member, Table, ValueMap
from terrafusion_lib.mappers.names import Names, bind_from, inside, require_known
from terrafusion_lib.mappers.transforms import read_step

PYTHON_TYPES: dict[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.INTEGER: (int,),
    Kind.NUMBER: (int, float),
    Kind.MONEY: (int, float),
    Kind.BOOLEAN: (bool,),
}


def bind_table(
    names: Names, name: str, table: Table, value_maps: Mapping[str, ValueMap]
) -> BoundTable:
    """Check a canonical table and resolve its names.

    Raises
    ------
    MappingError
        A name that there is not, an expression that is not allowed, a key column without a value,
        or a constant that does not fit its column.
    """
    spec = TABLES[name]
    reads, scope = bind_from(names, table.base, table.joins)
    if many := [join.alias for join in reads.joins if join.many]:
        raise MappingError(
            f"the join {many[0]} may find many rows",
            hint="repeat rows in a relation, and map the table from that",
        )
    _refuse_columns(spec, table)
    for alias, text in table.let.items():
        scope = scope.naming(alias, row_expression(text, scope))
    drops = tuple((drop.reason, row_expression(drop.when, scope)) for drop in table.drop)
    kinds = {column.name: column.kind for column in spec.columns}
    columns = {}
    for column, item in table.fields.items():
        with inside(f"column {column}"):
            columns[column] = _bind_column(item, kinds[column], scope, value_maps)
    return BoundTable(spec, reads, drops, columns)


def _refuse_columns(spec: TableSpec, table: Table) -> None:
    require_known("canonical column", table.fields, spec.column_names)
    missing = [key for key in spec.key if key not in table.fields and key != "county_id"]
    if missing:
        raise MappingError(f"the key column {missing[0]} is not mapped")


def _bind_column(
    item: Column, kind: Kind, scope: Scope, value_maps: Mapping[str, ValueMap]
) -> BoundColumn:
    if bool(item.value) == bool(item.members):
        raise MappingError("give a value, or json for a JSON column")
    if item.members and kind is not Kind.JSON:
        raise MappingError(f"is {kind}, not json")
    column = BoundColumn(
        value=_bind_member(item, scope) if item.value else None,
        members={key: _bind_member(member, scope) for key, member in item.members.items()},
        known=row_expression(item.known, scope) if item.known else None,
        map_name=item.value_map,
        value_map=_value_map(item.value_map, value_maps),
        default=item.default,
        required=item.required,
    )
    _refuse_constants(column, kind)
    return column


def _bind_member(member: Member, scope: Scope) -> BoundMember:
    value = row_expression(member.value, scope)
    steps = [read_step(text) for text in member.transform]
    conversions = [at for at, step in enumerate(steps) if step.transform.kind is not None]
    if len(conversions) > 1:
        raise MappingError("one conversion is enough: " + ", ".join(member.transform))
    if not conversions:
        return BoundMember(value, before=tuple(steps))
    at = conversions[0]
    return BoundMember(value, tuple(steps[:at]), steps[at], tuple(steps[at + 1 :]))


def _value_map(name: str, value_maps: Mapping[str, ValueMap]) -> ValueMap | None:
    if not name:
        return None
    require_known("value map", [name], value_maps)
    return value_maps[name]


def _refuse_constants(column: BoundColumn, kind: Kind) -> None:
    """Constants of a column must be of its kind."""
    constants = [column.default]
    if column.value_map:
        constants += [column.value_map.default, *column.value_map.values.values()]
    allowed = PYTHON_TYPES.get(kind, (str,))
    for constant in constants:
        wrong_bool = isinstance(constant, bool) and bool not in allowed
        if constant is not None and (wrong_bool or not isinstance(constant, allowed)):
            raise MappingError(f"{constant!r} does not fit a column of kind {kind}")
