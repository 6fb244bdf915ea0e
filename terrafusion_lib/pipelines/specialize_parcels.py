"""The parcel layer: its links to the roll, and publishing it to the geometry store."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from terrafusion_lib.analytics.facts import CANONICAL_FACTS
from terrafusion_lib.core.county import CountyConfig
from terrafusion_lib.core.errors import LoadError
from terrafusion_lib.geo.repair import FitShapes, fit_shapes
from terrafusion_lib.geometry.parcel_layer import AREA, ParcelLayer
from terrafusion_lib.geometry.parcel_totals import LayerLoad
from terrafusion_lib.geometry.store import GeometryStore
from terrafusion_lib.results.unfit_shapes import KEY, QUARANTINED, REPAIRED

CRS = "EPSG:4326"
"""Coordinate system of the canonical table parcels_geometry."""
ATTRIBUTES = tuple(
    name
    for name in CANONICAL_FACTS["dim_parcels"].column_names
    if name not in ("county_id", "year", "property_id", "parcel_number", "latitude", "longitude")
)


@dataclass(frozen=True)
class LinkReport:
    """Links between features of the layer and properties on the roll.

    Parameters
    ----------
    by_property_id, by_parcel_number : int
        Features linked by the property id, and by the trimmed parcel number.
    unlinked_features : int
        Features without a property (roads, water, parcels that are not on the roll).
    features_off_the_roll : int
        Features linked to a property that was not loaded because its row is in quarantine.
    properties_without_shape : int
        Properties without a linked feature, including personal property and mobile homes.
    features_of_shared_properties : int
        Features of properties with more than one feature.
    features_of_shared_numbers : int
        Features whose parcel number occurs in more than one feature.
    properties_on_shared_shapes : int
        Properties with the very shape of another: units of a condominium on their lot.
    link_rate : float
        Share of properties with a shape; null without properties.
    """

    features: int
    properties: int
    by_property_id: int
    by_parcel_number: int
    unlinked_features: int
    features_off_the_roll: int
    properties_without_shape: int
    features_of_shared_properties: int
    features_of_shared_numbers: int
    properties_on_shared_shapes: int
    link_rate: float | None


def link_report(tables: Mapping[str, pa.Table], folder: Path) -> LinkReport:
    """Count the links, and list items with no link or several in Parquet files in `folder`."""
    lists = {
        "unlinked_features": "SELECT geometry_id, parcel_number, area_sqft FROM shapes "
        "WHERE property_id IS NULL ORDER BY geometry_id",
        "features_off_the_roll": "SELECT geometry_id, property_id, parcel_number FROM shapes "
        "ANTI JOIN roll USING (property_id) WHERE property_id IS NOT NULL ORDER BY geometry_id",
        "properties_without_shape": "SELECT property_id, parcel_number, property_type FROM roll "
        "ANTI JOIN shapes USING (property_id) ORDER BY property_id",
        "features_of_shared_properties": "SELECT geometry_id, property_id, parcel_number "
        "FROM shapes WHERE property_id IS NOT NULL "
        "QUALIFY count(*) OVER (PARTITION BY property_id) > 1 ORDER BY property_id, geometry_id",
        "features_of_shared_numbers": "SELECT geometry_id, property_id, parcel_number "
        "FROM shapes WHERE parcel_number <> '' "
        "QUALIFY count(*) OVER (PARTITION BY parcel_number) > 1 "
        "ORDER BY parcel_number, geometry_id",
        "properties_on_shared_shapes": "SELECT property_id, geometry_id FROM shapes "
        "WHERE property_id IS NOT NULL AND geometry IS NOT NULL QUALIFY "
        "count(DISTINCT property_id) OVER (PARTITION BY hash(geometry), geometry) > 1 "
        "ORDER BY geometry_id",
    }
    with duckdb.connect() as database:
        database.register("shapes", tables["parcels_geometry"])
        database.register("roll", tables["properties_operational"])
        found = {name: database.sql(query).to_arrow_table() for name, query in lists.items()}
        methods = dict(
            database.sql("SELECT link_method, count(*) FROM shapes GROUP BY 1").fetchall()
        )
    for name, rows in found.items():
        pq.write_table(rows, folder / f"{name}.parquet", compression="zstd")
    properties = tables["properties_operational"].num_rows
    counts = {name: rows.num_rows for name, rows in found.items()}
    linked = properties - counts["properties_without_shape"]
    return LinkReport(
        features=tables["parcels_geometry"].num_rows,
        properties=properties,
        by_property_id=methods.get("property_id", 0),
        by_parcel_number=methods.get("parcel_number", 0),
        link_rate=linked / properties if properties else None,
        **counts,
    )


def bring_parcels(
    tables: Mapping[str, pa.Table], store: GeometryStore, county: CountyConfig, folder: Path
) -> dict[str, Any]:
    """Publish the layer with its properties' attributes; unfit shapes go to a file in `folder`.

    Returns
    -------
    dict
        Counts: read = published + quarantined; repaired; and the store's counts.

    Raises
    ------
    LoadError
        The store reports an error, or the layer is empty but the published one is not; the old one
        remains.
    """
    fit = fit_shapes(_with_attributes(tables), county.geometry, key=KEY)
    pq.write_table(fit.quarantined, folder / QUARANTINED, compression="zstd")
    pq.write_table(pa.table({KEY: pa.array(fit.repaired, pa.string())}), folder / REPAIRED)
    read = tables["parcels_geometry"].num_rows
    if fit.rows.num_rows + fit.quarantined.num_rows != read:
        raise LoadError(
            f"{read} features were read, {fit.rows.num_rows} fit, {fit.quarantined.num_rows} do "
            "not",
            county=county.county_id,
            table="parcels_geometry",
        )
    counts: dict[str, Any] = {"read": read, "published": fit.rows.num_rows} | _unfit(fit)
    if read == 0 and store.row_count(county.county_id) is None:
        return counts
    load = store.publish(ParcelLayer(county.county_id, fit.rows, CRS, KEY))
    return counts | _done(load)


def _unfit(fit: FitShapes) -> dict[str, Any]:
    return {
        "quarantined": fit.quarantined.num_rows,
        "quarantine_reasons": fit.reasons,
        "repaired": len(fit.repaired),
        "repaired_examples": fit.repaired[:5],
    }


def _done(load: LayerLoad) -> dict[str, Any]:
    counts = asdict(load)
    del counts["totals"], counts["read"]
    return counts | {"area_sqft_hundredths": load.totals.sums[AREA]}


def _with_attributes(tables: Mapping[str, pa.Table]) -> pa.Table:
    """Every feature with the attributes of its property, without personal names."""
    attributes = ", ".join(f"roll.{name}" for name in ATTRIBUTES)
    own = ", ".join(
        f"shapes.{name}" for name in tables["parcels_geometry"].column_names if name != "county_id"
    )
    with duckdb.connect() as database:
        database.register("shapes", tables["parcels_geometry"])
        database.register("roll", tables["properties_operational"])
        return database.sql(
            f"SELECT {own}, {attributes} FROM shapes LEFT JOIN roll USING (property_id) "
            f"ORDER BY shapes.{KEY}"
        ).to_arrow_table()
