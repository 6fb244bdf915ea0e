"""Buildings: what stands on each property, drawn plat by plat."""

from enum import IntEnum

import numpy as np

from terrafusion_lib.demo.columns import Floats, Ints, Table
from terrafusion_lib.demo.lots import PLAT_KINDS
from terrafusion_lib.demo.parcels import Kind, Land
from terrafusion_lib.demo.uses import USES, Pool, index_of

CLASSES = np.array([10, 20, 25, 30, 35, 40, 45, 50, 55, 60])
"""Quality classes of the county, low to excellent."""


class Structure(IntEnum):
    """What the principal improvement is."""

    NONE = 0
    HOUSE = 1
    MANUFACTURED = 2
    COMMERCIAL = 3


STORIES = (1.0, 1.5, 2.0, 1.0)
"""Stories by style: one, one and a half, two, split level."""


def build_buildings(land: Land, year: int, rng: np.random.Generator) -> Table:
    """Characteristics of the principal improvement of every property; zero where none stands."""
    p = land.properties
    structure = _structures(p, rng)
    built = _years_built(land, structure, year, rng)
    quality = _classes(land, structure, built, rng)
    b: Table = {"structure": structure, "built": built, "quality": quality}
    age = year - built
    b["effective"] = np.where(
        (age > 25) & (rng.random(len(age)) < 0.35),
        built + (age * rng.uniform(0.3, 0.8, len(age))).astype(np.int64), built,
    )  # fmt: skip
    b["condition"] = np.clip(
        np.round(3.25 - 0.011 * (year - b["effective"]) + rng.normal(0, 0.62, len(age))), 1, 5
    ).astype(np.int64)
    b["area"] = _areas(p, structure, quality, built, rng)
    b |= _rooms(b, rng)
    b |= _extras(b, rng)
    none = structure == Structure.NONE
    return {name: np.where(none, 0, column) for name, column in b.items()}


def _structures(p: Table, rng: np.random.Generator) -> Ints:
    improved = np.array([use.improved for use in USES])[p["use"]]
    stands = rng.random(len(improved)) < improved
    manufactured = (p["use"] == index_of("18")[0]) & (
        rng.random(len(improved)) < np.where(p["pool"] == Pool.ACREAGE, 0.60, 0.42)
    )
    shop = p["pool"] == Pool.COMMERCIAL
    structure = np.where(shop, Structure.COMMERCIAL, Structure.HOUSE)
    structure = np.where(manufactured, Structure.MANUFACTURED, structure)
    structure = np.where(stands, structure, Structure.NONE)
    structure = np.where(p["kind"] == Kind.LEASED_MH, Structure.MANUFACTURED, structure)
    structure = np.where(p["kind"] == Kind.UDI_PARENT, Structure.HOUSE, structure)
    child = p["kind"] == Kind.UDI_CHILD
    structure[child] = structure[p["twin"][child]]
    return np.where(p["kind"] == Kind.PERSONAL, Structure.NONE, structure)


def _years_built(land: Land, structure: Ints, year: int, rng: np.random.Generator) -> Ints:
    """Year built: within the plat's time, in the country spread over the last eighty years."""
    p, count = land.properties, len(structure)
    spans = np.array([kind.built for kind in PLAT_KINDS])[land.plats["kind"]][p["plat"]]
    start, end = spans[:, 0], np.minimum(spans[:, 1], year - 1)
    opened = start + land.plats["year"][p["plat"]] * (end - start)
    infill = rng.gamma(1.6, 2.4, count)
    platted = opened + np.where(rng.random(count) < 0.06, rng.uniform(0, 30, count), infill)
    country = year - 1 - 82 * rng.beta(1.15, 1.9, count)
    built = np.where(p["plat"] >= 0, platted, country)
    homes = year - 2 - 54 * rng.beta(1.5, 1.5, count)
    built = np.where(structure == Structure.MANUFACTURED, np.maximum(built, homes), built)
    built = np.where(p["created"] >= year - 6, np.maximum(built, p["created"] + infill / 2), built)
    return np.clip(np.floor(built), 1900, year - 1).astype(np.int64)


def _classes(land: Land, structure: Ints, built: Ints, rng: np.random.Generator) -> Ints:
    p, count = land.properties, len(structure)
    level = np.array([kind.quality for kind in PLAT_KINDS])[land.plats["kind"]][p["plat"]]
    level = np.where(p["plat"] >= 0, level + land.plats["quality"][p["plat"]], 32.0)
    level = level + 60 * land.hoods["effect"][p["hood"]] + rng.normal(0, 3.2, count)
    level = np.where(structure == Structure.MANUFACTURED, 25 + rng.normal(0, 4, count), level)
    level = level + np.clip((built - 1985) * 0.04, -2.5, 1.5)
    return np.asarray(CLASSES[np.abs(level[:, None] - CLASSES).argmin(axis=1)])


