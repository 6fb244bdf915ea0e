"""The bulk load, step by step: connect, map, validate, load."""

from terrafusion_lib.pipelines.connect_step import connect
from terrafusion_lib.pipelines.load_step import load
from terrafusion_lib.pipelines.map_step import map_source
from terrafusion_lib.pipelines.validate_step import validate

__all__ = ["connect", "load", "map_source", "validate"]
