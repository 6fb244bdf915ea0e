"""GeoPackage, Shapefile, File Geodatabase, FlatGeobuf and GeoJSON files, read by GDAL."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from typing import Any

import pyarrow as pa

from terrafusion_lib.connectors.files.account import FileAccount
from terrafusion_lib.connectors.files.dbf import text_encoding
from terrafusion_lib.connectors.files.shape_systems import transformed
from terrafusion_lib.connectors.protocol import SourceColumn
from terrafusion_lib.core.errors import ConnectError
from terrafusion_lib.core.raw import RawType

VECTOR = {".gpkg", ".shp", ".dbf", ".gdb", ".fgb", ".geojson", ".geojsonl"}
DBF = {".shp", ".dbf"}
GEOMETRY = "geometry"
FID = "OGC_FID"


class VectorFile:
    """One layer of a file; its shape, as WKB, is the column that the file names, or ``geometry``.

    Parameters
    ----------
    layer : str
        Name of the layer; empty if the file has only one.
    crs : str
        Coordinate system for the shapes; empty: the file's own.
    """

    def __init__(self, path: Path, *, layer: str, crs: str, encoding: str = "") -> None:
        self.path = path
        self.name = path.name
        self.account = FileAccount()
        self._crs = crs
        self._encoding = encoding
        self._layer = layer or self._only_layer()

    def columns(self) -> list[SourceColumn]:
        """Fields, feature id and shape; a shape may be called ``geometry`` too, if nothing else is.

        A field keeps its name: where one has that of the feature id or shape, these get another.
        """
        info = self._info()
        key, shapes = _own_names(info)
        self._text_encoding()
        fields = [
            SourceColumn(str(name), str(kind), True)
            for name, kind in zip(info["fields"], info["dtypes"], strict=True)
        ]
        own = [SourceColumn(name, info["geometry_type"], True) for name in shapes]
        return [SourceColumn(key, "integer", False), *fields, *own]

    def first_records(self, count: int) -> Iterator[tuple[int, list[str]]]:  # noqa: ARG002 - a layer declares its names
        """No row holds names."""
        return iter(())

    def row_count(self) -> int:
        return int(self._info()["features"])

    def batches(
        self,
        names: Sequence[str],
        batch_rows: int,
        kinds: Sequence[RawType] = (),  # noqa: ARG002 - types are those of the file
    ) -> Iterator[list[pa.Array]]:
        """The named columns, in the file's own types."""
        import pyogrio

        info = self._info()
        self.account = FileAccount(records=int(info["features"]))
        key, shapes = _own_names(info)
        fields = [name for name in info["fields"] if name in names]
        with (
            _errors(self.path),
            pyogrio.open_arrow(
                self.path,
                layer=self._layer,
                columns=fields,
                read_geometry=bool({*shapes} & {*names}),
                return_fids=True,
                batch_size=batch_rows,
                use_pyarrow=True,
                datetime_as_string=False,
                encoding=self._text_encoding(),
            ) as (_, reader),
        ):
            # by place: the id is the first column and the shape the last, whatever their names
            at = {key: 0} | dict.fromkeys(shapes, -1)
            at |= {name: place for place, name in enumerate(fields, start=1)}
            for batch in reader:
                yield [self._column(batch[at[name]], name, shapes, info["crs"]) for name in names]

    def _column(
        self, column: pa.Array, name: str, shapes: Sequence[str], crs: str | None
    ) -> pa.Array:
        if name in shapes:
            return transformed(column.cast(pa.binary()), crs, self._crs, source=self.path)
        try:
            column.validate(full=True)
        except pa.ArrowInvalid as error:
            raise ConnectError(
                f"Text of {self.path.name} does not have the encoding that the file declares",
                table=self.path.name,
                column=name,
                hint="set encoding for this table in the mapping",
            ) from error
        return column

    def _text_encoding(self) -> str | None:
        """Encoding of a Shapefile's text; None for formats that say it themselves."""
        table = self.path.with_suffix(".dbf")
        if self.path.suffix.lower() not in DBF or not table.is_file():
            return None
        return text_encoding(table, self._encoding, told=self._info()["encoding"] == "UTF-8")

    def _info(self) -> dict[str, Any]:
        import pyogrio

        with _errors(self.path):
            info: dict[str, Any] = pyogrio.read_info(
                self.path, layer=self._layer, force_feature_count=True
            )
        return info

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


def _own_names(info: dict[str, Any]) -> tuple[str, list[str]]:
    """Names of the feature id and of the shape that no field has; the shape's are none without."""
    taken = {str(name).casefold() for name in info["fields"]}

    def free(*names: str) -> str:
        more = (f"{names[-1]}_{number}" for number in count(1))
        return next(name for name in chain(names, more) if name and name.casefold() not in taken)

    key = free(info["fid_column"], FID)
    if not info["geometry_type"]:
        return key, []
    shape = free(info["geometry_name"], GEOMETRY)
    return key, [shape] if shape.casefold() == GEOMETRY else [shape, *({GEOMETRY} - taken)]


def parts(path: Path) -> list[Path]:
    """Files that make up a source, such as a File Geodatabase or those of a ``.shp``."""
    if path.is_dir():
        return [item for item in sorted(path.rglob("*")) if item.suffix != ".lock"]
    if path.suffix.lower() in DBF:
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
