"""Ratio studies of a run, and models compared on holdout sales."""
