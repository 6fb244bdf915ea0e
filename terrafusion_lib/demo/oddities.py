"""Which properties carry a trap or a fault: chosen once, apart from each other, and kept."""

import numpy as np

from terrafusion_lib.demo.buildings import Structure
from terrafusion_lib.demo.columns import Ints, Table
from terrafusion_lib.demo.parcels import Kind
from terrafusion_lib.demo.uses import Pool

SHARES = {"two_owners": 0.035, "superseded_supplement": 0.011, "pending_supplement": 0.002}
"""Ordinary complications, as shares of the roll."""

FAULTS = (
    "bad_year_built_future",
    "bad_living_area_zero",
    "bad_unknown_use_code",
    "bad_unknown_condition_code",
    "bad_mojibake_name",
    "non_ascii_situs",
    "bad_date_zero",
    "bad_date_sentinel",
    "bad_negative_area",
    "bad_missing_hood",
    "value_jump",
)
"""Wrong data that validation must catch: two properties each, or one in 8,000."""


def choose_oddities(p: Table, b: Table, parcels: int, rng: np.random.Generator) -> dict[str, Ints]:
    """Property rows by name of trap or fault; no row has two."""
    plain = np.isin(p["pool"], (Pool.LOT, Pool.ACREAGE)) & (p["kind"] == Kind.LAND)
    queue = rng.permutation(np.flatnonzero(plain & (b["structure"] == Structure.HOUSE)))
    sizes = {name: max(3, round(share * parcels)) for name, share in SHARES.items()}
    sizes |= dict.fromkeys(FAULTS, max(2, parcels // 8_000))
    ends = np.cumsum(list(sizes.values()))
    parts = np.split(queue[: ends[-1]], ends[:-1])
    return {name: np.sort(part) for name, part in zip(sizes, parts, strict=True)}
