"""Columns of a staged table as SQL: inputs, conversions, codes and JSON objects.

Inputs are the mapped values after the transforms that precede their conversion; they are computed
once per row, under a name that the outputs refer to.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

from terrafusion_lib.core.sql import identifier, literal
from terrafusion_lib.core.tables import Column, Kind
from terrafusion_lib.mappers.bound import BoundColumn, BoundMember
from terrafusion_lib.mappers.conversions import SQL_TYPES, convert, family, text_of
from terrafusion_lib.mappers.model import ValueMap
from terrafusion_lib.mappers.pieces import case, cast, listed
from terrafusion_lib.mappers.session import Session
from terrafusion_lib.mappers.transforms import DECIMAL_COMMA

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


def inputs_of(session: Session, name: str, column: BoundColumn) -> Iterator[tuple[str, str]]:
    """Inputs of a column: their names and SQL."""
    members = {_member(name, key): member for key, member in column.members.items()}
    if column.value:
        members[name] = column.value
    for key, member in members.items():
        value = session.sql(member.value)
        for step in member.before:
            value = step.sql(value)
        yield key, value
    if column.known:
        yield _known(name), session.sql(column.known)


def _member(column: str, key: str) -> str:
    """Input of a member of a JSON object."""
    return f"{column}.{key}"


def _known(column: str) -> str:
    """Input that is null where the source's own code table lacks the code."""
    return f"{column}.known"


def outputs_of(spec: Column, column: BoundColumn, types: dict[str, str]) -> Iterator[Output]:
    """The staged column, and hidden ones for what its JSON members could not convert.

    Parameters
    ----------
    types : dict
        Type of each input.
    """
    if column.value is None:
        yield from _json(spec.name, column, types)
        return
    if column.value_map:
        output = _coded(spec, column.map_name, column.value_map, types[spec.name])
    else:
        output = _converted(spec.name, column.value, spec.kind, types[spec.name])
    if column.known:
        output = replace(output, unmapped=_not_known(spec.name, types[spec.name]))
    if column.default is not None:
        default = cast(literal(column.default), SQL_TYPES[spec.kind])
        output = replace(output, value=f"coalesce({output.value}, {default})")
    yield output


def constant(spec: Column, value: object) -> Output:
    """A column that the mapping leaves out, the same in every row."""
    return Output(spec.name, cast(literal(value), SQL_TYPES[spec.kind]))


def _converted(name: str, member: BoundMember, kind: Kind, sql_type: str) -> Output:
    """An input as `kind`, and where and why it could not be converted."""
    chosen = member.conversion
    first = chosen.transform.kind if chosen and chosen.transform.kind else kind
    argument = chosen.argument if chosen else ""
    source = identifier(name)
    decimal = "," if argument == DECIMAL_COMMA else "."
    conversion = convert(first, sql_type, formats=argument, words=argument, decimal=decimal)
    conversion = conversion.of(source, raw=cast(source, "VARCHAR"))
    value = conversion.value
    for step in member.after:
        value = step.sql(value)
    if SQL_TYPES[first] != SQL_TYPES[kind] or member.after:
        value = cast(value, SQL_TYPES[kind])
    return Output(name, value, conversion.failed, conversion.reason)


def _code(name: str, sql_type: str) -> str:
    """An input as the text of a code."""
    return text_of(sql_type).replace("{x}", identifier(name))


def _coded(spec: Column, map_name: str, value_map: ValueMap, sql_type: str) -> Output:
    """What the value map makes of a code, and the code where the map does not list it."""
    code = _code(spec.name, sql_type)
    codes = listed(literal(key) for key in value_map.values)
    value = cast(f"{identifier(map_name)}({code})", SQL_TYPES[spec.kind])
    return Output(spec.name, value, unmapped=case([(f"({code}) NOT IN ({codes})", code)]))


def _not_known(name: str, sql_type: str) -> str:
    """The code where the source's own code table lacks it."""
    return case([(f"{identifier(_known(name))} IS NULL", _code(name, sql_type))])


def _json(name: str, column: BoundColumn, types: dict[str, str]) -> Iterator[Output]:
    """A JSON object without its null members (null when none is left), and hidden failures."""
    members = {
        key: _json_member(_member(name, key), member, types[_member(name, key)])
        for key, member in column.members.items()
    }
    texts = listed(_json_text(key, member.value) for key, member in members.items())
    yield Output(name, f"'{{' || nullif(concat_ws(',', {texts}), '') || '}}'")
    yield from (replace(member, value="") for member in members.values() if member.failed)


def _json_member(name: str, member: BoundMember, sql_type: str) -> Output:
    kind = member.conversion.transform.kind if member.conversion else None
    return _converted(name, member, kind or JSON_KINDS.get(family(sql_type), Kind.TEXT), sql_type)


def _json_text(key: str, value: str) -> str:
    """Name and value of a member; null where the value is."""
    return f"{literal(json.dumps(key) + ':')} || {cast(f'to_json({value})', 'VARCHAR')}"
