"""Ratio-study statistics: pure NumPy."""
