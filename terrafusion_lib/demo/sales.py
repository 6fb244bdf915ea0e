"""Transfers: which properties change hands when, at what price, and how they are coded."""

from dataclasses import dataclass

import numpy as np

from terrafusion_lib.demo.buildings import Structure
from terrafusion_lib.demo.columns import Bools, Days, Floats, Ints, Table, day, draw, year_of
from terrafusion_lib.demo.market import Market, season
from terrafusion_lib.demo.parcels import Kind
from terrafusion_lib.demo.sale_kinds import MULTI_PARCEL, REASONS, SALE_KINDS
from terrafusion_lib.demo.uses import Pool

SALES_YEARS = 5
ANNUAL_RATE = 0.065
LEGACY_SHARE = 0.035
"""Sales of before 2018, with the county codes of that time, as a share of the recent ones."""
PRICE_NOISE = 0.075
"""Standard deviation of the log of a valid price around true value."""
FIRST_TRANSFER, FIRST_EXCISE = 300_000, 20_110_000


@dataclass(frozen=True)
class Codes:
    """Codes as the county has them: index into the code lists, −1 missing, −2 unknown."""

    dor: Ints
    county: Ints
    """0 as the kind says, 1 valid, 2 invalid, −1 missing."""


@dataclass(frozen=True)
class Sales:
    """Transfers in order of date; parcels of a transfer follow each other in `parcel`."""

    transfer: Ints
    kind: Ints
    primary: Ints
    """Property row of the primary parcel."""
    date: Days
    price: Ints
    personal: Ints
    """Personal property within the price."""
    true_value: Floats
    """True market value of all parcels on the day, dollars."""
    land_only: Bools
    area_share: Floats
    """Share of today's living area that stood at the sale (improved after sale: below 1)."""
    legacy: Bools
    codes: Codes
    parcel: Ints
    """Property row of each (sale, parcel)."""
    parcel_sale: Ints
    """Row of the sale that each belongs to."""


def build_sales(
    p: Table, b: Table, market: Market, parcels: int, rng: np.random.Generator
) -> Sales:
    """Five ratio-study years of transfers (1 May to 30 April), and a few of long ago."""
    count = max(len(SALE_KINDS) * 4, round(parcels * ANNUAL_RATE * SALES_YEARS))
    kind = draw(rng, [kind.share for kind in SALE_KINDS], count)
    kind[: len(SALE_KINDS)] = np.arange(len(SALE_KINDS))
    kind = rng.permutation(kind)
    legacy = np.arange(count) >= count - max(6, round(LEGACY_SHARE * count))
    date = _dates(market.year, legacy, rng)
    primary = _subjects(p, b, kind, date, first_year=market.year - SALES_YEARS, rng=rng)
    leased = (p["kind"][primary] == Kind.LEASED_MH) & np.array([k.valid for k in SALE_KINDS])[kind]
    kind = np.where(leased, REASONS.index("mh_on_leased_land"), kind)
    order = np.lexsort((primary, date))
    kind, date, primary, legacy = kind[order], date[order], primary[order], legacy[order]
    parcel, parcel_sale = _parcels(p, kind, primary, rng)
    share = np.where(_is(kind, "improved_after_sale"), rng.uniform(0.5, 0.85, count), 1.0)
    land, building = market.values(parcel, date[parcel_sale])
    true_value = np.zeros(count)
    np.add.at(true_value, parcel_sale, land + building * share[parcel_sale])
    low = np.array([k.low for k in SALE_KINDS])[kind]
    high = np.array([k.high for k in SALE_KINDS])[kind]
    clean = true_value * season(date) * rng.lognormal(0, PRICE_NOISE, count)
    price = clean * rng.uniform(low, np.maximum(high, low + 1e-9))
    personal = np.where(rng.random(count) < 0.02, np.round(price * 0.03, -2), 0)
    unit = np.where(rng.random(count) < 0.62, 1_000, np.where(rng.random(count) < 0.7, 500, 1))
    price = np.round((price + personal) / unit) * unit
    return Sales(
        FIRST_TRANSFER + np.cumsum(rng.integers(1, 6, count)),
        kind,
        primary,
        date,
        price.astype(np.int64),
        personal.astype(np.int64),
        true_value,
        b["built"][primary] >= year_of(date),
        share,
        legacy,
        _codes(kind, rng),
        parcel,
        parcel_sale,
    )


def _is(kind: Ints, *reasons: str) -> Bools:
    return np.isin(kind, [REASONS.index(reason) for reason in reasons])


