"""The geometry store for parcels: PostGIS by URL, otherwise GeoParquet.

Geometry is written here; it is not a source for mappings.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

import pyarrow as pa

from terrafusion_lib.core.errors import ConfigError, ConnectError, LoadError
from terrafusion_lib.core.log import mask_secrets
from terrafusion_lib.core.secrets import resolve
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.geo.repair import GEOMETRY
from terrafusion_lib.geometry import postgis_state, postgis_table
from terrafusion_lib.geometry.parcel_layer import (
    SHAPES,
    ParcelLayer,
    check_key,
    hashed,
)
from terrafusion_lib.geometry.parcel_totals import LayerLoad, layer_totals
from terrafusion_lib.geometry.postgis_copy import copy_out
from terrafusion_lib.geometry.postgis_load import load_layer

LOCK_SECONDS = 60
HINT = (
    "set TERRAFUSION_GEOMETRY_URL to postgresql://user:env:NAME@host:5432/database, "
    "or leave it empty for GeoParquet"
)
Box = tuple[float, float, float, float]


class GeometryStore(Protocol):
    """Layers of all counties."""

    def publish(self, layer: ParcelLayer) -> LayerLoad:
        """Make the stored layer equal to this one, all or nothing; unchanged rows are not
        rewritten.

        Raises
        ------
        LoadError
            The store reports an error, the layer is empty but the stored one is not, or the stored
            rows do not match; the old layer remains.
        """
        ...

    def row_count(self, county_id: str, name: str = "parcels") -> int | None:
        """Rows of a stored layer; None if there is none."""
        ...

    def is_intact(self, county_id: str, name: str = "parcels") -> bool:
        """Whether the stored layer is unchanged since its last load; False if there is none."""
        ...

    def read(
        self,
        county_id: str,
        name: str = "parcels",
        *,
        columns: Sequence[str] | None = None,
        box: Box | None = None,
    ) -> ParcelLayer:
        """A stored layer in key order; with `box`, only rows whose bounds intersect it.

        Parameters
        ----------
        box : tuple, optional
            xmin, ymin, xmax, ymax in the layer's coordinate system.

        Raises
        ------
        LoadError
            There is no such layer or column.
        """
        ...

    def close(self) -> None:
        """Release open resources."""
        ...


def open_geometry(settings: Settings) -> GeometryStore:
    """The geometry store from the settings; creates nothing before the first load.

    The whole URL, or only its password, may be a reference such as ``env:NAME``.

    Raises
    ------
    ConfigError
        The URL is malformed or for another kind of database, or a reference is empty.
    MissingDependencyError
        The database's driver is not installed.
    """
    url = resolve(settings.geometry_url, what="geometry URL")
    if not url:
        from terrafusion_lib.geometry.geoparquet import GeoParquetStore

        return GeoParquetStore(settings.data_path)
    from terrafusion_lib.core.database_url import database_url

    place = database_url(url, setting="TERRAFUSION_GEOMETRY_URL", hint=HINT)
    if place.get_backend_name() != "postgresql" or not place.database:
        raise ConfigError(
            "TERRAFUSION_GEOMETRY_URL is not the URL of a PostGIS database", hint=HINT
        )
    options = {
        "host": place.host or "localhost",
        "port": place.port or 5432,
        "dbname": place.database,
        "user": place.username,
        "password": place.password,
    }
    return PostgisStore(**options | {name: str(value) for name, value in place.query.items()})


class PostgisStore:
    """A PostGIS database: one schema per county, one table per layer.

    A load is one transaction: readers see the old layer until it ends, and a killed load leaves it
    in place. The first load is copied straight into a new table; later loads send only rows that
    differ, or all rows if someone else has changed the table.
    """

    def __init__(self, **options: Any) -> None:
        self._options = options

    def publish(self, layer: ParcelLayer) -> LayerLoad:
        """See `GeometryStore.publish`."""
        check_key(layer)
        rows = hashed(layer)
        with ThreadPoolExecutor(1) as beside, self._transaction(layer.county_id) as cursor:
            source = beside.submit(layer_totals, layer.table)
            lock = f"terrafusion geometry {layer.county_id}"
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (lock,))
            cursor.execute("CREATE EXTENSION IF NOT EXISTS postgis")
            return load_layer(cursor, layer, rows, source.result)

    def row_count(self, county_id: str, name: str = "parcels") -> int | None:
        """See `GeometryStore.row_count`."""
        with self._transaction(county_id) as cursor:
            return postgis_table.row_count(cursor, county_id, name)

    def is_intact(self, county_id: str, name: str = "parcels") -> bool:
        """See `GeometryStore.is_intact`."""
        with self._transaction(county_id) as cursor:
            return postgis_state.is_intact(cursor, f'"{county_id}"."{name}"')

    def read(
        self,
        county_id: str,
        name: str = "parcels",
        *,
        columns: Sequence[str] | None = None,
        box: Box | None = None,
    ) -> ParcelLayer:
        """See `GeometryStore.read`."""
        with self._transaction(county_id) as cursor:
            schema, srid, key = postgis_table.describe(cursor, county_id, name)
            wanted = list(columns or schema.names)
            missing = [column for column in wanted if column not in schema.names]
            if missing:
                raise LoadError("The layer lacks columns", table=name, examples=missing)
            chosen = ", ".join(
                f"ST_AsBinary({column})" if column in SHAPES else f'"{column}"'
                for column in dict.fromkeys([*wanted, key])
            )
            query = f'SELECT {chosen} FROM "{county_id}"."{name}"'
            if box:
                edges = ", ".join(repr(float(edge)) for edge in box)
                query += f" WHERE {GEOMETRY} && ST_MakeEnvelope({edges}, {srid})"
            types = pa.schema([schema.field(item) for item in dict.fromkeys([*wanted, key])])
            table = copy_out(cursor, query, types).sort_by(key).select(wanted)
        return ParcelLayer(county_id, table, f"EPSG:{srid}", key, name)

    def close(self) -> None:
        """Nothing is held open between calls."""

    @contextmanager
    def _transaction(self, county_id: str) -> Iterator[Any]:
        """A cursor in a transaction that excludes other loads of the county."""
        import psycopg2

        place = f"{self._options['host']}:{self._options['port']}/{self._options['dbname']}"
        try:
            connection = psycopg2.connect(**self._options)
        except psycopg2.Error as error:
            raise ConnectError(
                f"PostGIS at {place} did not respond: {mask_secrets(str(error)).strip()}",
                hint="check that the server is running and that host, port, user and password "
                "are correct",
            ) from error
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
                yield cursor
        except psycopg2.Error as error:
            raise LoadError(
                f"PostGIS at {place} reported an error: {str(error).strip()}",
                county=county_id,
                cause=_cause(str(error)),
                hint="the last good layer remains",
            ) from error
        finally:
            connection.close()


def _cause(text: str) -> str | None:
    if "extension" in text:
        return "PostGIS is not installed, or this user may not create the extension"
    if "lock timeout" in text:
        return f"another load has held the layer for {LOCK_SECONDS} seconds"
    return "the disk is full" if "No space left" in text else None
