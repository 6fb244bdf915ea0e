"""The available connectors, and how a county's source becomes one."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from terrafusion_lib.connectors.protocol import Connector
from terrafusion_lib.core.config import FrozenModel, did_you_mean, parse
from terrafusion_lib.core.county import CountyConfig, SourceConfig
from terrafusion_lib.core.errors import ConfigError, PluginError
from terrafusion_lib.core.registry import Registry
from terrafusion_lib.core.settings import Settings

CONNECTORS = Registry(
    "connector",
    "terrafusion.connectors",
    "connectors",
    "{name}_connector.py",
    skip=frozenset({"postgis"}),  # results go there; not a source for mappings
)


def open_connector(source: SourceConfig, *, settings: Settings, folder: Path) -> Connector:
    """The connector of a county's source; nothing is connected or read yet.

    Parameters
    ----------
    source : SourceConfig
        Connector name and options. Text options may contain ``{data_dir}``, ``{root}`` and
        ``{config_dir}``; references to secrets are resolved when the connector connects.
    folder : Path
        Folder of the county's configuration; relative paths start there.

    Raises
    ------
    ConfigError
        The connector is unknown (the closest name is suggested) or its options are invalid.
    """
    connector = load_connector(source.connector)
    options = _filled(
        source.options,
        {
            "data_dir": str(settings.data_path),
            "root": str(settings.root),
            "config_dir": str(settings.county_configs_path),
        },
    )
    where = f"sources of {folder.name} (connector {source.connector})"
    return cast("Connector", connector(parse(connector.Options, options, where=where), folder))


def open_source(county: CountyConfig, name: str, settings: Settings) -> Connector:
    """The connector of the county's source `name`.

    Raises
    ------
    ConfigError
        The county has no such source; the closest name is suggested.
    """
    if name not in county.sources:
        raise ConfigError(
            f"The mapping reads source {name!r}, which county.yaml does not define",
            county=county.county_id,
            examples=sorted(county.sources),
            hint=did_you_mean(name, county.sources) or "add it to sources in county.yaml",
        )
    return open_connector(county.sources[name], settings=settings, folder=county.folder)


def load_connector(name: str) -> type[Any]:
    """The class of a connector: from an entry point or a built-in module.

    Raises
    ------
    ConfigError
        There is no such connector; the closest name is suggested.
    PluginError
        It cannot be imported.
    """
    loaded = CONNECTORS.load(name, ConfigError)
    return _class_of(loaded) if isinstance(loaded, ModuleType) else cast("type[Any]", loaded)


def _class_of(module: ModuleType) -> type[Any]:
    """The one class of a connector module that has ``name`` and ``Options``."""
    classes = [
        item
        for item in vars(module).values()
        if isinstance(item, type)
        and item.__module__ == module.__name__
        and isinstance(getattr(item, "name", None), str)
        and issubclass(getattr(item, "Options", object), FrozenModel)
    ]
    if len(classes) != 1:
        raise PluginError(
            f"{module.__name__} must have one class with name and Options, but has {len(classes)}"
        )
    return classes[0]


def _filled(value: Any, places: Mapping[str, str]) -> Any:
    """`value` with ``{name}`` placeholders in its text replaced."""
    if isinstance(value, str):
        for name, text in places.items():
            value = value.replace(f"{{{name}}}", text)
        return value
    if isinstance(value, dict):
        return {key: _filled(item, places) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, places) for item in value]
    return value
