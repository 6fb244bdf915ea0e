"""State profiles by name: built in, or brought by an installed package."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from terrafusion_lib.core.config import overlay, parse, parse_yaml
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.registry import Registry
from terrafusion_lib.core.states.profile import StateProfile

STATES = Registry("state profile", "terrafusion.states", "core/states", "{name}.yaml")
"""An entry point ``tx = "my_package:tx.yaml"`` names a package and a file in it."""
GENERIC = "generic_us"


def load_state(name: str, own: Mapping[str, Any] | None = None) -> StateProfile:
    """A state's profile, with what a county says of it laid over.

    Parameters
    ----------
    name : str
        Upper and lower case do not matter.
    own : mapping, optional
        The county's own keys; mappings are merged, anything else is replaced.

    Raises
    ------
    ConfigError
        There is no such profile (the nearest is named), or its file is missing or not valid.
    """
    source = STATES.source(name.lower(), ConfigError)
    try:
        text = (files(source.module) / source.attr).read_text(encoding="utf-8")
    except (ImportError, OSError) as error:
        raise ConfigError(
            f"State profile {name} cannot be read from {source.value}: {error}",
            hint="reinstall its package",
        ) from error
    data = overlay(parse_yaml(text, source.value), dict(own or {}))
    return parse(StateProfile, data, where=f"state profile {name.lower()}")
