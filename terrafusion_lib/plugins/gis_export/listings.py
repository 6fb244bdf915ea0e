"""Lists of available formats and layers."""

from typing import Any

from terrafusion_lib.core.config import FrozenModel


class NoParams(FrozenModel):
    """An action without parameters."""


def formats(_context: None, _params: NoParams) -> list[dict[str, Any]]:
    """The formats, and the coordinate system of those that require one."""
    from terrafusion_lib.plugins.gis_export.format import FORMATS, load_format

    known = {name: load_format(name) for name in FORMATS.names()}
    return [
        {"format": name, "title": item.title, "crs": item.crs or "any"}
        for name, item in known.items()
    ]


def layers(_context: None, _params: NoParams) -> list[dict[str, Any]]:
    """The layers, their attributes, and which of these are personal data. Personal data need
    ``reporting:view_sensitive`` and must be requested by name.
    """
    from terrafusion_lib.plugins.gis_export.select.layers import LAYERS

    return [
        {
            "layer": layer.name,
            "meaning": layer.meaning,
            "attributes": ", ".join(item.name for item in layer.attributes),
            "personal": ", ".join(item.name for item in layer.attributes if item.personal),
        }
        for layer in LAYERS.values()
    ]
