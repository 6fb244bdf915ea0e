"""Plugin settings in a county's configuration."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from terrafusion_lib.core.config import FrozenModel, did_you_mean, parse
from terrafusion_lib.core.county import CountyConfig
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.plugins.api import Plugin
from terrafusion_lib.plugins.registry import load_plugin, plugin_names


def plugin_params(
    county: CountyConfig, plugin: Plugin, options: Mapping[str, Any] | None = None
) -> FrozenModel:
    """A plugin's parameters: its defaults, and over them those of the state, county and `options`.

    Raises
    ------
    ConfigError
        A parameter is unknown or invalid.
    """
    shared: dict[str, Any] = {}
    if "geometry" in plugin.Params.model_fields:
        shared["geometry"] = county.geometry.model_dump()
    state = county.profile.plugins.get(plugin.name, {})
    settings = _over(plugin.Params, shared | state, county.plugins.get(plugin.name, {}))
    settings = _over(plugin.Params, settings, dict(options or {}))
    where = f"{county.folder / 'county.yaml'}, plugins.{plugin.name},"
    if options:
        where = f"{county.county_id} {plugin.name}"
    return parse(plugin.Params, settings, where=where)


def _over(
    model: type[BaseModel], base: Mapping[str, Any], options: Mapping[str, Any]
) -> dict[str, Any]:
    """`options` over `base`; in nested models, values not given stay."""
    merged = dict(base)
    for name, value in options.items():
        field = model.model_fields.get(name)
        inner = field.annotation if field else None
        below = base.get(name)
        if (
            isinstance(inner, type)
            and issubclass(inner, BaseModel)
            and isinstance(value, Mapping)
            and isinstance(below, Mapping)
        ):
            merged[name] = _over(inner, below, value)
        else:
            merged[name] = value
    return merged


def check_plugins(county: CountyConfig) -> None:
    """Check every plugin in a county's configuration, and its settings.

    Raises
    ------
    ConfigError
        There is no such plugin (the closest is suggested), or a setting is unknown or invalid.
    """
    known = plugin_names()
    for name in county.plugins:
        if name not in known:
            raise ConfigError(
                f"{county.folder / 'county.yaml'} sets plugins.{name}, but there is no such plugin",
                county=county.county_id,
                examples=known,
                hint=did_you_mean(name, known),
            )
        plugin_params(county, load_plugin(name))
