"""Ratio-study statistics: NumPy arrays in, figures out; nothing here knows tables or files."""
