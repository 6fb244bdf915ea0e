"""The properties of the county: what kind each is, its land, use, neighborhood and tax area."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from terrafusion_lib.demo.columns import Floats, Ints, Table, take
from terrafusion_lib.demo.layout import RURAL, Layout, lay_out
from terrafusion_lib.demo.places import (
    ACRE,
    CITIES,
    RURAL_TAX_AREAS,
    TAX_AREAS,
    survey,
    to_degrees,
    to_state_plane,
)
from terrafusion_lib.demo.uses import USES, Pool, counts_by_pool

PHANTOM_SHARE = 0.0083
"""Features of the parcel layer that belong to no property (retired or not yet numbered)."""


class Kind(IntEnum):
    """Kinds of property; the first three are the active roll that ``parcels`` counts."""

    LAND = 0
    LEASED_MH = 1
    UDI_PARENT = 2
    UDI_CHILD = 3
    INACTIVE = 4
    INACTIVE_1980 = 5
    DELETED = 6
    PERSONAL = 7


EXTRA = {Kind.INACTIVE: 0.04, Kind.INACTIVE_1980: 0.01, Kind.DELETED: 0.0025, Kind.PERSONAL: 0.055}
"""Properties beyond the active roll, as shares of it."""
UDI_SHARE, UDI_CHILDREN = 0.0025, 3


@dataclass(frozen=True)
class Land:
    """The land of the county: properties by row, and the plats and neighborhoods they lie in."""

    properties: Table
    plats: Table
    hoods: Table
    layout: Layout
    phantoms: Ints
    """Polygons of the layout that no property owns."""


def build_parcels(parcels: int, year: int, rng: np.random.Generator) -> Land:
    """`parcels` active real and manufactured-home properties, and the inactive ones beside them.

    Rows of `properties` are in order of prop_id; `polygon` is the row of the layout, or −1.
    """
    counts = counts_by_pool(parcels)
    wanted = counts.sum(axis=0)
    spare = np.maximum((wanted * PHANTOM_SHARE).astype(np.int64), [2, 0, 0, 1, 0, 0])
    layout = lay_out(wanted + spare, rng)
    phantoms = np.concatenate(
        [
            rng.choice(np.flatnonzero(layout.pool == pool), spare[pool], replace=False)
            for pool in range(Pool.LEASED)
        ]
    )
    owned = np.setdiff1d(np.arange(len(layout.pool)), phantoms)
    land = _land(layout, owned) | {"use": _uses(layout.pool[owned], counts, rng)}
    hoods, land["hood"] = _neighborhoods(layout, land, parcels, rng)
    land["tax_area"] = _tax_areas(land, len(layout.plat_city), rng)
    base, kind = _kinds(land, int(wanted[Pool.LEASED]), parcels, rng)
    properties = take(land, base) | {"kind": kind, "base": base}
    _without_land(properties, counts)
    order = rng.permutation(len(base))
    properties = take(properties, order) | {"prop_id": 10_000 + np.cumsum(
        rng.integers(1, 4, len(base)))}  # fmt: skip
    place = np.full(len(owned), -1)
    place[properties["base"][np.isin(properties["kind"], (Kind.LAND, Kind.UDI_PARENT))]] = (
        np.flatnonzero(np.isin(properties["kind"], (Kind.LAND, Kind.UDI_PARENT))))  # fmt: skip
    properties["twin"] = place[properties["base"]]
    properties["created"] = _created(properties, year, rng)
    return Land(properties, _plats(layout, rng), hoods, layout, phantoms)


def _land(layout: Layout, owned: Ints) -> Table:
    """Place and size of every parcel of land."""
    center = layout.center[owned]
    longitude, latitude = to_degrees(center[:, 0], center[:, 1])
    column, row = survey().section(center[:, 0], center[:, 1])
    township, range_, section = survey().name(column, row)
    area = layout.area[owned]
    return {
        "polygon": owned, "x": center[:, 0], "y": center[:, 1],
        "longitude": np.round(longitude, 7), "latitude": np.round(latitude, 7),
        "sqft": np.round(area), "acres": np.round(area / ACRE, 4),
        "township": township, "range": range_, "section": section,
        "pool": layout.pool[owned], "city": layout.city[owned], "plat": layout.plat[owned],
        "block": layout.block[owned], "lot": layout.lot[owned],
        "street": layout.street[owned], "number": layout.number[owned],
    }  # fmt: skip


def _uses(pools: Ints, counts: Ints, rng: np.random.Generator) -> Ints:
    """Use of every parcel: Benton's count of each use, spread over its pools."""
    use = np.zeros(len(pools), dtype=np.int64)
    for pool in range(Pool.LEASED):
        here = np.flatnonzero(pools == pool)
        use[here] = rng.permutation(np.repeat(np.arange(len(USES)), counts[:, pool]))
    return use


