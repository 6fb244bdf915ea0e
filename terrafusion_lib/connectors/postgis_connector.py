"""The door to the geometry store by its original name; the store itself is `geometry.store`."""

from terrafusion_lib.geometry.store import open_geometry

__all__ = ["open_geometry"]
