"""Which connectors there are, and how a county's source becomes one."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, cast

from terrafusion_lib.connectors.protocol import Connector
from terrafusion_lib.core.config import FrozenModel, did_you_mean, parse
from terrafusion_lib.core.county import CountyConfig, SourceConfig
from terrafusion_lib.core.errors import ConfigError, PluginError
from terrafusion_lib.core.settings import Settings

FOLDER = Path(__file__).parent
SUFFIX = "_connector"
ENTRY_POINTS = "terrafusion.connectors"
TARGETS = frozenset({"postgis"})
"""Connectors to where results go: no source that a mapping could read."""


@dataclass(frozen=True)
class Entry:
    """A connector that is known by name and not yet imported."""

    name: str
    origin: str
    module: str
    load: Callable[[], type[Any]]


def find_connectors(folder: Path = FOLDER, group: str = ENTRY_POINTS) -> dict[str, Entry]:
    """Connectors by name: ``<name>_connector.py`` of `folder`, then entry points of `group`.

    Raises
    ------
    PluginError
        Two connectors have one name; both places are named.
    """
    found: dict[str, Entry] = {}
    for entry in [*_built_in(folder), *_installed(group)]:
        if entry.name in found:
            raise PluginError(
                f"Two connectors are named {entry.name!r}",
                examples=[found[entry.name].origin, entry.origin],
                hint="rename one of them",
            )
        found[entry.name] = entry
    return found


def open_connector(source: SourceConfig, *, settings: Settings, folder: Path) -> Connector:
    """The connector of a county's source; nothing is connected or read yet.

    Parameters
    ----------
    source : SourceConfig
        Connector name and options. Text options may hold ``{data_dir}``, ``{root}`` and
        ``{config_dir}``; references to secrets are resolved when the connector connects.
    folder : Path
        Folder of the county's configuration; relative paths begin there.

    Raises
    ------
    ConfigError
        The connector is unknown (the nearest name is given) or its options are not valid.
    """
    known = find_connectors()
    if source.connector not in known:
        raise ConfigError(
            f"There is no connector {source.connector!r}",
            examples=sorted(known),
            hint=did_you_mean(source.connector, known),
        )
    connector = known[source.connector].load()
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
        The county has no such source; the nearest name is given.
    """
    if name not in county.sources:
        raise ConfigError(
            f"The mapping reads source {name!r}, which county.yaml does not name",
            county=county.county_id,
            examples=sorted(county.sources),
            hint=did_you_mean(name, county.sources) or "add it to sources of county.yaml",
        )
    return open_connector(county.sources[name], settings=settings, folder=county.folder)


def _built_in(folder: Path) -> list[Entry]:
    entries = []
    for path in sorted(folder.glob(f"*{SUFFIX}.py")):
        name = path.stem.removesuffix(SUFFIX)
        if name in TARGETS:
            continue
        module = f"{__package__}.{path.stem}"
        entries.append(Entry(name, str(path), module, lambda module=module: _class_of(module)))  # type: ignore[misc]
    return entries


def _installed(group: str) -> list[Entry]:
    def entry(point: EntryPoint) -> Entry:
        package = point.dist.name if point.dist else "unknown package"
        return Entry(point.name, f"{point.value} of {package}", point.module, point.load)

    points = sorted(entry_points(group=group), key=lambda point: (point.name, point.value))
    return [entry(point) for point in points]


def _class_of(module_name: str) -> type[Any]:
    """The one class of a connector module that has ``name`` and ``Options``."""
    module = importlib.import_module(module_name)
    found = [
        item
        for item in vars(module).values()
        if isinstance(item, type)
        and item.__module__ == module_name
        and isinstance(getattr(item, "name", None), str)
        and issubclass(getattr(item, "Options", object), FrozenModel)
    ]
    if len(found) != 1:
        raise PluginError(
            f"{module_name} must hold one class with name and Options, it holds {len(found)}"
        )
    return found[0]


def _filled(value: Any, places: Mapping[str, str]) -> Any:
    """`value` with ``{name}`` placeholders in its texts replaced."""
    if isinstance(value, str):
        for name, text in places.items():
            value = value.replace(f"{{{name}}}", text)
        return value
    if isinstance(value, dict):
        return {key: _filled(item, places) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, places) for item in value]
    return value
