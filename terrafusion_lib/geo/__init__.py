"""Coordinate systems, repair of shapes, and classes of values for maps."""
