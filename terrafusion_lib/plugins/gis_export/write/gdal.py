"""Writing through GDAL: Arrow batches streamed into one layer of a file."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from terrafusion_lib.plugins.gis_export.errors import ExportError
from terrafusion_lib.plugins.gis_export.write.export_layer import GEOMETRY, ExportLayer
from terrafusion_lib.plugins.write_errors import WRITE_FAILED, write_error

WIDTH, COMMENT = b"GDAL:OGR:width", b"GDAL:OGR:comment"
"""Keys of Arrow field metadata that GDAL reads when it creates a field."""


class Guarded:
    """Batches that keep an error raised inside GDAL's C stream for the caller."""

    def __init__(self, batches: Iterable[pa.RecordBatch]) -> None:
        self.batches = batches
        self.error: BaseException | None = None
        self.finished = False

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self.batches
            self.finished = True
        except BaseException as error:
            self.error = error
            raise


def write_layer(
    layer: ExportLayer,
    path: Path,
    *,
    driver: str,
    name: str,
    multi: bool,
    types: Mapping[pa.DataType, pa.DataType] | None = None,
    options: Mapping[str, str] | None = None,
    dataset_options: Mapping[str, str] | None = None,
) -> None:
    """Stream a layer into a new table of the file, with field descriptions.

    Parameters
    ----------
    multi : bool
        Whether polygons become multipolygons, for formats whose tables have one geometry type.
    types : mapping, optional
        Replacements for types that the format lacks.
    options, dataset_options : mapping, optional
        Creation options of GDAL's layer and data set.

    Raises
    ------
    ExportError
        The file could not be written.
    """
    schema = pa.schema(
        [
            pa.field(
                item.name,
                (types or {}).get(item.type, item.type),
                metadata={COMMENT: item.meaning.encode()},
            )
            for item in layer.fields
        ]
        + [pa.field(GEOMETRY, pa.binary())]
    )
    stream_batches(
        schema,
        layer.batches(multi=multi),
        path,
        driver=driver,
        name=name,
        geometry_type=layer.shapes.kind if multi else _mixed(layer),
        crs=layer.crs,
        options=options,
        dataset_options=dataset_options,
    )


def write_table(table: pa.Table, path: Path, *, driver: str, name: str) -> None:
    """Write a table without geometry into a file that exists."""
    stream_batches(table.schema, table.to_batches(), path, driver=driver, name=name)


def stream_batches(
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    path: Path,
    *,
    driver: str,
    name: str,
    geometry_type: str | None = None,
    crs: str | None = None,
    options: Mapping[str, str] | None = None,
    dataset_options: Mapping[str, str] | None = None,
) -> None:
    """Pass batches to GDAL, which writes them as it reads them.

    Raises
    ------
    ExportError
        GDAL could not write; errors in the batches themselves are raised unchanged.
    """
    from pyogrio.raw import write_arrow

    guarded = Guarded(_with(schema, batch) for batch in batches)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*organizePolygons.*")
            write_arrow(
                pa.RecordBatchReader.from_batches(schema, iter(guarded)),
                path,
                layer=name,
                driver=driver,
                geometry_name=GEOMETRY if geometry_type else None,
                geometry_type=geometry_type,
                crs=crs,
                encoding="UTF-8",
                dataset_options=dict(dataset_options or {}),
                layer_options=dict(options or {}),
            )
    except Exception as error:
        raise guarded.error or write_error(error, path, table=name) from error
    if not guarded.finished:
        raise ExportError(
            f"GDAL stopped before the end of {name}", reason_code=WRITE_FAILED, table=name
        )


def _with(schema: pa.Schema, batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [
        values if values.type == field.type else values.cast(field.type)
        for values, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _mixed(layer: ExportLayer) -> str:
    return "Unknown" if layer.shapes.kind != "Point" else layer.shapes.kind
