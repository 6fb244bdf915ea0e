"""The geometry store under its original name; the code is in `geometry.store`."""

from terrafusion_lib.geometry.store import open_geometry

__all__ = ["open_geometry"]
