"""A layer ready for writing: fields, shapes, and records in batches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.core.progress import Progress, silent
from terrafusion_lib.core.read_ahead import map_ahead
from terrafusion_lib.core.tables import Kind
from terrafusion_lib.plugins.gis_export.errors import VALUE_OUT_OF_RANGE, ExportError
from terrafusion_lib.plugins.gis_export.select.shapes import Shapes
from terrafusion_lib.plugins.gis_export.select.valid_shapes import Grid
from terrafusion_lib.plugins.gis_export.write.styles import Style

Made = TypeVar("Made")

GEOMETRY = "geometry"
BATCH_RECORDS = 20_000
ARROW_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.JSON: pa.string(),
    Kind.INTEGER: pa.int32(),
    Kind.NUMBER: pa.float64(),
    Kind.MONEY: pa.float64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DATE: pa.date32(),
}
"""Types in files; years, codes and counts are 32-bit, which every format has."""


@dataclass(frozen=True)
class ExportField:
    """One attribute as written.

    `values` is a whole column of a source table; record i has the value of row ``rows[i]`` (null:
    none), or the i-th value when `rows` is None.
    """

    name: str
    attribute: str
    kind: Kind
    meaning: str
    values: pa.Array
    rows: pa.Array | None = None

    @property
    def type(self) -> pa.DataType:
        return ARROW_TYPES[self.kind]

    def part(self, start: int, length: int) -> pa.Array:
        """Values of some records, in the file's type."""
        if self.rows is None:
            values = self.values.slice(start, length)
        else:
            values = self.values.take(self.rows.slice(start, length))
        return values if values.type == self.type else values.cast(self.type)

    def longest(self) -> int:
        """Bytes of the longest text in UTF-8, at least 1."""
        return int(pc.max(pc.binary_length(self.values)).as_py() or 1)


@dataclass(frozen=True)
class ExportLayer:
    """One layer of an export.

    Attributes
    ----------
    crs : str
        Coordinate system of the written shapes.
    left_out : dict
        Counts of items without a record, by reason.
    grid : Grid, optional
        Coordinates that the format can hold; None: any double.
    repaired : int
        Parcel shapes that were invalid and were repaired.
    unlinked : tuple of str
        Keys of the parcel shapes that belong to no property.
    zooms : tuple of int
        First and last zoom, for tile formats.
    """

    name: str
    meaning: str
    key: tuple[str, ...]
    fields: tuple[ExportField, ...]
    shapes: Shapes
    crs: str
    left_out: dict[str, int]
    repaired: int = 0
    unlinked: tuple[str, ...] = ()
    zooms: tuple[int, int] = (9, 15)
    style: Style | None = None
    progress: Progress = silent
    threads: int = 1
    grid: Grid | None = None

    @property
    def records(self) -> int:
        return len(self.shapes)

    def schema(self) -> pa.Schema:
        """Fields in order, geometry (WKB) last."""
        fields = [pa.field(item.name, item.type) for item in self.fields]
        return pa.schema([*fields, pa.field(GEOMETRY, pa.binary())])

    def batches(self, *, multi: bool) -> Iterator[pa.RecordBatch]:
        """The records in order; with `multi`, every polygon as a multipolygon."""
        return self.made_from_batches(lambda batch: batch, multi=multi)

    def made_from_batches(
        self, finish: Callable[[pa.RecordBatch], Made], *, multi: bool
    ) -> Iterator[Made]:
        """The result of `finish` for each batch, in order. With a second thread, the next batch is
        built while the caller writes. Progress is reported before each batch, so that a cancelled
        job stops there.
        """

        def make(start: int) -> Made:
            return finish(self._batch(start, multi=multi))

        starts = range(0, self.records, BATCH_RECORDS)
        one = self.threads == 1
        batches = map(make, starts) if one else map_ahead(make, starts, threads=1, ahead=1)
        for start, part in zip(starts, batches, strict=True):
            self.progress(f"export {self.name}", start, self.records)
            yield part
        self.progress(f"export {self.name}", self.records, self.records)

    def _batch(self, start: int, *, multi: bool) -> pa.RecordBatch:
        columns = [self._part(item, start) for item in self.fields]
        columns.append(
            self.shapes.part(start, BATCH_RECORDS, self.crs, multi=multi, grid=self.grid)
        )
        return pa.record_batch(columns, schema=self.schema())

    def _part(self, item: ExportField, start: int) -> pa.Array:
        try:
            return item.part(start, BATCH_RECORDS)
        except pa.ArrowInvalid as error:
            raise ExportError(
                f"A value does not fit into 32 bits: {error}",
                reason_code=VALUE_OUT_OF_RANGE,
                table=self.name,
                column=item.attribute,
                hint="leave the attribute out",
            ) from error

    def source_bytes(self) -> int:
        """Approximate bytes of the records in memory: the mean of each column times the records."""
        total = 0.0
        for item in self.fields:
            total += item.values.nbytes / max(len(item.values), 1)
        shape = self.shapes.wkb.nbytes / max(len(self.shapes.wkb), 1)
        return int((total + shape) * self.records)
