"""What the assessor thinks everything is worth: values by year, exemptions, year layers."""

from dataclasses import dataclass

import numpy as np

from terrafusion_lib.demo.buildings import Structure
from terrafusion_lib.demo.columns import Bools, Floats, Ints, Table, day, rounded
from terrafusion_lib.demo.market import ASSESSMENT_LEVEL, Market
from terrafusion_lib.demo.parcels import UDI_CHILDREN, Kind, Land
from terrafusion_lib.demo.uses import USES, Pool, index_of

VALUE_YEARS = 6
"""Year layers on the roll: the appraisal year and the five before it."""
VERTICAL_INEQUITY = -0.025
"""Elasticity of the ratio to value: dear properties are assessed lower."""
USE_VALUE_SHARE = 0.122
"""Current-use value of farm land as a share of its market value."""


@dataclass(frozen=True)
class Values:
    """Assessed and true values, one row per property and one column per year."""

    years: tuple[int, ...]
    land: Ints
    improvement: Ints
    true_land: Floats
    true_improvement: Floats
    current_use: Bools
    senior: Bools
    senior_year: Ints
    exempt: Ints
    """0 none, else an index into EXEMPTIONS: the property is wholly exempt."""
    homestead: Bools


EXEMPTIONS = ("", "SNR/DSBL", "EX", "U500", "HOF", "FARM")


def build_values(
    land: Land, b: Table, market: Market, jump: Ints, rng: np.random.Generator
) -> Values:
    """Assess the county: level, neighborhood errors, vertical inequity and plain noise.

    `jump` are rows whose earlier values are a quarter of what they should be.
    """
    p = land.properties
    years = tuple(range(market.year - VALUE_YEARS + 1, market.year + 1))
    count = len(p["prop_id"])
    true = [market.values(np.arange(count), np.full(count, day(year))) for year in years]
    true_land, true_improvement = (np.stack(part, -1) for part in zip(*true, strict=True))
    total = true_land[:, -1] + true_improvement[:, -1]
    dear = np.log(np.maximum(total, 1) / np.median(total[total > 0]))
    error = land.hoods["error"][p["hood"]] + VERTICAL_INEQUITY * dear.clip(-2.5, 2.5)
    error = error + rng.normal(0, 0.048, count)
    drift = rng.normal(0, 0.012, (count, len(years)))
    factor = np.exp(error[:, None] + drift)
    factor *= _anchor(p, true_land + true_improvement, factor)
    own = np.exp(rng.normal(0, 0.10, (count, 1)))
    whole = (true_land + true_improvement) * factor
    ground = np.where(
        true_improvement > 0, np.minimum(true_land * factor * own, 0.8 * whole), whole
    )
    factor_jump = np.ones((count, len(years)))
    factor_jump[jump, :-1] = 0.25
    ground, whole = ground * factor_jump, whole * factor_jump
    child = p["kind"] == Kind.UDI_CHILD
    for part in (ground, whole):
        part[child] = part[p["twin"][child]] / UDI_CHILDREN
    senior, senior_year = _seniors(p, b, market.year, rng)
    return Values(
        years,
        rounded(ground, 10),
        rounded(whole - ground, 10),
        true_land,
        true_improvement,
        p["use"] == index_of("83")[0],
        senior,
        senior_year,
        _exempt(p, rng),
        (b["structure"] == Structure.HOUSE) & (rng.random(count) < 0.82),
    )


def _anchor(p: Table, total: Floats, factor: Floats) -> Floats:
    """Factor by class that makes its sum of values the assessment level times the true sum."""
    scale = np.ones((len(total), 1))
    classes = np.array([use.abstract for use in USES])[p["use"]]
    on_roll = np.isin(p["kind"], (Kind.LAND, Kind.UDI_PARENT, Kind.LEASED_MH))
    for name in np.unique(classes):
        group = classes == name
        here = group & on_roll
        if here.any():
            scale[group] = total[here, -1].sum() / (total * factor)[here, -1].sum()
    return np.asarray(scale * ASSESSMENT_LEVEL)