def _areas(
    p: Table, structure: Ints, quality: Ints, built: Ints, rng: np.random.Generator
) -> Floats:
    """Living (main) area, square feet."""
    count = len(structure)
    typical = 760 + 30 * quality + np.clip(built - 1960, 0, 50) * 6.5
    house = typical * rng.lognormal(0, 0.235, count)
    plexes = p["use"] == index_of("12")[0]
    house = np.where(plexes, house * rng.integers(2, 5, count) * 0.62, house)
    house = np.where(p["pool"] == Pool.TOWNHOUSE, house * 0.76, house)
    home = rng.choice([784, 924, 1056, 1188, 1344, 1568, 1782, 2052], count)
    shop = p["sqft"] * np.clip(rng.lognormal(-1.6, 0.6, count), 0.02, 1.2)
    flats = np.isin(p["use"], index_of("13"))
    shop = np.where(flats, p["sqft"] * rng.uniform(0.35, 0.8, count), shop)
    area = np.where(structure == Structure.COMMERCIAL, np.maximum(shop, 600), house)
    area = np.where(structure == Structure.MANUFACTURED, home, area)
    area = np.round(area)
    child = p["kind"] == Kind.UDI_CHILD
    area[child] = area[p["twin"][child]]
    return np.asarray(area)


def _rooms(b: Table, rng: np.random.Generator) -> Table:
    """Stories, bedrooms and bathrooms of dwellings."""
    count, area = len(b["area"]), b["area"]
    dwelling = np.isin(b["structure"], (Structure.HOUSE, Structure.MANUFACTURED))
    luck = rng.random(count)
    tall = np.clip((area - 1100) / 3600, 0.04, 0.62)
    split = (b["built"] > 1958) & (b["built"] < 1990) & (luck > 0.86)
    style = np.where(split, 3, np.where(luck < tall, 2, np.where(luck < tall + 0.07, 1, 0)))
    style = np.where(b["structure"] == Structure.HOUSE, style, 0)
    bedrooms = np.clip(np.round(1.15 + area / 870 + rng.normal(0, 0.55, count)), 1, 8)
    baths = np.clip(np.round(0.35 + area / 1050 + (b["built"] > 1975) * 0.4
                             + rng.normal(0, 0.38, count)), 1, 6)  # fmt: skip
    half = rng.random(count) < np.where(style == 2, 0.62, 0.16)
    return {
        "style": style,
        "stories": np.array(STORIES)[style],
        "bedrooms": (bedrooms * dwelling).astype(np.int64),
        "baths": (baths * dwelling).astype(np.int64),
        "half_baths": (half & dwelling).astype(np.int64),
    }


def _extras(b: Table, rng: np.random.Generator) -> Table:
    """Garages, basements, porches, fireplaces and heating."""
    count = len(b["area"])
    house, built = b["structure"] == Structure.HOUSE, b["built"]
    attached = house & (rng.random(count) < np.where(built > 1962, 0.86, 0.22))
    detached = ~attached & (b["structure"] != Structure.COMMERCIAL) & (rng.random(count) < 0.42)
    carport = ~attached & ~detached & house & (rng.random(count) < 0.4)
    garage = np.round(rng.choice([264, 400, 440, 484, 528, 576, 672, 797, 900], count)
                      * rng.uniform(0.95, 1.08, count))  # fmt: skip
    low = house & (rng.random(count) < np.where(built < 1978, 0.34, 0.06)) & (b["style"] != 3)
    basement = np.round(b["area"] / b["stories"] * rng.uniform(0.45, 0.95, count))
    finished = rng.random(count) < 0.62
    cool = np.where(rng.random(count) < 0.72, 1, rng.integers(0, 5, count))
    return {
        "attached": attached * garage, "detached": detached * garage, "carport": carport * 320.0,
        "basement": low * basement, "basement_finished": low & finished,
        "patio": (house & (rng.random(count) < 0.55)) * np.round(rng.uniform(90, 420, count)),
        "deck": (house & (rng.random(count) < 0.22)) * np.round(rng.uniform(80, 500, count)),
        "shed": (rng.random(count) < 0.10) * np.round(rng.uniform(480, 3200, count)),
        "fireplaces": house * np.where(rng.random(count) < 0.48, 1, 0)
        + (house & (rng.random(count) < 0.07)),
        "hvac": cool, "foundation": (built < 1950).astype(np.int64),
        "exterior": rng.integers(0, 6, count), "roof": rng.integers(0, 4, count),
    }  # fmt: skip
