"""The available plugins: folders of this package and entry points of installed packages."""

from typing import cast

from terrafusion_lib.core.errors import PluginError
from terrafusion_lib.core.registry import PLUGINS
from terrafusion_lib.plugins.api import Plugin


def plugin_names() -> list[str]:
    """Names of all plugins, sorted, without importing any."""
    return PLUGINS.names()


def load_plugin(name: str) -> Plugin:
    """Import one plugin; its engine is imported when it runs.

    Raises
    ------
    PluginError
        The name is unknown (the closest is suggested), the plugin cannot be imported, or its name
        differs from its registration.
    """
    plugin = PLUGINS.load(name)
    if getattr(plugin, "name", None) != name:
        raise PluginError(
            f"Plugin {name} of {PLUGINS.source(name).value} has the name "
            f"{getattr(plugin, 'name', None)!r}"
        )
    return cast("Plugin", plugin)
