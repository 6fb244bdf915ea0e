"""Coordinate systems, geometry repair, and map classes."""
