"""The shapes of parcels: lots along the streets of a plat, aliquot parts of a section."""

from dataclasses import dataclass

import numpy as np

from terrafusion_lib.demo.columns import Floats, Ints
from terrafusion_lib.demo.places import FORTY, SECTION

STREET = 58.0
CROSS_STREET = 54.0
MARGIN = 24.0
ROAD = 30.0


@dataclass(frozen=True)
class PlatKind:
    """A style of subdivision: lot width and depth in feet, its years and quality of building."""

    name: str
    width: float
    depth: float
    built: tuple[int, int]
    quality: float


PLAT_KINDS = (
    PlatKind("old town", 55, 120, (1910, 1962), 25),
    PlatKind("post-war", 78, 115, (1948, 1984), 29),
    PlatKind("suburban", 84, 126, (1976, 2014), 33),
    PlatKind("new", 74, 112, (2006, 2026), 36),
    PlatKind("large lots", 118, 165, (1974, 2022), 40),
    PlatKind("estate", 165, 235, (1985, 2025), 46),
    PlatKind("townhouses", 31, 88, (1978, 2024), 32),
    PlatKind("commercial", 165, 240, (1955, 2022), 30),
)


@dataclass(frozen=True)
class Lots:
    """Lots of one plat: corners (n, 4, 2) in feet from its center, and their place in it."""

    corners: Floats
    block: Ints
    lot: Ints
    street: Ints
    number: Ints


def plat_lots(kind: PlatKind, angle: float, wanted: int, rng: np.random.Generator) -> Lots:
    """At most `wanted` lots of a street grid turned by `angle` degrees, inside one forty."""
    per_block = int(rng.integers(8, 15))
    width, depth = kind.width * rng.uniform(0.92, 1.1), kind.depth * rng.uniform(0.94, 1.08)
    count = int(1.5 * FORTY / width) + 2
    columns, rows = np.arange(count), np.arange(int(1.5 * FORTY / depth) + 2)
    left = columns * width + columns // per_block * CROSS_STREET
    bottom = rows * depth + (rows + 1) // 2 * STREET
    middle = np.array([left[-1] + width, bottom[-1] + depth]) / 2
    shift = rng.normal(0, 0.07 * width, (len(rows), count + 1)).clip(-0.16 * width, 0.16 * width)
    starts_block = np.append(columns % per_block == 0, True)
    shift[:, starts_block] = 0
    edge_left = left + shift[:, :-1]
    edge_right = left + width + np.where(starts_block[1:], 0, shift[:, 1:])
    low = np.broadcast_to(bottom[:, None], edge_left.shape)
    square = np.stack([edge_left, low, edge_right, low, edge_right, low + depth,
                       edge_left, low + depth], -1).reshape(-1, 4, 2) - middle  # fmt: skip
    turn = np.deg2rad(angle)
    corners = square @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    inside = np.flatnonzero((np.abs(corners) < FORTY / 2 - MARGIN).all(axis=(1, 2)))
    near = np.abs(corners[inside].mean(axis=1)).max(axis=1) + rng.normal(0, 20, len(inside))
    chosen = np.sort(inside[np.argsort(near, kind="stable")[:wanted]])
    row, column = np.divmod(chosen, count)
    block = (row + 1) // 2 * (count // per_block + 1) + column // per_block
    return Lots(
        corners[chosen],
        np.unique(block, return_inverse=True)[1].astype(np.int64) + 1,
        np.arange(1, len(chosen) + 1),
        (row + 1) // 2,
        column * 4 + row % 2 + 100,
    )


def forty_parts(acres: float, rng: np.random.Generator) -> Floats:
    """A forty cut into equal tracts of about `acres`, set back from the section roads."""
    across, up = {20.0: (2, 1), 10.0: (2, 2), 5.0: (4, 2), 2.5: (4, 4), 1.25: (8, 4)}[acres]
    lines_x = np.linspace(ROAD, FORTY - ROAD, across + 1)
    lines_y = np.linspace(ROAD, FORTY - ROAD, up + 1)
    lines_x[1:-1] += rng.uniform(-0.08, 0.08, across - 1) * FORTY / across
    lines_y[1:-1] += rng.uniform(-0.08, 0.08, up - 1) * FORTY / up
    x0, y0 = np.meshgrid(lines_x[:-1], lines_y[:-1])
    x1, y1 = np.meshgrid(lines_x[1:], lines_y[1:])
    lane = 12.0 if acres <= 5.0 else 4.0
    return rectangles(x0 + lane, y0 + lane, x1 - lane, y1 - lane)


def section_parts(rng: np.random.Generator) -> Floats:
    """A section cut into aliquot parts: halves, quarters, forties, twenties and tens."""
    boxes: list[tuple[float, float, float, float]] = []
    _divide((0.0, 0.0, SECTION, SECTION), rng, boxes)
    x0, y0, x1, y1 = np.array(boxes).T
    return rectangles(x0 + ROAD, y0 + ROAD, x1 - ROAD, y1 - ROAD)


_KEEP = {SECTION: 0.30, SECTION / 2: 0.48, FORTY: 0.68, FORTY / 2: 1.0}


def _divide(
    box: tuple[float, float, float, float],
    rng: np.random.Generator,
    boxes: list[tuple[float, float, float, float]],
) -> None:
    """Quarter a square again and again, now and then halving one instead."""
    x0, y0, x1, y1 = box
    side = x1 - x0
    luck = rng.random()
    if luck < _KEEP[side] or side < FORTY:
        boxes.append(box)
    elif luck < _KEEP[side] + 0.12:
        middle = (y0 + y1) / 2
        boxes.extend([(x0, y0, x1, middle), (x0, middle, x1, y1)])
    else:
        half = side / 2
        for corner_x in (x0, x0 + half):
            for corner_y in (y0, y0 + half):
                quarter = (corner_x, corner_y, corner_x + half, corner_y + half)
                _divide(quarter, rng, boxes)


def rectangles(x0: Floats, y0: Floats, x1: Floats, y1: Floats) -> Floats:
    """Corners (n, 4, 2) of axis-parallel rectangles, counter-clockwise."""
    return np.stack([x0, y0, x1, y0, x1, y1, x0, y1], -1).reshape(-1, 4, 2)
