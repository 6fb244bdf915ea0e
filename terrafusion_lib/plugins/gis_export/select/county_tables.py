"""The county's tables for an export, each read once with the needed columns."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.core.county import GeometryConfig
from terrafusion_lib.core.declared import result_table, result_tables
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.tables import Column
from terrafusion_lib.geo.crs import Floats
from terrafusion_lib.plugins.api import PluginContext
from terrafusion_lib.plugins.gis_export.errors import NO_RESULTS, ExportError
from terrafusion_lib.plugins.gis_export.select.fit import Fit, fit
from terrafusion_lib.plugins.gis_export.select.shapes import (
    Ints,
)

ROLL, SHAPES, SALES = "properties_operational", "parcels_geometry", "sales"


def schema_column(table: str, column: str) -> Column:
    """The canonical or result column of that name."""
    spec = TABLES.get(table) or result_table(table)
    return next(item for item in spec.columns if item.name == column)


class CountyTables:
    """Canonical tables, and results of the current run, by name.

    Parameters
    ----------
    context : PluginContext
        Access to the tables.
    columns : mapping
        Columns to read, by table.
    policy : GeometryConfig
        How to treat invalid parcel shapes.
    """

    def __init__(
        self, context: PluginContext, columns: Mapping[str, set[str]], policy: GeometryConfig
    ) -> None:
        self.context = context
        self.columns = columns
        self.policy = policy
        self._read: dict[str, pa.Table] = {}

    def __getitem__(self, name: str) -> pa.Table:
        if name not in self._read:
            self._read[name] = self._load(name).combine_chunks()
        return self._read[name]

    def column(self, table: str, name: str) -> pa.Array:
        """One column as one array."""
        return single(self[table][name])

    def fit_shapes(self, rows: Ints) -> Fit:
        """Parcel shapes of these rows; unfit ones are repaired or left out."""
        wkb, known = self.column(SHAPES, "geometry"), self.context.unfit_shapes
        suspects = None
        if known is not None:
            names = pa.array(sorted(known), pa.string())
            listed = pc.is_in(self.column(SHAPES, "geometry_id"), value_set=names)
            suspects = np.asarray(listed.to_numpy(zero_copy_only=False), dtype=bool)
        return fit(wkb, rows, self.policy, suspects=suspects, threads=self.context.threads)

    def has(self, name: str) -> bool:
        """Whether the table has rows; a result table has none before the first valuation."""
        if name in result_tables() and self.context.results is None:
            return False
        return bool(self[name].num_rows)

    def _load(self, name: str) -> pa.Table:
        spec = TABLES.get(name) or result_table(name)
        wanted = [column for column in spec.column_names if column in self.columns[name]]
        read = self.context.read if name in TABLES else self.context.results
        if read is None:
            raise ExportError(
                "The county has no stored results",
                reason_code=NO_RESULTS,
                county=self.context.county_id,
                table=name,
                hint=f"terrafusion run {self.context.county_id}",
            )
        return read(name, wanted)


def single(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """The column as one array."""
    if isinstance(column, pa.ChunkedArray):
        combined = column.combine_chunks()
        return combined if isinstance(combined, pa.Array) else pa.concat_arrays(combined.chunks)
    return column


def positions(values: pa.Array, among: pa.Array) -> Ints:
    """First row of each value in `among`; −1 if missing or null."""
    index = pc.index_in(values, value_set=among, skip_nulls=True)
    return np.asarray(pc.fill_null(index, -1).to_numpy(zero_copy_only=False), dtype=np.int64)


def follow(rows: Ints, step: Ints) -> Ints:
    """``step[rows]``, −1 staying −1."""
    if step.size == 0:
        return np.full(rows.size, -1, dtype=np.int64)
    return np.where(rows >= 0, step[rows], -1)


def numbers(column: pa.Array) -> Floats:
    """A number column with nulls as NaN."""
    filled = pc.fill_null(column.cast(pa.float64()), float("nan"))
    return np.asarray(filled.to_numpy(zero_copy_only=False), dtype=float)
