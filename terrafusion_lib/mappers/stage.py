"""One canonical table as SQL: inputs, conversions, failures, unmapped codes and reasons to drop.

The staged table holds, beside the canonical columns, why a row is left out and a list of what could
not be converted or is not in a value map. Both are almost always null and cost next to nothing.
"""

import json
from dataclasses import dataclass, replace

from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.sql import literal
from terrafusion_lib.core.tables import Column, Kind, TableSpec
from terrafusion_lib.mappers.chunks import chunks_of, key_columns
from terrafusion_lib.mappers.conversions import SQL_TYPES, convert, family, text_of
from terrafusion_lib.mappers.expressions import Scope
from terrafusion_lib.mappers.model import Column as Mapped
from terrafusion_lib.mappers.model import Member, Table, ValueMap
from terrafusion_lib.mappers.relations import from_clause, sql
from terrafusion_lib.mappers.session import Session
from terrafusion_lib.mappers.transforms import Step, read_step

DROP = "_drop"
FAILURES, CODES = "_failures", "_codes"
JSON_KINDS = {
    "whole": Kind.INTEGER,
    "real": Kind.NUMBER,
    "boolean": Kind.BOOLEAN,
    "date": Kind.DATE,
    "moment": Kind.DATE,
}
"""Kind of a JSON member that names no conversion, by the type of its value."""


@dataclass(frozen=True)
class Output:
    """One column of the staged table as SQL over the inputs; a hidden one has no value."""

    name: str
    value: str = ""
    failed: str = ""
    reason: str = ""
    unmapped: str = ""


@dataclass(frozen=True)
class Stage:
    """SQL of a staged table by chunk, and which columns can fail or hold unmapped codes."""

    selects: tuple[str, ...]
    outputs: tuple[Output, ...]


def staged(name: str) -> str:
    """SQL identifier of a staged table."""
    return f'"stage of {name}"'


def key_text(table: TableSpec) -> str:
    """SQL text of a row's key without the county, parts joined by a slash."""
    parts = ", ".join(f'"{key}"' for key in table.key if key != "county_id")
    return f"concat_ws('/', {parts})"


def define_value_maps(session: Session) -> None:
    """Make each value map a function of a code, for expressions and fields."""
    for name, value_map in session.mapping.file.value_maps.items():
        session.run(f'CREATE MACRO "{name}"(code) AS {_case(value_map)}', where=f"value map {name}")


def _case(value_map: ValueMap) -> str:
    cases = "".join(
        f" WHEN {literal(code)} THEN {literal(value)}" for code, value in value_map.values.items()
    )
    other = {"keep": "trim(code)", "default": literal(value_map.default)}
    return f"CASE trim(code){cases} ELSE {other.get(value_map.unmapped, 'NULL')} END"


def stage_table(session: Session, name: str, table: Table) -> Stage:
    """SQL that stages a canonical table; the engine tells the types of its inputs."""
    scope = session.mapping.table_scope(table)
    source = from_clause(session, table.base, table.joins, None)
    inputs = {
        key: expression
        for column, item in table.fields.items()
        for key, expression in _inputs(session, column, item, scope).items()
    }
    listed = ", ".join(f'{expression} AS "{key}"' for key, expression in inputs.items())
    types = session.types(f"SELECT {listed} {source}", where=name)
    outputs = tuple(
        output
        for column in TABLES[name].columns
        for output in _outputs(session, column, table.fields.get(column.name), types)
    )
    drops = "".join(
        f" WHEN {sql(session, drop.when, scope)} THEN {literal(drop.reason)}" for drop in table.drop
    )
    dropped = f"CASE{drops} END" if drops else "CAST(NULL AS VARCHAR)"
    inner = f'SELECT {dropped} AS "{DROP}", {listed}'
    parts = [_reason(TABLES[name], outputs), _failures(outputs), _codes(outputs)]
    parts += [f'{output.value} AS "{output.name}"' for output in outputs if output.value]
    columns = key_columns(table.joins, session.mapping.columns[table.base])
    selects = tuple(
        f"SELECT {', '.join(parts)} FROM ({inner} "
        f"{from_clause(session, table.base, table.joins, chunk)}) AS input"
        for chunk in chunks_of(session, table.base, columns, len(table.joins))
    )
    return Stage(selects, outputs)


def _reason(table: TableSpec, outputs: tuple[Output, ...]) -> str:
    """Why a row is left out: the mapping's reason, or a key that is missing."""
    values = {output.name: output.value for output in outputs}
    keyless = "".join(
        f" WHEN ({values[key]}) IS NULL THEN {literal(f'no {key}')}" for key in table.key
    )
    return f'CASE WHEN "{DROP}" IS NOT NULL THEN "{DROP}"{keyless} END AS "{DROP}"'


def _failures(outputs: tuple[Output, ...]) -> str:
    """List of what could not be converted, made only in rows where something failed."""
    failing = [
        (
            output.failed,
            (
                f"{{'name': {literal(output.name)}, 'raw': CAST(\"{output.name}\" AS VARCHAR), "
                f"'reason': {output.reason}}}"
            ),
        )
        for output in outputs
        if output.failed
    ]
    return _listed(failing, FAILURES)