def _dates(year: int, legacy: Bools, rng: np.random.Generator) -> Days:
    """More transfers in spring and summer; none after 30 April of the appraisal year."""
    count = len(legacy)
    start = day(year - SALES_YEARS, 5, 1)
    span = int((day(year, 5, 1) - start).astype(int))
    offset = rng.integers(0, span, count * 2)
    busy = rng.random(count * 2) < 0.78 + 0.22 * np.cos(2 * np.pi * (offset + 119 - 170) / 365.25)
    chosen = np.concatenate([offset[busy], offset[~busy]])[:count]
    old = day(2012, 1, 1) + rng.integers(0, 6 * 365, count)
    return np.asarray(np.where(legacy, old, start + chosen))


def _subjects(
    p: Table, b: Table, kind: Ints, date: Days, *, first_year: int, rng: np.random.Generator
) -> Ints:
    """A property for every transfer: vacant land for land sales, shops for dark stores."""
    roll = np.isin(p["kind"], (Kind.LAND, Kind.LEASED_MH, Kind.UDI_PARENT))
    free = roll & (p["created"] < first_year)
    bare = (b["structure"] == Structure.NONE) & free
    standing = (b["structure"] != Structure.NONE) & free & (b["built"] < first_year)
    shop = standing & (p["pool"] == Pool.COMMERCIAL)
    homes = np.flatnonzero(standing)
    turnover = 1 + 0.4 * np.clip((b["built"][homes] - 1950) / 70, 0, 1)
    turnover += 0.25 * (b["quality"][homes] > 30)
    primary = homes[draw(rng, turnover, len(kind))]
    wants_land = _is(kind, "land_only", "easement")
    primary[wants_land] = rng.choice(np.flatnonzero(bare), wants_land.sum())
    dark = _is(kind, "dark_store")
    primary[dark] = rng.choice(np.flatnonzero(shop), dark.sum())
    homes = np.flatnonzero((b["structure"] == Structure.HOUSE) & (b["built"] >= first_year)
                           & (p["kind"] == Kind.LAND))  # fmt: skip
    return _with_new_homes(primary, homes, b["built"], kind, date=date, rng=rng)


def _with_new_homes(
    primary: Ints, homes: Ints, built: Ints, kind: Ints, *, date: Days, rng: np.random.Generator
) -> Ints:
    """Houses built within the sales years sell, mostly, the year after they are begun."""
    homes = homes[rng.random(len(homes)) < 0.8]
    plain = np.flatnonzero(_is(kind, "arms_length"))
    sold = year_of(date)[plain]
    for year in np.unique(sold):
        slots = plain[sold == year]
        ready = rng.permutation(homes[built[homes] == year - 1])[: len(slots) // 3]
        primary[slots[: len(ready)]] = ready
    return primary


def _parcels(p: Table, kind: Ints, primary: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Parcels of each transfer: one, or for bulk and multi-parcel sales neighbors as well."""
    several = np.flatnonzero(_is(kind, *MULTI_PARCEL))
    order = np.lexsort((p["lot"], p["plat"], p["section"], p["township"], p["range"]))
    order = order[np.isin(p["kind"][order], (Kind.LAND,))]
    place = np.full(len(p["lot"]), 0)
    place[order] = np.arange(len(order))
    extra = rng.integers(1, 5, len(several))
    sale = np.repeat(several, extra)
    step = np.arange(len(sale)) - np.repeat(np.cumsum(extra) - extra, extra) + 1
    neighbor = order[(place[primary[sale]] + step) % len(order)]
    keep = neighbor != primary[sale]
    sale, neighbor = sale[keep], neighbor[keep]
    sales = np.concatenate([np.arange(len(kind)), sale])
    rows = np.concatenate([primary, neighbor])
    first = np.concatenate([np.zeros(len(kind)), np.ones(len(sale))])
    by_sale = np.lexsort((rows, first, sales))
    return rows[by_sale], sales[by_sale]


def _codes(kind: Ints, rng: np.random.Generator) -> Codes:
    """Mostly right; a few percent wrong in one or both studies, missing, or unknown."""
    count = len(kind)
    valid = np.array([k.valid for k in SALE_KINDS])[kind]
    luck, both = rng.random(count), rng.random(count)
    wrong = np.where(valid, luck < 0.03, luck < 0.06)
    flipped = np.where(valid, 2, 1)
    dor = np.where(wrong & (both < 0.8), flipped, 0)
    county = np.where(wrong & (both > 0.3), flipped, 0)
    dor = np.where(rng.random(count) < 0.025, -1, dor)
    county = np.where(rng.random(count) < 0.02, -1, county)
    return Codes(dor, county)
