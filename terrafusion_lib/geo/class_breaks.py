"""Classes of a number on a map, with colors: the same on screen and in QGIS."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SEQUENTIAL = ("#fde725", "#7ad151", "#22a884", "#2a788e", "#414487", "#440154")
"""Viridis, light to dark: perceptually even, also in print and for color-blind readers."""
DIVERGING = ("#ca0020", "#f4a582", "#f7f7f7", "#92c5de", "#0571b0")
"""ColorBrewer RdBu: reds below the center, blues above."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Classes:
    """Classes from `low` to `high`, each with a color; `breaks` are the inner limits.

    A value on a break belongs to the class above it.
    """

    low: float
    high: float
    breaks: tuple[float, ...]
    colors: tuple[str, ...]

    def __iter__(self) -> Iterator[tuple[float, float, str]]:
        """Lower limit, upper limit and color of each class."""
        edges = (self.low, *self.breaks, self.high)
        yield from zip(edges[:-1], edges[1:], self.colors, strict=True)

    def class_of(self, values: Floats) -> Ints:
        """Class of each value, from 0 (lowest); −1 for none."""
        places = np.searchsorted(self.breaks, values, side="right")
        return np.where(np.isfinite(values), places, -1)


def class_breaks(values: Floats, *, center: float | None = None) -> Classes | None:
    """Classes of the finite values; None without any.

    Without a `center` they are quantiles, rounded to two digits, each limit once. With one they
    are symmetric around it: the middle class holds about a fifth of the values, and the outer
    classes extend to the farthest value.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return None
    if center is not None:
        return _diverging(finite, center)
    low, high = float(finite.min()), float(finite.max())
    breaks = _limits(finite, np.linspace(0, 1, len(SEQUENTIAL) + 1)[1:-1], low, high)
    picked = np.linspace(0, len(SEQUENTIAL) - 1, len(breaks) + 1).round().astype(int)
    return Classes(low, high, breaks, tuple(SEQUENTIAL[index] for index in picked))


def _diverging(finite: Floats, center: float) -> Classes:
    away = np.abs(finite - center)
    farthest = float(away.max())
    low = min(center - farthest, float(finite.min()))
    high = max(center + farthest, float(finite.max()))
    if farthest == 0:
        return Classes(center, center, (), (DIVERGING[2],))
    steps = _limits(away, (0.2, 0.6), 0.0, farthest)
    colors = {0: (0, 4), 1: (0, 2, 4), 2: (0, 1, 2, 3, 4)}[len(steps)]
    sides = [center - step for step in reversed(steps)], [center + step for step in steps]
    breaks = (*sides[0], *sides[1]) if steps else (center,)
    return Classes(low, high, breaks, tuple(DIVERGING[index] for index in colors))


def _limits(
    values: Floats, shares: Sequence[float] | Floats, low: float, high: float
) -> tuple[float, ...]:
    """Quantiles at two digits, each once, between `low` and `high`."""
    rounded = np.unique([float(f"{value:.2g}") for value in np.quantile(values, shares)])
    return tuple(float(value) for value in rounded if low < value < high)
