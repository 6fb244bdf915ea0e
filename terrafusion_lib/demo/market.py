"""The true market: what every property is worth at any day, known only to the truth file."""

from dataclasses import dataclass

import numpy as np

from terrafusion_lib.demo.buildings import Structure
from terrafusion_lib.demo.columns import Days, Floats, Ints, Table, year_of
from terrafusion_lib.demo.parcels import UDI_CHILDREN, Kind, Land
from terrafusion_lib.demo.places import CITIES
from terrafusion_lib.demo.uses import MEANS, USES, index_of

ASSESSMENT_LEVEL = 0.95
"""The assessor's typical ratio of assessed to market value."""
SEASON = 0.0125
"""Half of the premium of early June over early December."""
USUAL_GROWTH = 0.035
GROWTH = {2017: 0.08, 2018: 0.09, 2019: 0.07, 2020: 0.09, 2021: 0.12, 2022: 0.045, 2023: 0.01,
          2024: 0.035, 2025: 0.03}  # fmt: skip
"""Growth of market value within each calendar year; others grow by USUAL_GROWTH."""


@dataclass(frozen=True)
class Market:
    """The hedonic truth: ``(land + building × age factor) × index(day)``, at index 1 in `year`."""

    year: int
    land: Floats
    building: Floats
    """Without depreciation."""
    built: Floats
    effective: Floats

    def index(self, days: Days) -> Floats:
        """Price level of each day relative to 1 January of `year`, without season."""
        first, last = 1970, self.year + 3
        growth = [np.log1p(GROWTH.get(y, USUAL_GROWTH)) for y in range(first, last)]
        level = np.concatenate([[0.0], np.cumsum(growth)])
        years = days.astype("datetime64[D]").astype(np.float64) / 365.2425
        marks = np.arange(len(level), dtype=np.float64)
        base = np.interp(self.year - first, marks, level)
        return np.asarray(np.exp(np.interp(years, marks, level) - base))

    def values(self, rows: Ints, days: Days) -> tuple[Floats, Floats]:
        """True land and improvement value of properties `rows` at `days`, dollars."""
        index, when = self.index(days), year_of(days)
        stands = self.built[rows] < when
        age = np.maximum(when - self.effective[rows], 0)
        return (
            self.land[rows] * index,
            np.where(stands, self.building[rows] * age_factor(age), 0.0) * index,
        )


def season(days: Days) -> Floats:
    """Seasonal factor of a price: spring and summer above autumn and winter."""
    day = (days.astype("datetime64[D]") - days.astype("datetime64[Y]")).astype(np.float64)
    return np.asarray(1 + SEASON * np.cos(2 * np.pi * (day - 155) / 365.25))


def age_factor(age: Floats) -> Floats:
    """Share of a new building's value left at an effective age in years."""
    return np.asarray(0.30 + 0.70 * np.exp(-0.0125 * age))


def build_market(land: Land, b: Table, year: int, rng: np.random.Generator) -> Market:
    """Land and building values, scaled so that each class has the county's mean values."""
    p = land.properties
    place = _location(land, rng)
    ground = _ground(p) * place**1.25
    building = _building(p, b) * place**0.8
    building *= rng.lognormal(0, 0.035, len(building))
    depreciated = building * age_factor(year - b["effective"])
    on_roll = np.isin(p["kind"], (Kind.LAND, Kind.UDI_PARENT, Kind.LEASED_MH))
    for name, (land_mean, building_mean) in MEANS.items():
        group = np.isin(p["use"], [i for i, use in enumerate(USES) if use.abstract == name])
        count = (group & on_roll).sum()
        for values, whole, mean in ((ground, ground, land_mean),
                                    (building, depreciated, building_mean)):  # fmt: skip
            total = whole[group & on_roll].sum()
            if total:
                values[group] *= mean * count / total / ASSESSMENT_LEVEL
    child = p["kind"] == Kind.UDI_CHILD
    for values in (ground, building):
        values[child] = values[p["twin"][child]] / UDI_CHILDREN
    return Market(year, ground, building, b["built"].astype(float), b["effective"].astype(float))


def _location(land: Land, rng: np.random.Generator) -> Floats:
    """Location factor: the city, a smooth field, the neighborhood, the view."""
    p = land.properties
    city = land.hoods["city"][p["hood"]]
    level = np.log(np.array([city.price_level for city in CITIES]))[city]
    x, y = p["x"] / 5280, p["y"] / 5280
    for length in (14.0, 9.0, 6.0, 3.5):
        turn, phase = rng.uniform(0, np.pi), rng.uniform(0, 2 * np.pi)
        wave = (x * np.cos(turn) + y * np.sin(turn)) * 2 * np.pi / length
        level = level + 0.045 * np.sin(wave + phase)
    view = np.where(p["plat"] >= 0, land.plats["view"][p["plat"]], 0)
    return np.asarray(np.exp(level + land.hoods["effect"][p["hood"]] + 0.028 * view))


def _ground(p: Table) -> Floats:
    """Land value before location, dollars."""
    acres = np.maximum(p["acres"], 0.001)
    by_pool = np.stack([
        62_000 * (acres / 0.22) ** 0.34,
        38_000 * (acres / 0.06) ** 0.20,
        250_000 * acres**0.85,
        92_000 * acres**0.36,
        8_000 * acres * (acres / 20) ** -0.28,
        0 * acres,
    ])  # fmt: skip
    return np.where(p["acres"] > 0, by_pool[p["pool"], np.arange(len(acres))], 0.0)


def _building(p: Table, b: Table) -> Floats:
    """Replacement value before location, dollars: main area by quality and size, then extras."""
    area, quality = b["area"], b["quality"].astype(float)
    rate = 62 * np.exp(0.0235 * quality) * 1.75
    house = rate * area * (np.maximum(area, 200) / 1800) ** -0.13
    house *= np.where(b["stories"] > 1.2, 0.965, 1.0)
    extras = (
        0.36 * rate * (b["attached"] + 0.8 * b["detached"] + 0.35 * b["carport"])
        + 0.30 * rate * b["basement"] * np.where(b["basement_finished"], 1.25, 0.75)
        + 24 * (b["patio"] + b["deck"]) + 22 * b["shed"]
        + 7_500 * np.maximum(b["baths"] + 0.5 * b["half_baths"] - 1, 0) + 4_800 * b["fireplaces"]
    )  # fmt: skip
    wear = np.array([1.0, 0.74, 0.88, 1.0, 1.07, 1.15])[b["condition"]]
    dwelling = (house + extras) * wear
    homes = 68 * np.exp(0.014 * quality) * area * wear + extras * 0.5
    shop = 105 * np.exp(0.012 * quality) * area * (np.maximum(area, 600) / 9000) ** -0.12 * wear
    shop = np.where(np.isin(p["use"], index_of("46", "76")), shop * 0.25, shop)
    kinds = (Structure.HOUSE, Structure.MANUFACTURED, Structure.COMMERCIAL)
    return np.select([b["structure"] == kind for kind in kinds], [dwelling, homes, shop], 0.0)
