"""A relation of a mapping, checked and bound to what is defined above it."""

from terrafusion_lib.core.errors import MappingError
from terrafusion_lib.mappers.bound import RELATION, BoundRelation, From, Rows
from terrafusion_lib.mappers.expressions import Expression, Scope, read_expression, row_expression
from terrafusion_lib.mappers.model import Relation
from terrafusion_lib.mappers.names import Names, bind_from, require_known

MEASURES = ("area_sqft", "latitude", "longitude", "part_count", "geometry")
POSITION = ("latitude", "longitude")


def bind_relation(names: Names, name: str, relation: Relation) -> BoundRelation:
    """Check a relation and resolve its names.

    Raises
    ------
    MappingError
        A name that there is not, an expression that is not allowed, or parts that exclude each
        other.
    """
    _refuse_mixed(relation)
    reads, scope = bind_from(names, relation.base, relation.joins)
    for columns in ((*relation.group_by, *relation.first_per), _measured(relation)):
        require_known("column", columns, reads.base.columns, where=relation.base)
    return BoundRelation(
        rows=_rows(name, relation, reads),
        reads=reads,
        kept=tuple(
            column
            for column in relation.group_by or reads.base.columns
            if column not in relation.columns
        ),
        where=row_expression(relation.where, scope) if relation.where else None,
        order=tuple(_order(text, scope) for text in relation.order_by),
        columns={
            column: _column(relation, column, text, scope)
            for column, text in relation.columns.items()
        },
        group_by=relation.group_by,
        first_per=relation.first_per,
        geometry=relation.geometry,
        points=relation.points,
    )


def _refuse_mixed(relation: Relation) -> None:
    if relation.group_by and relation.first_per:
        raise MappingError("group_by and first_per exclude each other")
    if bool(relation.first_per) != bool(relation.order_by):
        raise MappingError("first_per and order_by need each other")
    measured = bool(relation.geometry) + bool(relation.points)
    shaped = (
        relation.joins,
        relation.where,
        relation.columns,
        relation.group_by,
        relation.first_per,
    )
    if measured > 1 or (measured and any(shaped)):
        raise MappingError("geometry or points stands alone: add the rest in a relation on top")


def _measured(relation: Relation) -> tuple[str, ...]:
    """Columns that a relation measures."""
    if relation.geometry:
        return (relation.geometry.column,)
    return (relation.points.x, relation.points.y) if relation.points else ()


def _rows(name: str, relation: Relation, reads: From) -> Rows:
    """The relation as others read it; what is grouped, ranked or measured is stored.

    Rows that a join repeats are told apart by the relation's own columns.
    """
    base = reads.base
    repeated = any(join.many for join in reads.joins)
    measures = MEASURES if relation.geometry else POSITION if relation.points else ()
    one_per = relation.group_by or relation.first_per
    columns = (*(relation.group_by or base.columns), *relation.columns, *measures)
    return Rows(
        name,
        RELATION,
        columns=tuple(dict.fromkeys(columns)),
        key=one_per or (*base.key, *(relation.columns if repeated else ())),
        one_per=one_per,
        computed=frozenset() if one_per or measures else base.computed | relation.columns.keys(),
    )


def _order(text: str, scope: Scope) -> tuple[Expression, str]:
    """Expression and direction of an ``order_by`` item."""
    head, _, last = text.rpartition(" ")
    if last.lower() in ("asc", "desc") and head:
        return row_expression(head, scope), last.upper()
    return row_expression(text, scope), "ASC"


def _column(relation: Relation, name: str, text: str, scope: Scope) -> Expression:
    expression = read_expression(text, scope)
    if expression.aggregates != bool(relation.group_by):
        raise MappingError(
            f"column {name}: «{text}» "
            + ("is no aggregate" if relation.group_by else "aggregates without group_by"),
            hint="sum, min, max, count, string_agg … belong to relations with group_by",
        )
    return expression
