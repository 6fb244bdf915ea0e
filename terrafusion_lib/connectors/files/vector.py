"""GeoPackage, Shapefile, File Geodatabase, FlatGeobuf and GeoJSON files, read by GDAL."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from terrafusion_lib.connectors.files.shape_systems import transformed
from terrafusion_lib.connectors.protocol import SourceColumn
from terrafusion_lib.core.errors import ConnectError

VECTOR = {".gpkg", ".shp", ".gdb", ".fgb", ".geojson", ".geojsonl"}
GEOMETRY = "geometry"
FID = "OGC_FID"


class VectorFile:
    """One layer of a file; its shape is the column ``geometry``, as WKB.

    Parameters
    ----------
    layer : str
        Name of the layer; empty if the file has only one.
    crs : str
        Coordinate system for the shapes; empty: the file's own.
    """

    def __init__(self, path: Path, *, layer: str, crs: str) -> None:
        self.path = path
        self._crs = crs
        self._layer = layer or self._only_layer()

    def columns(self) -> list[SourceColumn]:
        info = self._info()
        fields = [
            SourceColumn(str(name), str(kind), True)
            for name, kind in zip(info["fields"], info["dtypes"], strict=True)
        ]
        key = SourceColumn(info["fid_column"] or FID, "integer", False)
        shape = info["geometry_type"]
        return [key, *fields, *([SourceColumn(GEOMETRY, shape, True)] if shape else [])]

    def row_count(self) -> int:
        return int(self._info()["features"])

    def batches(self, names: Sequence[str], batch_rows: int) -> Iterator[list[pa.Array]]:
        """The named columns, in the file's own types."""
        import pyogrio

        info = self._info()
        key = info["fid_column"] or FID
        fields = [name for name in names if name not in (GEOMETRY, key)]
        with (
            _errors(self.path),
            pyogrio.open_arrow(
                self.path,
                layer=self._layer,
                columns=fields,
                read_geometry=GEOMETRY in names,
                return_fids=True,
                batch_size=batch_rows,
                use_pyarrow=True,
                datetime_as_string=False,
            ) as (meta, reader),
        ):
            shape = meta["geometry_name"] or "wkb_geometry"
            for batch in reader:
                yield [self._column(batch, name, key, shape, info["crs"]) for name in names]

    def _column(
        self, batch: pa.RecordBatch, name: str, key: str, shape: str, crs: str | None
    ) -> pa.Array:
        if name == GEOMETRY:
            return transformed(batch[shape].cast(pa.binary()), crs, self._crs, source=self.path)
        if name == key:
            return batch[name if name in batch.schema.names else FID]
        return batch[name]

    def _info(self) -> dict[str, Any]:
        import pyogrio

        with _errors(self.path):
            found: dict[str, Any] = pyogrio.read_info(
                self.path, layer=self._layer, force_feature_count=True
            )
        return found

    def _only_layer(self) -> str:
        names = layers(self.path)
        if len(names) != 1:
            raise ConnectError(
                f"{self.path} has {len(names)} layers",
                table=self.path.name,
                examples=names,
                hint=f"choose one: {self.path.name}#{names[0]}" if names else "",
            )
        return names[0]


def parts(path: Path) -> list[Path]:
    """Files that make up a source, such as a File Geodatabase or those of a ``.shp``."""
    if path.is_dir():
        return [item for item in sorted(path.rglob("*")) if item.suffix != ".lock"]
    if path.suffix.lower() == ".shp":
        return sorted(path.parent.glob(f"{path.stem}.*"))
    return [path]


def layers(path: Path) -> list[str]:
    """Names of a file's layers, in file order.

    Raises
    ------
    ConnectError
        The file cannot be read.
    """
    import pyogrio

    with _errors(path):
        return [str(name) for name, _ in pyogrio.list_layers(path)]


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    from pyogrio.errors import DataLayerError, DataSourceError, FeatureError, FieldError

    try:
        yield
    except (DataSourceError, DataLayerError, FeatureError, FieldError) as error:
        raise ConnectError(f"{path} cannot be read: {error}", table=path.name) from error
