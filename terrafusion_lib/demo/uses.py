"""Use codes of the county and where parcels of each use lie.

Counts are Benton County's of 83,326 active real parcels; a county of another size has the same
shares.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from terrafusion_lib.demo.columns import Ints, quotas


class Pool(IntEnum):
    """Kinds of land that the county is laid out in."""

    LOT = 0
    TOWNHOUSE = 1
    COMMERCIAL = 2
    ACREAGE = 3
    FARM = 4
    LEASED = 5
    """Manufactured homes on leased land: property without a parcel of land."""


@dataclass(frozen=True)
class Use:
    """A property use: its code, Benton's count, shares by pool, share improved, abstract class."""

    code: str
    description: str
    count: int
    pools: dict[Pool, float]
    improved: float
    abstract: str
    dor: str


_SITE = {Pool.COMMERCIAL: 1.0}

USES = (
    Use("11", "Single family residence", 51_606,
        {Pool.LOT: 0.86, Pool.ACREAGE: 0.13, Pool.FARM: 0.01}, 0.965, "single_family", "11"),
    Use("18", "Other residential", 11_995,
        {Pool.LOT: 0.40, Pool.ACREAGE: 0.40, Pool.FARM: 0.04, Pool.LEASED: 0.16}, 0.94,
        "single_family", "18"),
    Use("14", "Residential condominium", 1_768, {Pool.TOWNHOUSE: 1.0}, 1.0, "single_family", "14"),
    Use("12", "Two to four units", 1_779, {Pool.LOT: 1.0}, 1.0, "multi_family", "12"),
    Use("13", "Five or more units", 349, _SITE, 1.0, "multi_family", "13"),
    Use("15", "Mobile home park", 122, _SITE, 0.9, "commercial", "15"),
    Use("81", "Agriculture not in current use", 1_637,
        {Pool.ACREAGE: 0.15, Pool.FARM: 0.85}, 0.45, "agricultural", "81"),
    Use("83", "Agriculture in current use", 6_837,
        {Pool.ACREAGE: 0.10, Pool.FARM: 0.90}, 0.30, "current_use", "83"),
    Use("91", "Undeveloped land", 1_039,
        {Pool.LOT: 0.55, Pool.ACREAGE: 0.30, Pool.FARM: 0.15}, 0.0, "other", "91"),
    Use("97", "Undeveloped land, county code", 99, {Pool.ACREAGE: 1.0}, 0.0, "other", "99"),
    Use("", "", 531, {Pool.LOT: 0.5, Pool.ACREAGE: 0.5}, 0.0, "other", ""),
    Use("39", "Miscellaneous manufacturing", 415, _SITE, 0.95, "manufacturing", "39"),
    Use("46", "Parking", 200, _SITE, 0.6, "commercial", "46"),
    Use("48", "Utilities", 290, _SITE, 0.5, "other", "48"),
    Use("53", "General merchandise", 284, _SITE, 1.0, "commercial", "53"),
    Use("55", "Automotive retail", 115, _SITE, 1.0, "commercial", "55"),
    Use("58", "Eating and drinking places", 242, _SITE, 1.0, "commercial", "58"),
    Use("59", "Other retail trade", 1_037, _SITE, 0.9, "commercial", "59"),
    Use("61", "Finance, insurance, real estate", 95, _SITE, 1.0, "commercial", "61"),
    Use("62", "Personal services", 145, _SITE, 1.0, "commercial", "62"),
    Use("63", "Business services", 412, _SITE, 0.95, "commercial", "63"),
    Use("64", "Repair services", 143, _SITE, 1.0, "commercial", "64"),
    Use("65", "Professional services", 468, _SITE, 1.0, "commercial", "65"),
    Use("66", "Construction services", 142, _SITE, 0.9, "commercial", "66"),
    Use("67", "Governmental services", 138, _SITE, 0.8, "other", "67"),
    Use("68", "Educational services", 141, _SITE, 0.9, "other", "68"),
    Use("69", "Miscellaneous services", 390, _SITE, 0.9, "commercial", "69"),
    Use("72", "Public assembly", 227, _SITE, 0.9, "other", "72"),
    Use("74", "Recreational activities", 172, _SITE, 0.7, "commercial", "74"),
    Use("76", "Parks", 435, _SITE, 0.2, "other", "76"),
)  # fmt: skip

CODES = tuple(use.code for use in USES)

MEANS = {
    "single_family": (80_600, 303_100),
    "multi_family": (117_300, 920_000),
    "manufacturing": (191_300, 2_417_800),
    "commercial": (312_300, 954_300),
    "agricultural": (174_400, 219_100),
    "current_use": (336_400, 96_000),
    "other": (91_700, 115_200),
}
"""Mean land and improvement value per parcel of Benton's abstract of 2024, dollars."""


def index_of(*codes: str) -> Ints:
    """Indices into USES of the given codes."""
    return np.array([CODES.index(code) for code in codes])


def counts_by_pool(parcels: int) -> Ints:
    """Parcels by use (rows) and pool (columns); sums to `parcels`."""
    by_use = quotas(parcels, [use.count for use in USES])
    table = np.zeros((len(USES), len(Pool)), dtype=np.int64)
    for row, use in enumerate(USES):
        table[row, list(use.pools)] = quotas(int(by_use[row]), list(use.pools.values()), 0)
    return table
