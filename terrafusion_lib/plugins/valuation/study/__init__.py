"""Ratio studies of a run, and models compared on sales they have not seen."""
