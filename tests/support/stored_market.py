"""A project whose operational database holds a made-up market, for jobs of every plugin."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.store.store import open_store
from tests.support.synthetic_market import COUNTY, SyntheticMarket, synthetic_market
from tests.support.users_project import add_county

HALF = 0.0004
"""Half a parcel's side, degrees."""
ROLES = {"ann": "analyst", "cleo": "clerk", "sue": "supervisor"}
"""Users of the county; ann is the settings' user."""


def store_market(root: Path, market: SyntheticMarket | None = None) -> Settings:
    """Load the market's tables with a square shape around each property."""
    market = market or synthetic_market(600)
    add_county(root, COUNTY, *({"username": n, "roles": [r]} for n, r in ROLES.items()))
    settings = Settings(root=root, data_dir=root / "data", operational_url="", user="ann")
    tables = {
        "properties_operational": market.properties,
        "sales": market.sales,
        "improvements": market.improvements,
        "parcels_geometry": _shapes(market.properties),
    }
    paths = {}
    for name, table in tables.items():
        paths[name] = root / f"{name}.parquet"
        pq.write_table(table, paths[name])
    with open_store(settings.operational_database_url) as store:
        store.migrate()
        store.load(
            COUNTY,
            paths,
            run_id="load",
            fingerprint="load-1",
            clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        )
    return settings


def _shapes(properties: pa.Table) -> pa.Table:
    schema = TABLES["parcels_geometry"].arrow_schema()
    rows = [
        dict.fromkeys(schema.names)
        | {
            "county_id": COUNTY,
            "geometry_id": row["property_id"],
            "property_id": row["property_id"],
            "geometry": shapely.box(
                row["longitude"] - HALF,
                row["latitude"] - HALF,
                row["longitude"] + HALF,
                row["latitude"] + HALF,
            ).wkb,
        }
        for row in properties.select(["property_id", "longitude", "latitude"]).to_pylist()
    ]
    return pa.Table.from_pylist(rows, schema=schema)
