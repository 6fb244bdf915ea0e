"""Room for words in a drawn SVG, in a font wider than the one that it was measured with."""

import re

WIDEST = 0.75
"""Width of a letter in DejaVu Sans Bold, the widest that browsers fall back to, of its size."""


def wide(words: str, size: int) -> float:
    """Pixels that words may take."""
    return WIDEST * size * len(words)


def plot_left(drawn: str) -> float:
    """Pixels left of the plot."""
    return _moved(drawn, 0)


def legend_room(drawn: str) -> float:
    """Pixels from the legend's left edge to that of the picture."""
    width = re.search(r'<svg[^>]* width="([\d.]+)"', drawn)
    assert width
    return float(width[1]) - plot_left(drawn) - _moved(drawn, drawn.index('role-legend"'))


def _moved(drawn: str, start: int) -> float:
    found = re.compile(r"translate\(([\d.]+),").search(drawn, start)
    assert found
    return float(found[1])
