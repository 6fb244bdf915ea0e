"""A county's mapping: read from YAML, checked against the canonical schema and itself, bound."""

from pathlib import Path
from typing import Any

import yaml

from terrafusion_lib.core.config import SafeLoader, parse, read_yaml
from terrafusion_lib.core.errors import MappingError
from terrafusion_lib.core.raw import SourceTable
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.mappers.bind_relation import bind_relation
from terrafusion_lib.mappers.bind_table import bind_table
from terrafusion_lib.mappers.bound import (
    MAPPED,
    BoundRelation,
    BoundTable,
    Mapping,
    raw_rows,
)
from terrafusion_lib.mappers.model import MappingFile, ValueMap
from terrafusion_lib.mappers.names import Names, inside, require_known
from terrafusion_lib.mappers.usage import without_unread


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping; every name in it is resolved here, once.

    Raises
    ------
    ConfigError
        The file is missing, not YAML, or has an unknown key (the nearest is named).
    MappingError
        It names a table, column, transform or value map that does not exist (the nearest is
        named), or an expression that is not allowed.
    """
    file = parse(MappingFile, read_yaml(path, _KeysAsWritten), where=str(path))
    with inside(str(path)):
        _refuse_doubles(file)
    mapped = (MAPPED + name for name in file.tables)
    names = Names(frozenset([*file.relations, *mapped]), frozenset(file.value_maps))
    with inside(f"{path}, sources"):
        sources = _sources(names, file)
    relations = _relations(names, file, path)
    for name, value_map in file.value_maps.items():
        with inside(f"{path}, value map {name}"):
            _check_value_map(value_map)
    tables = _tables(names, file, path)
    return Mapping(
        path, sources, without_unread(relations, tables.values()), file.value_maps, tables
    )


class _KeysAsWritten(SafeLoader):  # type: ignore[misc]
    """YAML whose keys are text as written: the codes 01, 9 and No stay "01", "9" and "No"."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        self.flatten_mapping(node)
        return {
            str(key.value): self.construct_object(value, deep=deep) for key, value in node.value
        }


def _refuse_doubles(file: MappingFile) -> None:
    both = sorted(file.sources.keys() & file.relations.keys())
    if both:
        raise MappingError(f"{both[0]} is both a source and a relation")
    require_known("canonical table", file.tables, TABLES)


def _sources(names: Names, file: MappingFile) -> dict[str, SourceTable]:
    tables = {}
    for name, source in file.sources.items():
        tables[name] = source.source_table(name, file.source)
        if not tables[name].source:
            raise MappingError(f"source {name} names no source system")
        require_known("key column", source.key, tables[name].columns, where=name)
        names.define(raw_rows(tables[name]))
    return tables


def _relations(names: Names, file: MappingFile, path: Path) -> dict[str, BoundRelation]:
    relations = {}
    for name, relation in file.relations.items():
        with inside(f"{path}, relation {name}"):
            relations[name] = bind_relation(names, name, relation)
        names.define(relations[name].rows)
    return relations


def _check_value_map(value_map: ValueMap) -> None:
    if (value_map.default is not None) != (value_map.unmapped == "default"):
        raise MappingError("default needs unmapped: default, and the other way round")


def _tables(names: Names, file: MappingFile, path: Path) -> dict[str, BoundTable]:
    tables = {}
    for name, table in file.tables.items():
        with inside(f"{path}, table {name}"):
            tables[name] = bind_table(names, name, table, file.value_maps)
        names.define(tables[name].rows)
    return tables