def _codes(outputs: tuple[Output, ...]) -> str:
    """List of the codes that are not in their value map."""
    unmapped = [
        (f"({output.unmapped}) IS NOT NULL",
         f"{{'name': {literal(output.name)}, 'code': {output.unmapped}}}")
        for output in outputs
        if output.unmapped
    ]  # fmt: skip
    return _listed(unmapped, CODES)


def _listed(items: list[tuple[str, str]], name: str) -> str:
    if not items:
        return f'NULL AS "{name}"'
    some = " OR ".join(f"({condition})" for condition, _ in items)
    each = ", ".join(f"CASE WHEN {condition} THEN {item} END" for condition, item in items)
    kept = f"list_filter([{each}], lambda item: item IS NOT NULL)"
    return f'CASE WHEN {some} THEN {kept} END AS "{name}"'


def _inputs(session: Session, column: str, item: Mapped, scope: Scope) -> dict[str, str]:
    """Inputs of a column by name: values after the transforms that precede the conversion."""
    members: dict[str, Member] = {f"{column}.{key}": part for key, part in item.members.items()}
    found = {}
    for name, part in (members or {column: item}).items():
        found[name] = sql(session, part.value, scope)
        for step in _split(part)[0]:
            found[name] = step.sql(found[name])
    if item.known:
        found[f"{column}.known"] = sql(session, item.known, scope)
    return found


def _split(item: Member) -> tuple[list[Step], Step | None, list[Step]]:
    """Transforms before the conversion, the conversion if one is named, transforms after it."""
    steps = [read_step(text) for text in item.transform]
    for position, step in enumerate(steps):
        if step.transform.kind is not None:
            return steps[:position], step, steps[position + 1 :]
    return steps, None, []


def _outputs(
    session: Session, column: Column, item: Mapped | None, types: dict[str, str]
) -> list[Output]:
    """The staged column, and hidden ones for what its JSON members could not convert."""
    name, target = column.name, SQL_TYPES[column.kind]
    if item is None:
        own = literal(str(session.parameters["county_id"])) if name == "county_id" else "NULL"
        return [Output(name, f"CAST({own} AS {target})")]
    if item.members:
        return _json(name, item, types)
    if item.value_map:
        value_map = session.mapping.file.value_maps[item.value_map]
        output = _coded(column, item.value_map, value_map, types[name])
    else:
        output = _converted(name, item, column.kind, types[name])
    if item.known:
        code = text_of(types[name]).replace("{x}", f'"{name}"')
        unmapped = f'CASE WHEN "{name}.known" IS NULL THEN {code} END'
        output = replace(output, unmapped=unmapped)
    if item.default is not None:
        value = f"coalesce({output.value}, CAST({literal(item.default)} AS {target}))"
        output = replace(output, value=value)
    return [output]


def _converted(name: str, item: Member, kind: Kind, sql_type: str) -> Output:
    _, chosen, after = _split(item)
    first = chosen.transform.kind if chosen and chosen.transform.kind else kind
    argument = chosen.argument if chosen else ""
    conversion = convert(first, sql_type, formats=argument, words=argument)
    source = f'"{name}"'
    value = conversion.value.replace("{x}", source)
    for step in after:
        value = step.sql(value)
    if SQL_TYPES[first] != SQL_TYPES[kind] or after:
        value = f"CAST({value} AS {SQL_TYPES[kind]})"
    raw = f"CAST({source} AS VARCHAR)"
    return Output(
        name,
        value,
        conversion.failed.replace("{x}", source),
        conversion.reason.replace("{raw}", raw),
    )


def _coded(column: Column, name: str, value_map: ValueMap, sql_type: str) -> Output:
    code = text_of(sql_type).replace("{x}", f'"{column.name}"')
    known = ", ".join(literal(key) for key in value_map.values)
    value = f'CAST("{name}"({code}) AS {SQL_TYPES[column.kind]})'
    unmapped = f"CASE WHEN ({code}) NOT IN ({known}) THEN {code} END"
    return Output(column.name, value, unmapped=unmapped)


def _json(column: str, item: Mapped, types: dict[str, str]) -> list[Output]:
    """A JSON object without its null members (null when none is left), and hidden failures."""
    parts, hidden = [], []
    for key, member in item.members.items():
        name = f"{column}.{key}"
        chosen = _split(member)[1]
        kind = chosen.transform.kind if chosen else JSON_KINDS.get(family(types[name]), Kind.TEXT)
        output = _converted(name, member, kind or Kind.TEXT, types[name])
        start = literal(json.dumps(key) + ":")
        parts.append(f"{start} || CAST(to_json({output.value}) AS VARCHAR)")
        if output.failed:
            hidden.append(replace(output, value=""))
    value = f"'{{' || nullif(concat_ws(',', {', '.join(parts)}), '') || '}}'"
    return [Output(column, value), *hidden]
