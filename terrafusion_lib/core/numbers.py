"""Numbers as text, formatted the same on screen, on paper and in the terminal."""

import math
from collections.abc import Iterable
from typing import TypeGuard

PLACES = {"cod": 1, "vei": 1, "pct": 1, "percent": 1, "ratio": 3, "prd": 3, "prb": 3, "mki": 3}
"""Decimals by the words of a column's name."""
YEARS = (1800, 2200)


def decimals(name: str, values: Iterable[object] = ()) -> int:
    """Decimals shared by all numbers of a column.

    Parameters
    ----------
    name : str
        The column's name; a word in it may set the decimals, such as one for a COD.
    values : iterable
        The column's values; otherwise the typical size of its fractional numbers decides.
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
    """12,345 for whole numbers, otherwise with `places` decimals; None: by size.

    NaN is empty, and zero has no sign.
    """
    if isinstance(value, int):
        return f"{value:,}"
    if math.isnan(value):
        return ""
    return f"{value:z,.{decimals('', [value]) if places is None else places}f}"


def figure(name: str, value: float, places: int | None = None) -> str:
    """A number of the column `name`: years stay plain, others are formatted by `number`."""
    if "year" in name and isinstance(value, int) and YEARS[0] < value < YEARS[1]:
        return str(value)
    return number(value, decimals(name, [value]) if places is None else places)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is formatted as a number; booleans are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _broken(value: object) -> TypeGuard[float]:
    """Whether a value is a quantity that may have decimals."""
    return isinstance(value, float) and math.isfinite(value)