def _homes() -> Floats:
    x, y = to_state_plane(
        np.array([city.longitude for city in CITIES]), np.array([city.latitude for city in CITIES])
    )
    return np.stack([x, y], -1)


def _neighborhoods(
    layout: Layout, land: Table, parcels: int, rng: np.random.Generator
) -> tuple[Table, Ints]:
    """Neighborhoods: neighboring plats of a city together, its shops apart, the country round."""
    homes = _homes()
    center = np.stack([land["x"], land["y"]], -1)
    nearest = np.hypot(*(center[:, None] - homes).transpose(2, 0, 1)).argmin(axis=1)
    city = np.where(land["city"] == RURAL, nearest, land["city"])
    family = np.array([0, 0, 1, 2, 3])[land["pool"]]
    away = center - homes[city]
    size = np.array([np.clip(parcels / 170, 45, 450), np.clip(parcels / 90, 40, 500),
                     np.clip(parcels / 50, 40, 900), np.clip(parcels / 60, 40, 800)])  # fmt: skip
    turn = np.arctan2(away[:, 1], away[:, 0])
    plat = land["plat"]
    plat_turn = np.zeros(len(layout.plat_city))
    np.add.at(plat_turn, plat[plat >= 0], turn[plat >= 0])
    plat_turn /= np.maximum(np.bincount(plat[plat >= 0], minlength=len(plat_turn)), 1)
    turn = np.where(plat >= 0, plat_turn[plat], turn)
    order = np.lexsort((land["polygon"], plat, turn, family, city))
    group = city[order] * 4 + family[order]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(np.append(starts, len(order))))
    part = (rank // size[family[order]]).astype(np.int64)
    first = np.flatnonzero(np.diff(plat[order], prepend=-2) | (plat[order] < 0))
    part = np.repeat(part[first], np.diff(np.append(first, len(order))))
    keys, found = np.unique(group * 1000 + part, return_inverse=True)
    hood = np.empty(len(order), dtype=np.int64)
    hood[order] = found
    return _hood_table(keys, rng), hood


def _hood_table(keys: Ints, rng: np.random.Generator) -> Table:
    city, family, part = keys // 4000, keys // 1000 % 4, keys % 1000
    cycle = 1 + (part + 2 * city + family) % 6
    prefix = np.array([120000, 530000, 140000, 150000])[family]
    names = ("", " COMMERCIAL", " SUBURBAN TRACTS", " FARMS AND RANGE")
    return {
        "code": (prefix + (city + 1) * 1000 + part * 10 + cycle).astype(str),
        "name": np.array([
            f"{CITIES[c].name.upper()}{names[f]} {p + 1}"
            for c, f, p in zip(city, family, part, strict=True)
        ]),
        "cycle": cycle, "city": city, "family": family,
        "effect": rng.normal(0, 0.055, len(keys)),
        "error": rng.normal(0, 0.035, len(keys)),
    }  # fmt: skip


def _tax_areas(land: Table, plats: int, rng: np.random.Generator) -> Ints:
    """Tax area: one for a plat (mostly the city's first), one for a section in the country."""
    codes = np.array([TAX_AREAS.index(code) for code in RURAL_TAX_AREAS])
    area = codes[(land["section"] * 7 + land["township"] * 3 + land["range"]) % len(codes)]
    luck = rng.random(plats)[land["plat"]] ** 2
    for index, city in enumerate(CITIES):
        own = np.array([TAX_AREAS.index(code) for code in city.tax_areas])
        chosen = own[(luck * len(own)).astype(np.int64)]
        area = np.where(land["city"] == index, chosen, area)
    return np.asarray(area)


def _kinds(land: Table, leased: int, parcels: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Row of `land` that each property is like, and its kind."""
    count = len(land["use"])
    homes = np.flatnonzero(land["pool"] == Pool.LOT)
    kind = [np.full(count, Kind.LAND, dtype=np.int64)]
    base = [np.arange(count)]
    parents = rng.choice(homes, max(2, round(UDI_SHARE * parcels)), replace=False)
    kind[0][parents] = Kind.UDI_PARENT
    base.append(np.repeat(parents, UDI_CHILDREN))
    kind.append(np.full(len(parents) * UDI_CHILDREN, Kind.UDI_CHILD))
    parks = np.flatnonzero(land["use"] == [use.code for use in USES].index("15"))
    base.append(rng.choice(parks, leased))
    kind.append(np.full(leased, Kind.LEASED_MH))
    shops = np.flatnonzero(land["pool"] == Pool.COMMERCIAL)
    for extra, share in EXTRA.items():
        size = max(3, round(share * parcels))
        base.append(rng.choice(shops if extra == Kind.PERSONAL else np.arange(count), size))
        kind.append(np.full(size, extra))
    return np.concatenate(base), np.concatenate(kind)


def _without_land(properties: Table, counts: Ints) -> None:
    """Leased homes, personal property and retired parcels own no polygon; two own no land."""
    kind = properties["kind"]
    properties["polygon"] = np.where(
        np.isin(kind, (Kind.LAND, Kind.UDI_PARENT)), properties["polygon"], -1
    )
    landless = np.isin(kind, (Kind.LEASED_MH, Kind.PERSONAL))
    for name in ("sqft", "acres"):
        properties[name] = np.where(landless, 0.0, properties[name])
    leased = kind == Kind.LEASED_MH
    other_residential = int(np.flatnonzero(counts[:, Pool.LEASED])[0])
    properties["use"] = np.where(leased, other_residential, properties["use"])
    properties["pool"] = np.where(leased, int(Pool.LEASED), properties["pool"])


def _created(properties: Table, year: int, rng: np.random.Generator) -> Ints:
    """Year of the first layer that a property is in: nearly all before the first value year."""
    plat = properties["plat"]
    new = (plat >= 0) & (plat % 23 == 22) & (properties["kind"] == Kind.LAND)
    return np.where(new, year - 5 + (plat // 23) % 4, rng.integers(1978, year - 6, len(plat)))


_FIRST = ("CANYON", "BADGER", "HORSE HEAVEN", "SOUTHRIDGE", "CLEARWATER", "COLUMBIA", "WILLOW",
          "PANORAMIC", "HANSEN", "CREEKSTONE", "RIVER", "SAGE", "CHERRY", "APPLE VALLEY",
          "RANCHO", "VISTA", "HERITAGE", "MEADOW", "CRIMSON", "WESTCLIFFE", "DESERT")  # fmt: skip
_SECOND = ("HILLS", "RIDGE", "HEIGHTS", "ESTATES", "CREEK", "PARK", "VIEW", "ADDITION", "LANDING",
           "SPRINGS", "VILLAGE", "CROSSING")  # fmt: skip


def _plats(layout: Layout, rng: np.random.Generator) -> Table:
    """Names, codes and views of the plats; a view of 1 to 4 belongs to plats on the hills."""
    count = len(layout.plat_city)
    first, second = rng.integers(0, len(_FIRST), count), rng.integers(0, len(_SECOND), count)
    phase = rng.integers(1, 7, count)
    return {
        "code": np.array([f"P{number:05d}" for number in range(count)]),
        "name": np.array([
            f"{_FIRST[a]} {_SECOND[b]} PHASE {c}"
            for a, b, c in zip(first, second, phase, strict=True)
        ]),
        "view": np.where(rng.random(count) < 0.13, rng.integers(1, 5, count), 0),
        "kind": layout.plat_kind, "city": layout.plat_city,
        "year": rng.random(count),
        "quality": rng.normal(0, 2.2, count),
    }  # fmt: skip