def _seniors(p: Table, b: Table, year: int, rng: np.random.Generator) -> tuple[Bools, Ints]:
    count = len(p["prop_id"])
    home = np.isin(b["structure"], (Structure.HOUSE, Structure.MANUFACTURED))
    able = home & np.isin(p["kind"], (Kind.LAND, Kind.LEASED_MH)) & (b["built"] < year - 12)
    able &= np.isin(p["pool"], (Pool.LOT, Pool.ACREAGE, Pool.LEASED))
    return able & (rng.random(count) < 0.052), year - 1 - rng.integers(0, 9, count)


def _exempt(p: Table, rng: np.random.Generator) -> Ints:
    count = len(p["prop_id"])
    public = np.isin(p["use"], index_of("67", "68", "72", "76")) & (rng.random(count) < 0.9)
    public |= (p["use"] == index_of("48")[0]) & (rng.random(count) < 0.4)
    public |= (p["use"] == index_of("91")[0]) & (rng.random(count) < 0.3)
    personal = p["kind"] == Kind.PERSONAL
    luck = rng.random(count)
    small = np.select([luck < 0.08, luck < 0.13, luck < 0.21], [4, 5, 3], 0)
    return np.where(personal, small, np.where(public, 2, 0))


@dataclass(frozen=True)
class Layer:
    """One supplement of one year layer: which properties it holds and how stale their values are.

    Year 0 is PACS's future layer. `factor` scales values and areas of a superseded layer.
    """

    year: int
    sup: int
    rows: Ints
    factor: Floats
    action: str = ""


def layer_values(values: Values, layer: Layer, personal: Ints) -> Table:
    """Roll values of a layer's properties before they are shared among owners, whole dollars."""
    column = len(values.years) - 1 if layer.year == 0 else values.years.index(layer.year)
    rows, growth = layer.rows, 1.03 if layer.year == 0 else 1.0
    ground = rounded(values.land[rows, column] * layer.factor * growth, 10)
    building = rounded(values.improvement[rows, column] * layer.factor * growth, 10)
    before = values.improvement[rows, max(column - 1, 0)]
    new = np.where((before == 0) & (building > 0) & (column > 0), building, 0)
    farm, home = values.current_use[rows], values.homestead[rows]
    own = personal[rows]
    use = np.where(farm, rounded(ground * USE_VALUE_SHARE, 10), 0)
    table: Table = {
        "land_hs": np.where(farm | ~home, 0, ground),
        "land_nhs": np.where(farm | home, 0, ground),
        "imprv_hs": np.where(home, building, 0), "imprv_nhs": np.where(home, 0, building),
        "ag_market": np.where(farm, ground, 0), "ag_use": use,
        "new_hs": np.where(home, new, 0), "new_nhs": np.where(home, 0, new), "personal": own,
    }  # fmt: skip
    table["market"] = ground + building + own
    table["appraised"] = table["market"] - table["ag_market"] + use
    return table | _taxable(values, layer, table, column)


def _taxable(values: Values, layer: Layer, table: Table, column: int) -> Table:
    """Taxable value after senior freezes and exemptions (RCW 84.36.381)."""
    rows = layer.rows
    year = values.years[column]
    frozen_at = np.clip(values.senior_year[rows] - values.years[0], 0, column)
    frozen = values.senior[rows] & (values.senior_year[rows] <= year)
    earlier = np.maximum(values.years[0] - values.senior_year[rows], 0)
    shrink = 0.955**earlier
    land = rounded(values.land[rows, frozen_at] * shrink, 10)
    building = rounded(values.improvement[rows, frozen_at] * shrink, 10)
    land = np.where(frozen, np.minimum(land, table["market"]), 0)
    building = np.where(frozen, np.minimum(building, table["market"] - land), 0)
    kept = np.where(frozen, land + building, table["appraised"])
    tier = np.where(frozen, np.minimum(kept, np.maximum(60_000, rounded(kept * 0.35, 10))), 0)
    wholly = values.exempt[rows] > 0
    classified = np.where(wholly, 0, table["ag_use"])
    rest = kept - np.where(frozen, 0, table["ag_use"]) - tier
    return {
        "frozen": frozen, "frozen_land": land, "frozen_imprv": building, "senior_loss": tier,
        "taxable_classified": classified, "taxable_non_classified": np.where(wholly, 0, rest),
    }  # fmt: skip
