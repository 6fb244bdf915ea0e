"""One canonical table as SQL: conversions, failures, unmapped codes and reasons to drop.

The staged table holds, beside the canonical columns, why a row is left out and a list of what could
not be converted or is not in a value map. Both are almost always null and cost next to nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from terrafusion_lib.core.sql import identifier, literal
from terrafusion_lib.core.tables import TableSpec
from terrafusion_lib.mappers.bound import BoundTable
from terrafusion_lib.mappers.chunks import chunks_of, key_columns
from terrafusion_lib.mappers.model import ValueMap
from terrafusion_lib.mappers.pieces import case, cast, columns, listed, named, select, struct
from terrafusion_lib.mappers.relations import from_clause
from terrafusion_lib.mappers.session import Session
from terrafusion_lib.mappers.staged_columns import Output, constant, inputs_of, outputs_of

DROP = "_drop"
FAILURES, CODES = "_failures", "_codes"


@dataclass(frozen=True)
class Stage:
    """SQL of a staged table by chunk, and which columns can fail or hold unmapped codes."""

    selects: tuple[str, ...]
    outputs: tuple[Output, ...]


def staged(name: str) -> str:
    """SQL identifier of a staged table."""
    return identifier(f"stage of {name}")


def key_text(table: TableSpec) -> str:
    """SQL text of a row's key without the county, parts joined by a slash."""
    return f"concat_ws('/', {columns(key for key in table.key if key != 'county_id')})"


def define_value_maps(session: Session) -> None:
    """Make each value map a function of a code, for expressions and fields."""
    for name, value_map in session.mapping.value_maps.items():
        macro = f"CREATE MACRO {identifier(name)}(code) AS {_meaning(value_map)}"
        session.run(macro, where=f"value map {name}")


def _meaning(value_map: ValueMap) -> str:
    """What a code means."""
    meanings = [(literal(code), literal(value)) for code, value in value_map.values.items()]
    unlisted = {"keep": "trim(code)", "default": literal(value_map.default)}
    return case(meanings, unlisted.get(value_map.unmapped, "NULL"), of="trim(code)")


def stage_table(session: Session, table: BoundTable) -> Stage:
    """SQL that stages a canonical table; the engine tells the types of its inputs."""
    inputs = dict(_inputs(session, table))
    listed_inputs = [named(value, name) for name, value in inputs.items()]
    types = session.types(
        select(listed_inputs, from_clause(session, table.reads)), where=table.spec.name
    )
    outputs = tuple(_outputs(session, table, types))
    inner = [named(_dropped(session, table), DROP), *listed_inputs]
    outer = _columns(table.spec, outputs)
    chunks = chunks_of(session, table.reads, key_columns(table.reads))
    froms = [from_clause(session, table.reads, chunk) for chunk in chunks]
    return Stage(
        tuple(select(outer, f"FROM ({select(inner, rows)}) AS input") for rows in froms), outputs
    )


def _inputs(session: Session, table: BoundTable) -> Iterator[tuple[str, str]]:
    for name, column in table.columns.items():
        yield from inputs_of(session, name, column)


def _outputs(session: Session, table: BoundTable, types: dict[str, str]) -> Iterator[Output]:
    """Every column of the canonical table; one that is not mapped is null."""
    for column in table.spec.columns:
        if column.name in table.columns:
            yield from outputs_of(column, table.columns[column.name], types)
        elif column.name == "county_id":
            yield constant(column, str(session.parameters["county_id"]))
        else:
            yield constant(column, None)


def _dropped(session: Session, table: BoundTable) -> str:
    """The mapping's reason to leave a row out."""
    reasons = [(session.sql(when), literal(reason)) for reason, when in table.drops]
    return case(reasons) if reasons else cast("NULL", "VARCHAR")


def _columns(table: TableSpec, outputs: tuple[Output, ...]) -> list[str]:
    """Columns of the staged table over the inputs."""
    values = [named(output.value, output.name) for output in outputs if output.value]
    return [_reason(table, outputs), _failures(outputs), _codes(outputs), *values]


def _reason(table: TableSpec, outputs: tuple[Output, ...]) -> str:
    """Why a row is left out: the mapping's reason, or a key that is missing."""
    values = {output.name: output.value for output in outputs}
    dropped = identifier(DROP)
    keyless = [(f"({values[key]}) IS NULL", literal(f"no {key}")) for key in table.key]
    return named(case([(f"{dropped} IS NOT NULL", dropped), *keyless]), DROP)


def _failures(outputs: tuple[Output, ...]) -> str:
    """List of what could not be converted."""
    failed = [(output.failed, _failure(output)) for output in outputs if output.failed]
    return named(_where_any(failed), FAILURES)


def _failure(output: Output) -> str:
    raw = cast(identifier(output.name), "VARCHAR")
    return struct({"name": literal(output.name), "raw": raw, "reason": output.reason})


def _codes(outputs: tuple[Output, ...]) -> str:
    """List of the codes that are not in their value map."""
    unmapped = [
        (
            f"({output.unmapped}) IS NOT NULL",
            struct({"name": literal(output.name), "code": output.unmapped}),
        )
        for output in outputs
        if output.unmapped
    ]
    return named(_where_any(unmapped), CODES)


def _where_any(items: list[tuple[str, str]]) -> str:
    """List of the items whose condition holds, made only in rows where one does."""
    if not items:
        return "NULL"
    some = " OR ".join(f"({condition})" for condition, _ in items)
    each = listed(case([item]) for item in items)
    return case([(some, f"list_filter([{each}], lambda item: item IS NOT NULL)")])
