"""The plugins there are: folders of this package, and entry points of installed packages."""

from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import cast

from terrafusion_lib.core.config import did_you_mean
from terrafusion_lib.core.errors import PluginError
from terrafusion_lib.plugins.api import Plugin

GROUP = "terrafusion.plugins"
FOLDER = Path(__file__).resolve().parent


def plugin_sources() -> dict[str, EntryPoint]:
    """Every plugin by name, sorted, without importing any.

    A built-in is a folder with ``plugin.py``; an outside package declares the entry point
    ``<name> = "package.module:plugin"`` in the group ``terrafusion.plugins``.

    Raises
    ------
    PluginError
        Two plugins have one name; both places are named.
    """
    found: dict[str, EntryPoint] = {}
    for source in [*_built_in(), *entry_points(group=GROUP)]:
        if source.name in found:
            raise PluginError(
                f"Two plugins are named {source.name}: "
                f"{found[source.name].value} and {source.value}",
                hint="uninstall or rename one",
            )
        found[source.name] = source
    return dict(sorted(found.items()))


def plugin_names() -> list[str]:
    """Names of all plugins, sorted."""
    return list(plugin_sources())


def load_plugin(name: str) -> Plugin:
    """Import one plugin.

    Raises
    ------
    PluginError
        The name is unknown (the nearest is suggested), the plugin cannot be imported, or it
        carries another name than it is registered by.
    """
    sources = plugin_sources()
    if name not in sources:
        raise PluginError(
            f"There is no plugin {name!r}",
            examples=list(sources),
            hint=did_you_mean(name, sources),
        )
    source = sources[name]
    try:
        module = import_module(source.module)
        plugin = getattr(module, source.attr)
    except (ImportError, AttributeError) as error:
        raise PluginError(f"Plugin {name} cannot be loaded from {source.value}: {error}") from error
    if getattr(plugin, "name", None) != name:
        raise PluginError(
            f"Plugin {name} of {source.value} calls itself {getattr(plugin, 'name', None)!r}"
        )
    return cast("Plugin", plugin)


def _built_in() -> list[EntryPoint]:
    package = __name__.rpartition(".")[0]
    return [
        EntryPoint(path.parent.name, f"{package}.{path.parent.name}.plugin:plugin", GROUP)
        for path in sorted(FOLDER.glob("*/plugin.py"))
    ]
