"""A made-up county in canonical tables whose true values are known, for tests of valuation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from terrafusion_lib.core.schema import PROPERTIES, SALES, TABLES
from terrafusion_lib.core.tables import TableSpec
from terrafusion_lib.plugins.api import PluginContext

COUNTY = "test_wa"
VALUATION_DATE = date(2026, 1, 1)
ANNUAL_TREND = 0.06
SHARES = {"residential": 0.86, "vacant_land": 0.09, "commercial": 0.03, "agricultural": 0.02}


@dataclass(frozen=True)
class SyntheticMarket:
    """Tables, and the true market value of each property on the valuation date, US dollars."""

    properties: pa.Table
    sales: pa.Table
    truth: np.ndarray

    @property
    def improvements(self) -> pa.Table:
        """A house on every improved property, and a barn on every tenth of them."""
        ids = self.properties["property_id"].to_pylist()
        values = self.properties["improvement_value"].to_pylist()
        rows = [
            {
                "county_id": COUNTY,
                "property_id": name,
                "improvement_id": f"{name}-{kind}",
                "improvement_value": value * share,
            }
            for number, (name, value) in enumerate(zip(ids, values, strict=True))
            if value
            for kind, share in ((("house", 0.8), ("barn", 0.2))[: 1 + (number % 10 == 0)])
        ]
        return pa.Table.from_pylist(rows, schema=TABLES["improvements"].arrow_schema())

    def context(self, *, run_id: str = "run-1", seed: int = 0) -> PluginContext:
        """A context that reads these tables."""

        def read(table: str, columns: Sequence[str] | None) -> pa.Table:
            known = {"properties_operational": self.properties, "sales": self.sales}
            if table == "improvements":
                known["improvements"] = self.improvements
            whole = known.get(table, TABLES[table].arrow_schema().empty_table())
            return whole if columns is None else whole.select(list(columns))

        return PluginContext(
            county_id=COUNTY,
            assessment_year=VALUATION_DATE.year,
            valuation_date=VALUATION_DATE,
            run_id=run_id,
            seed=seed,
            read=read,
        )


def table(schema: TableSpec, columns: dict[str, object], size: int) -> pa.Table:
    """A canonical table with these columns, the others null."""
    return pa.table(
        {
            field.name: pa.array(columns[field.name], field.type, from_pandas=True)
            if field.name in columns
            else pa.nulls(size, field.type)
            for field in schema.arrow_schema()
        }
    )


def synthetic_market(
    parcels: int = 2_000,
    *,
    seed: int = 1,
    noise: float = 0.08,
    sold_share: float = 0.6,
    years: float = 4.3,
    assessed_bias: float = 0.95,
    assessed_slope: float = 0.0,
) -> SyntheticMarket:
    """A county of four property types with a trend, neighborhoods and a smooth price surface.

    Sales run from four years before to four months after the valuation date, with log-normal
    price noise. The assessor's values are `assessed_bias` times the truth, times the truth to the
    power `assessed_slope` about its median, with 6 percent noise.
    """
    rng = np.random.default_rng(seed)
    kinds = rng.choice(list(SHARES), size=parcels, p=list(SHARES.values())).astype(object)
    improved = kinds != "vacant_land"
    east, north = rng.uniform(-1, 1, (2, parcels))
    cell = (np.floor((east + 1) * 3) * 6 + np.floor((north + 1) * 3)).astype(int)
    area = np.where(improved, np.exp(rng.normal(7.5, 0.3, parcels)).round(), np.nan)
    land = np.exp(rng.normal(9.2, 0.4, parcels)).round()
    built = np.where(improved, rng.integers(1940, 2021, parcels), -1)
    quality = np.where(improved, rng.integers(2, 7, parcels) * 10.0, np.nan)
    baths = np.where(improved, np.clip(np.round(area / 900 * 2) / 2, 1, 5), np.nan)
    hood = rng.normal(0, 0.12, cell.max() + 1)
    place = 0.15 * np.sin(2.5 * east) * np.cos(2.0 * north) + hood[cell]
    log_value = np.where(
        improved,
        12.7
        + 0.65 * (np.log(np.where(improved, area, 1800)) - 7.5)
        + 0.12 * (np.log(land) - 9.2)
        - 0.003 * (2026 - np.where(improved, built, 2026))
        + 0.012 * (np.nan_to_num(quality, nan=40) - 40)
        + np.where(kinds == "commercial", 0.5, 0.0),
        11.4 + 0.6 * (np.log(land) - 9.2),
    )
    log_value = log_value + place
    truth = np.exp(log_value)
    about = np.median(log_value)
    market = np.exp(
        log_value
        + np.log(assessed_bias)
        + assessed_slope * (log_value - about)
        + rng.normal(0, 0.06, parcels)
    ).round(-2)
    ids = np.array([str(100_000 + i) for i in range(parcels)], dtype=object)
    units = {
        "county_id": np.full(parcels, COUNTY, dtype=object),
        "property_id": ids,
        "property_type": kinds,
        "neighborhood_code": np.array([f"53{c:02d}" for c in cell], dtype=object),
        "building_area_sqft": area,
        "land_area_sqft": land,
        "year_built": np.where(built > 0, built, np.nan),
        "effective_year_built": np.where(built > 0, built, np.nan),
        "quality": quality,
        "condition": np.where(improved, 3.0, np.nan),
        "bathrooms": baths,
    }
    properties = table(
        PROPERTIES,
        units
        | {
            "latitude": 46.2 + 0.15 * north,
            "longitude": -119.2 + 0.22 * east,
            "current_market_value": market,
            "land_value": np.where(improved, market * 0.25, market),
            "improvement_value": np.where(improved, market * 0.75, 0.0),
        },
        parcels,
    )
    sold = np.flatnonzero(rng.random(parcels) < sold_share)
    sold = np.concatenate([sold, sold[: sold.size // 20]])  # some parcels sell twice
    day = rng.integers(-int(365 * (years - 0.3)), 120, sold.size)
    price = np.exp(
        log_value[sold] + ANNUAL_TREND * day / 365.25 + rng.normal(0, noise, sold.size)
    ).round(-2)
    valid = rng.random(sold.size) > 0.15
    price = np.where(valid, price, price * rng.choice([0.1, 0.5, 1.8], sold.size)).round(-2)
    return SyntheticMarket(
        properties=properties,
        sales=table(
            SALES,
            {name: values[sold] for name, values in units.items()}
            | {
                "sale_id": np.array([f"S{i:07d}" for i in range(sold.size)], dtype=object),
                "sale_date": [VALUATION_DATE + timedelta(days=int(d)) for d in day],
                "sale_price": price,
                "dor_valid": valid,
                "county_valid": valid,
                "parcel_count": np.ones(sold.size),
                "is_land_only": ~improved[sold],
            },
            sold.size,
        ),
        truth=truth,
    )
