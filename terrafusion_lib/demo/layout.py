"""Lays the county out: plats around the cities, small tracts beyond them, farms on sections."""

from dataclasses import dataclass, field

import numpy as np

from terrafusion_lib.demo.columns import Bools, Floats, Ints
from terrafusion_lib.demo.lots import PLAT_KINDS, forty_parts, plat_lots, section_parts
from terrafusion_lib.demo.places import CITIES, FORTY, OUTLINE, SECTION, survey, to_state_plane
from terrafusion_lib.demo.uses import Pool

TRACTS = (20.0, 10.0, 5.0, 2.5, 1.25)
TRACT_SHARES = (0.05, 0.11, 0.25, 0.28, 0.31)
RURAL = len(CITIES)
"""Index that stands for the open country, after the cities."""
_TOWNHOUSES, _COMMERCIAL = 6, 7


@dataclass
class _Sheet:
    """Parcels gathered plat by plat; joined into arrays at the end."""

    corners: list[Floats] = field(default_factory=list)
    facts: list[Ints] = field(default_factory=list)
    plats: list[tuple[int, int]] = field(default_factory=list)

    def add(self, corners: Floats, facts: Ints) -> None:
        self.corners.append(corners)
        self.facts.append(facts)


@dataclass(frozen=True)
class Layout:
    """All parcels of land as quadrilaterals in state-plane feet; one array entry per parcel."""

    corners: Floats
    pool: Ints
    city: Ints
    plat: Ints
    block: Ints
    lot: Ints
    street: Ints
    number: Ints
    plat_city: Ints
    plat_kind: Ints

    @property
    def center(self) -> Floats:
        return np.asarray(self.corners.mean(axis=1))

    @property
    def area(self) -> Floats:
        """Square feet, by the shoelace formula."""
        x, y = self.corners[..., 0], self.corners[..., 1]
        twice = (x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)).sum(axis=1)
        return np.asarray(np.abs(twice) / 2)


def lay_out(wanted: Ints, rng: np.random.Generator) -> Layout:
    """A county with `wanted` parcels in each pool that has land (`Pool` is the index)."""
    forties, sections = _lattice(FORTY), _lattice(SECTION)
    homes = np.array([_home(city) for city in range(RURAL)])
    taken = np.zeros(len(forties), dtype=np.bool_)
    sheet = _Sheet()
    shares = np.array([city.lot_share for city in CITIES])
    by_city = _shared(wanted[[Pool.LOT, Pool.TOWNHOUSE, Pool.COMMERCIAL]], shares)
    for city in range(RURAL):
        _plat_city(
            sheet, city, by_city[city], forties=forties, taken=taken, home=homes[city],
            total=int(wanted.sum()), rng=rng,
        )  # fmt: skip
    inside = _section_of(forties)
    distance = _nearest(sections, homes) * rng.lognormal(0, 0.3, len(sections))
    known = np.isin(inside, _section_of(sections))
    spread = np.full(len(forties), np.inf)
    order = np.argsort(_section_of(sections), kind="stable")
    found = np.searchsorted(_section_of(sections)[order], inside[known])
    spread[known] = distance[order[found]]
    spread[taken] = np.inf
    _tracts(sheet, int(wanted[Pool.ACREAGE]), forties=forties, spread=spread, taken=taken, rng=rng)
    free = ~np.isin(_section_of(sections), inside[taken])
    _farms(sheet, int(wanted[Pool.FARM]), sections[free], homes, rng)
    return _joined(sheet)


def _home(city: int) -> tuple[float, float]:
    x, y = to_state_plane(np.array([CITIES[city].longitude]), np.array([CITIES[city].latitude]))
    return float(x[0]), float(y[0])


def _lattice(side: float) -> Floats:
    """Centers of the squares of the survey that lie inside the county."""
    import shapely

    x, y = to_state_plane(*np.array(OUTLINE).T)
    origin = survey()
    xs = np.arange(origin.x0 + side / 2, x.max(), side)
    ys = np.arange(origin.y0 + side / 2, y.max(), side)
    points = np.stack(np.meshgrid(xs, ys), -1).reshape(-1, 2)
    outline = shapely.polygons(np.stack([x, y], -1)).buffer(-side / 2)
    return np.asarray(points[shapely.contains_xy(outline, points)])


def _section_of(points: Floats) -> Ints:
    """One number for the section that holds each point."""
    column, row = survey().section(points[:, 0], points[:, 1])
    return column * 1000 + row


def _nearest(points: Floats, homes: Floats) -> Floats:
    """Distance to the nearest city center, feet."""
    return np.asarray(np.hypot(*(points[:, None, :] - homes).transpose(2, 0, 1)).min(axis=1))


