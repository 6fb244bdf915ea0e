"""Numbers as text, alike on screen, page and terminal."""

import math
from collections.abc import Iterable
from typing import TypeGuard

PLACES = {"cod": 1, "vei": 1, "pct": 1, "percent": 1, "ratio": 3, "prd": 3, "prb": 3, "mki": 3}
"""Decimals of what a column's name says it holds."""
YEARS = (1800, 2200)


def decimals(name: str, values: Iterable[object] = ()) -> int:
    """Decimals that all numbers of a column share.

    Parameters
    ----------
    name : str
        The column's name; a word of it may say what is usual, such as one for a COD.
    values : iterable
        What the column holds; otherwise the typical size of its broken numbers decides.
    """
    for word in name.lower().replace("_", " ").split():
        if word in PLACES:
            return PLACES[word]
    sizes = sorted(abs(value) for value in values if _broken(value))
    if all(size == int(size) for size in sizes):
        return 0
    typical = sizes[len(sizes) // 2]
    return 0 if typical >= 100 else 1 if typical >= 5 else 3


def number(value: float, places: int | None = None) -> str:
    """12,345 for whole numbers, else `places` decimals, by its own size when None.

    NaN is empty and zero has no sign.
    """
    if isinstance(value, int):
        return f"{value:,}"
    if math.isnan(value):
        return ""
    return f"{value:z,.{decimals('', [value]) if places is None else places}f}"


def figure(name: str, value: float, places: int | None = None) -> str:
    """A number of the column `name`: years stay plain, the rest as `number` writes it."""
    if "year" in name and isinstance(value, int) and YEARS[0] < value < YEARS[1]:
        return str(value)
    return number(value, decimals(name, [value]) if places is None else places)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is written as a number; yes and no are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _broken(value: object) -> TypeGuard[float]:
    """Whether a value has a size and may have decimals."""
    return isinstance(value, float) and math.isfinite(value)
