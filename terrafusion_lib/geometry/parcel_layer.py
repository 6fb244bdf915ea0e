"""A parcel layer to be stored: an Arrow table with coordinate system and key."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.core.errors import ConfigError, LoadError
from terrafusion_lib.geo import crs
from terrafusion_lib.geo.repair import CENTROID, GEOMETRY

if TYPE_CHECKING:
    from pyproj import CRS

SHAPES = (GEOMETRY, CENTROID)
AREA = "area_sqft"
HASH = "row_hash"


@dataclass(frozen=True)
class ParcelLayer:
    """Valid multipolygons with attributes.

    Parameters
    ----------
    table : pa.Table
        Columns `key` (text, unique), ``geometry`` (WKB, coordinates as x y), ``centroid`` (WKB) and
        any attributes, ``area_sqft`` (square feet) among them.
    crs : str
        The coordinates' system, such as EPSG:4326.
    """

    county_id: str
    table: pa.Table
    crs: str
    key: str = "geometry_id"
    name: str = "parcels"

    @cached_property
    def system(self) -> "CRS":
        """The coordinate system.

        Raises
        ------
        ConfigError
            It is unknown.
        """
        return crs.system(self.crs)

    @property
    def srid(self) -> int:
        """EPSG code of the system.

        Raises
        ------
        ConfigError
            The system has none.
        """
        code = self.system.to_epsg()
        if code is None:
            raise ConfigError(
                f"{self.crs} has no EPSG code, which PostGIS needs", county=self.county_id
            )
        return int(code)

    def sorted_by_place(self) -> "ParcelLayer":
        """The layer sorted along a Hilbert curve, so that neighbors are stored together."""
        import shapely

        if not self.table.num_rows:
            return self
        from geopandas import GeoSeries

        shapes = shapely.from_wkb(self.table[GEOMETRY].to_numpy())
        place = pa.array(GeoSeries(shapes).hilbert_distance().to_numpy())
        ordered = self.table.append_column("place", place)
        order = pc.sort_indices(ordered, [("place", "ascending"), (self.key, "ascending")])
        return replace(self, table=self.table.take(order))


def hashed(layer: ParcelLayer) -> pa.Table:
    """The rows with a hash of all columns, which shows changed rows."""
    import duckdb

    names = ", ".join(f'"{name}"' for name in layer.table.column_names)
    with duckdb.connect() as database:
        database.register("rows", layer.table)
        query = f"SELECT (hash({names}) >> 1)::BIGINT AS mark FROM rows"
        marks = database.sql(query).to_arrow_table()["mark"]
    return layer.table.append_column(HASH, marks)


def differences(new: pa.Table, old: pa.Table, key: str) -> tuple[pa.Table, list[str], int]:
    """Compare hashed rows: new or changed rows, deleted keys, and the number of new rows.

    Parameters
    ----------
    old : pa.Table
        Columns `key` and `HASH` of the stored rows.
    """
    import duckdb

    with duckdb.connect() as database:
        database.register("new", new)
        database.register("old", old)
        same_key = f'old."{key}" = new."{key}"'
        differing = database.sql(
            f"SELECT new.* FROM new LEFT JOIN old ON {same_key} "
            f'WHERE old.{HASH} IS DISTINCT FROM new.{HASH} ORDER BY new."{key}"'
        ).to_arrow_table()
        gone = database.sql(f'SELECT "{key}" FROM old ANTI JOIN new ON {same_key} ORDER BY 1')
        keys = [row[0] for row in gone.fetchall()]
        count = database.sql(f"SELECT count(*) FROM new ANTI JOIN old ON {same_key}")
        inserted = count.fetchall()[0][0]
    return differing.cast(new.schema), keys, inserted


def check_key(layer: ParcelLayer) -> None:
    """Reject a layer whose key is null or not unique.

    Raises
    ------
    LoadError
        The key is null or not unique.
    """
    keys = layer.table[layer.key]
    counts = keys.value_counts()
    twice = pc.greater(pc.struct_field(counts, "counts"), 1)
    if keys.null_count or pc.any(twice).as_py():
        examples = pc.struct_field(counts.filter(twice), "values").to_pylist()
        raise LoadError(
            f"{layer.key} is null or not unique",
            county=layer.county_id,
            table=layer.name,
            column=layer.key,
            count=keys.null_count + len(examples),
            examples=examples,
        )
