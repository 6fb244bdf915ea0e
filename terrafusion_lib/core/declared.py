"""What plugins declare, for the layers below that are built from it.

The store builds tables and migrations from it, the analytics database its facts. Plugins are found
through the registry, never imported by name, so this module knows none of them.
"""

import logging
from functools import cache
from typing import Any

from terrafusion_lib.core.errors import PluginError
from terrafusion_lib.core.registry import PLUGINS
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.tables import TableSpec

LOG = logging.getLogger("terrafusion")


def declared_plugins() -> dict[str, Any]:
    """Every plugin by name; plugins that cannot be imported are skipped with a warning."""
    return _plugins(tuple(PLUGINS.names()))


def result_tables() -> dict[str, TableSpec]:
    """The result tables of all plugins, by name.

    Raises
    ------
    PluginError
        Two plugins declare the same table, or one declares a canonical table.
    """
    tables: dict[str, TableSpec] = {}
    owner = dict.fromkeys(TABLES, "the canonical schema")
    for name, plugin in declared_plugins().items():
        for table in plugin.tables:
            if table.name in owner:
                raise PluginError(
                    f"Table {table.name} is declared by {owner[table.name]} and by plugin {name}",
                    hint="rename one of them",
                )
            owner[table.name] = f"plugin {name}"
            tables[table.name] = table
    return tables


def result_table(name: str) -> TableSpec:
    """One result table.

    Raises
    ------
    PluginError
        No plugin declares it; the closest name is suggested.
    """
    tables = result_tables()
    if name not in tables:
        raise PluginError(f"No plugin has a result table {name!r}", examples=list(tables))
    return tables[name]


def result_step(plugin: str) -> str:
    """The step of the main job that runs a plugin.

    Raises
    ------
    PluginError
        No step runs it.
    """
    declared = declared_plugins().get(plugin)
    if declared is None or not declared.steps:
        raise PluginError(f"No step of the main job runs {plugin}", hint="terrafusion plugins list")
    name: str = declared.steps[0].name
    return name


def plugin_of(step: str) -> str:
    """The plugin that a step of the main job runs.

    Raises
    ------
    PluginError
        No plugin has that step.
    """
    for name, plugin in declared_plugins().items():
        if step in {spec.name for spec in plugin.steps}:
            return name
    raise PluginError(f"No plugin has a step {step}", hint="terrafusion plugins list")


@cache
def _plugins(names: tuple[str, ...]) -> dict[str, Any]:
    loaded = {}
    for name in names:
        try:
            loaded[name] = PLUGINS.load(name)
        except PluginError as error:
            LOG.warning("%s; its tables are skipped", str(error).rstrip("."))
    return loaded
