"""An invented place: lots along streets, what stands on them, and five years of sales."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PARCELS = 600
COLUMNS = 30
"""Lots of a street."""
HOODS = 6
YEARS = 5
TURNOVER = 0.13
"""Share of the properties that is sold in a year."""
GROWTH = 0.05
"""Yearly growth of prices, as a log."""
NOT_VALID = 0.08
HOUSE, CONDOMINIUM, SHOP, VACANT = "house", "condominium", "shop", "vacant"
STREETS = ("OAK", "ELM", "CEDAR", "RIVER", "MILL", "CHURCH", "SPRING", "HILL", "LAKE", "PARK")
SUFFIXES = ("ST", "AVE", "RD", "LN")


@dataclass(frozen=True)
class Place:
    """Properties by row; money in US dollars, areas in square feet, lots by number from 0.

    `lot` is the lot of each property: units of a condominium share one.
    """

    kind: NDArray[np.str_]
    lot: Ints
    hood: Ints
    number: Ints
    street: NDArray[np.str_]
    unit: NDArray[np.str_]
    land_sqft: Ints
    living_sqft: Ints
    garage_sqft: Ints
    year_built: Ints
    stories: Floats
    bedrooms: Ints
    bathrooms: Floats
    quality: Ints
    condition: Ints
    land_value: Ints
    building_value: Ints
    assessed_land: Ints
    assessed_building: Ints


@dataclass(frozen=True)
class Transfer:
    """One sale: row of the property, day, price, and whether it is at arm's length."""

    row: int
    day: date
    price: int
    valid: bool


def invent(seed: int, *, units: int = 0, lots: int = PARCELS) -> Place:
    """Properties of a place.

    Parameters
    ----------
    units : int
        Units of each condominium; there is one on every fiftieth lot. 0: there are none.
    """
    rng = np.random.default_rng(seed)
    kind = np.full(lots, HOUSE, dtype="<U11")
    kind[np.arange(lots) % 37 == 5] = VACANT
    kind[np.arange(lots) % 41 == 7] = SHOP
    lot = np.arange(lots)
    if units:
        kind[lot % 50 == 20] = CONDOMINIUM
        lot = np.repeat(lot, np.where(kind == CONDOMINIUM, units, 1))
        kind = kind[lot]
    size = lot.size
    hood = lot * HOODS // lots
    built = (kind == HOUSE) | (kind == CONDOMINIUM)
    small = np.where(kind == CONDOMINIUM, 0.55, 1.0)
    area = np.where(built | (kind == SHOP), np.exp(rng.normal(7.5, 0.28, size)) * small, 0)
    quality = rng.choice([2, 3, 4, 5], size, p=[0.2, 0.4, 0.3, 0.1])
    condition = rng.choice([2, 3, 4], size, p=[0.2, 0.6, 0.2])
    year = np.clip(1900 + rng.integers(0, 124, lots)[lot] - 10 * (hood == 0), 1880, 2023)
    land = np.round(np.exp(rng.normal(9.05, 0.25, lots))[lot], -1)
    level = np.exp(np.array([-0.25, -0.1, 0.0, 0.05, 0.2, 0.35])[hood])
    age = np.clip(2025 - year, 0, 90)
    rate = 95 * (1 + 0.16 * (quality - 3)) * (1 + 0.07 * (condition - 3)) * (1 - 0.004 * age)
    land_value = np.where(kind == CONDOMINIUM, 0, 42_000 * (land / 8_500) ** 0.35 * level)
    building = np.where(area > 0, rate * area**0.9 * 2.1 * level, 0)
    error = np.exp(rng.normal(-0.06, 0.09, size))
    return Place(
        kind=kind,
        lot=lot,
        hood=hood,
        number=101 + 2 * (lot % COLUMNS),
        street=np.array([_street(int(row)) for row in lot // COLUMNS]),
        unit=np.where(kind == CONDOMINIUM, (_within(lot) + 1).astype(str), ""),
        land_sqft=np.where(kind == CONDOMINIUM, 0, land).astype(np.int64),
        living_sqft=np.round(area).astype(np.int64),
        garage_sqft=np.where(built & (rng.random(size) < 0.6), 440, 0),
        year_built=np.where(area > 0, year, 0),
        stories=np.where(area > 2_000, 2.0, 1.0) * (area > 0),
        bedrooms=np.where(built, np.clip(np.round(area / 620), 1, 6), 0).astype(np.int64),
        bathrooms=np.where(built, np.clip(np.round(area / 400) / 2, 1, 4), 0),
        quality=quality,
        condition=condition,
        land_value=_hundreds(land_value),
        building_value=_hundreds(building),
        assessed_land=_hundreds(land_value * error),
        assessed_building=_hundreds(building * error),
    )


def transfers(place: Place, seed: int, *, valuation_date: date) -> list[Transfer]:
    """Five years of sales before the valuation date and a few months after it, by day."""
    rng = np.random.default_rng(seed + 1)
    days = 365 * YEARS + 150
    count = int(place.lot.size * TURNOVER * days / 365)
    rows = rng.integers(0, place.lot.size, count)
    back = rng.integers(-150, 365 * YEARS, count)
    valid = rng.random(count) >= NOT_VALID
    value = (place.land_value + place.building_value)[rows]
    noise = np.exp(rng.normal(0, 0.07, count)) * np.where(valid, 1, rng.uniform(0.2, 0.7, count))
    price = _hundreds(value * np.exp(-GROWTH * back / 365) * noise)
    found = [
        Transfer(int(row), valuation_date - timedelta(days=int(day)), int(paid), bool(good))
        for row, day, paid, good in zip(rows, back, price, valid, strict=True)
    ]
    return sorted(found, key=lambda sale: (sale.day, sale.row, sale.price))


def _street(row: int) -> str:
    return f"{STREETS[row % len(STREETS)]} {SUFFIXES[row // len(STREETS) % len(SUFFIXES)]}"


def _within(lot: Ints) -> Ints:
    """Position of each row among the rows of its lot, which follow each other."""
    first = np.flatnonzero(np.concatenate([[True], lot[1:] != lot[:-1]]))
    return np.arange(lot.size) - np.repeat(first, np.diff([*first, lot.size]))


def _hundreds(values: Floats) -> Ints:
    return np.round(values / 100).astype(np.int64) * 100
