"""What a county's configuration says of plugins, checked before anything runs."""

from terrafusion_lib.core.config import FrozenModel, did_you_mean, parse
from terrafusion_lib.core.county import CountyConfig
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.plugins.registry import load_plugin, plugin_names


def plugin_params(county: CountyConfig, name: str) -> FrozenModel:
    """A plugin's parameters for a county: its defaults, and what ``county.yaml`` says.

    Raises
    ------
    ConfigError
        A setting is unknown or not valid.
    """
    given = county.plugins.get(name, {})
    where = f"{county.folder / 'county.yaml'}, plugins.{name},"
    return parse(load_plugin(name).Params, given, where=where)


def check_plugins(county: CountyConfig) -> None:
    """Check every plugin that a county's configuration names, and its settings.

    Raises
    ------
    ConfigError
        There is no such plugin (the nearest is named), or a setting is unknown or not valid.
    """
    known = plugin_names()
    for name in county.plugins:
        if name not in known:
            raise ConfigError(
                f"{county.folder / 'county.yaml'} sets plugins.{name}, and there is no such plugin",
                county=county.county_id,
                examples=known,
                hint=did_you_mean(name, known),
            )
        plugin_params(county, name)
