"""The whole simulated county, before it is written as PACS tables."""

from dataclasses import dataclass

import numpy as np

from terrafusion_lib.demo.buildings import build_buildings
from terrafusion_lib.demo.columns import Ints, Table
from terrafusion_lib.demo.layers import Roll, build_roll
from terrafusion_lib.demo.market import Market, build_market
from terrafusion_lib.demo.oddities import choose_oddities
from terrafusion_lib.demo.parcels import Kind, Land, build_parcels
from terrafusion_lib.demo.people import People, build_people
from terrafusion_lib.demo.sales import Sales, build_sales
from terrafusion_lib.demo.values import EXEMPTIONS, Values, build_values

THEMES = ("parcels", "buildings", "market", "oddities", "values", "people", "roll", "sales",
          "tables")  # fmt: skip
"""Each theme has a random stream of its own, so that a change in one leaves the others."""


@dataclass(frozen=True)
class County:
    """Everything that is true of the demo county and everything that its assessor wrote down."""

    year: int
    seed: int
    parcels: int
    land: Land
    buildings: Table
    market: Market
    odd: dict[str, Ints]
    values: Values
    people: People
    roll: Roll
    sales: Sales

    @property
    def properties(self) -> Table:
        return self.land.properties

    def rng(self, name: str) -> np.random.Generator:
        """A random stream for one table, independent of the order in which tables are written."""
        return np.random.default_rng([self.seed, len(THEMES), *name.encode()])


def build_county(parcels: int, year: int, seed: int) -> County:
    """Simulate a county of `parcels` active real and manufactured-home properties."""
    stream = {name: np.random.default_rng([seed, at]) for at, name in enumerate(THEMES)}
    land = build_parcels(parcels, year, stream["parcels"])
    p = land.properties
    buildings = build_buildings(land, year, stream["buildings"])
    market = build_market(land, buildings, year, stream["market"])
    odd = choose_oddities(p, buildings, parcels, stream["oddities"])
    values = build_values(land, buildings, market, odd["value_jump"], stream["values"])
    people = build_people(land, values.exempt == 2, odd["two_owners"], stream["people"])
    roll = build_roll(
        p, values.years, odd["superseded_supplement"], odd["pending_supplement"], stream["roll"]
    )
    sales = build_sales(p, buildings, market, parcels, stream["sales"])
    return County(year, seed, parcels, land, buildings, market, odd, values, people, roll, sales)


def personal_values(county: County) -> Ints:
    """Value of each personal-property account, dollars; 0 for real property."""
    p = county.properties
    worth = county.rng("personal").lognormal(10.6, 1.5, len(p["prop_id"]))
    worth = np.where(county.values.exempt == EXEMPTIONS.index("U500"), worth % 500, worth)
    return np.where(p["kind"] == Kind.PERSONAL, np.round(worth), 0).astype(np.int64)