def _shared(wanted: Ints, shares: Floats) -> Ints:
    """Parcels by city and pool: rounded shares, the last remainder to the largest city."""
    table = np.floor(np.outer(shares / shares.sum(), wanted)).astype(np.int64)
    table[0] += wanted - table.sum(axis=0)
    return np.asarray(table)


def _plat_city(
    sheet: _Sheet,
    city: int,
    wanted: Ints,
    *,
    forties: Floats,
    taken: Bools,
    home: Floats,
    total: int,
    rng: np.random.Generator,
) -> None:
    """Fill forties outward from a city's center until it has the lots that it wants."""
    left = wanted.copy()
    at_most = np.array([np.clip(total / 180, 14, 130), np.clip(total / 300, 5, 90),
                        np.clip(total / 700, 3, 34)]).astype(np.int64)  # fmt: skip
    away = np.hypot(*(forties - home).T) * rng.lognormal(0, 0.16, len(forties))
    queue = np.argsort(np.where(taken, np.inf, away), kind="stable")
    for turn, forty in enumerate(queue):
        if not left.any():
            break
        pool = int(rng.choice(3, p=(left / at_most) / (left / at_most).sum()))
        kind = _kind(pool, 1 - left[pool] / wanted[pool], rng)
        angle = rng.normal(CITIES[city].grid_angle, 5) if rng.random() < 0.7 else rng.uniform(0, 90)
        lots = plat_lots(PLAT_KINDS[kind], float(angle), int(min(at_most[pool], left[pool])), rng)
        taken[forty] = True
        left[pool] -= len(lots.lot)
        number = lots.number + 200 * (turn % 40)
        ones = np.ones_like(lots.lot)
        sheet.add(
            lots.corners + forties[forty],
            np.stack([ones * pool, ones * city, ones * len(sheet.plats), lots.block, lots.lot,
                      lots.street, number], -1),
        )  # fmt: skip
        sheet.plats.append((city, kind))


def _kind(pool: int, rank: float, rng: np.random.Generator) -> int:
    """Style of a plat: old at the center (rank 0), new and large at the edge (rank 1)."""
    if pool != Pool.LOT:
        return _TOWNHOUSES if pool == Pool.TOWNHOUSE else _COMMERCIAL
    place = float(np.clip(rank + rng.normal(0, 0.16), 0, 0.999))
    return int(np.searchsorted((0.14, 0.36, 0.66, 0.88, 0.965), place))


def _tracts(
    sheet: _Sheet,
    wanted: int,
    *,
    forties: Floats,
    spread: Floats,
    taken: Bools,
    rng: np.random.Generator,
) -> None:
    """Small tracts on the free forties nearest to the cities."""
    left = wanted
    for forty in np.argsort(spread, kind="stable"):
        if left <= 0:
            break
        acres = TRACTS[int(rng.choice(len(TRACTS), p=_by_forty(TRACT_SHARES)))]
        corners = forty_parts(acres, rng)[:left] + (forties[forty] - FORTY / 2)
        taken[forty] = True
        left -= len(corners)
        sheet.add(corners, _unplatted(Pool.ACREAGE, len(corners)))


def _by_forty(shares: tuple[float, ...]) -> Floats:
    """Shares of parcels turned into shares of forties."""
    weights = np.array(shares) * np.array(TRACTS)
    return np.asarray(weights / weights.sum())


def _farms(
    sheet: _Sheet, wanted: int, sections: Floats, homes: Floats, rng: np.random.Generator
) -> None:
    left = wanted
    for section in np.argsort(
        _nearest(sections, homes) * rng.lognormal(0, 0.2, len(sections)), kind="stable"
    ):
        if left <= 0:
            break
        corners = section_parts(rng)[:left] + (sections[section] - SECTION / 2)
        left -= len(corners)
        sheet.add(corners, _unplatted(Pool.FARM, len(corners)))
    if left > 0:
        raise ValueError(f"the county has no room for {left:,} more farm parcels")


def _unplatted(pool: Pool, count: int) -> Ints:
    facts = np.zeros((count, 7), dtype=np.int64)
    facts[:, 0], facts[:, 1], facts[:, 2] = pool, RURAL, -1
    facts[:, 4] = np.arange(1, count + 1)
    return facts


def _joined(sheet: _Sheet) -> Layout:
    facts = np.concatenate(sheet.facts)
    plats = np.array(sheet.plats, dtype=np.int64)
    pool, city, plat, block, lot, street, number = facts.T.copy()
    return Layout(
        np.concatenate(sheet.corners), pool, city, plat, block, lot, street, number,
        plat_city=plats[:, 0], plat_kind=plats[:, 1],
    )  # fmt: skip
