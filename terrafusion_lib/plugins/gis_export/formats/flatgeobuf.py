"""FlatGeobuf: one layer a file, with a packed spatial index."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from terrafusion_lib.plugins.gis_export.format import ExportFormat
from terrafusion_lib.plugins.gis_export.write.export_layer import ExportLayer
from terrafusion_lib.plugins.gis_export.write.gdal import write_layer
from terrafusion_lib.plugins.gis_export.write.whole_file import incomplete

MAGIC_BYTES, NODE_SIZE = 8, 16
NODE = np.dtype([("box", "<f8", 4), ("offset", "<u8")])


def write(layers: Sequence[ExportLayer], path: Path) -> None:
    """Write the layer; records are put in the order of a Hilbert curve by GDAL."""
    (layer,) = layers
    write_layer(layer, path, driver="FlatGeobuf", name=layer.name, multi=True)
    _check(path, layer.records)


def _check(path: Path, records: int) -> None:
    """Check with the index's leaves that the file ends where its last record does.

    A file is magic bytes, header with its size, index nodes with the leaves last, and records
    with their sizes; a leaf holds its record's place.

    Raises
    ------
    ExportError
        It does not.
    """
    nodes = level = records
    while level > 1:
        level = -(-level // NODE_SIZE)
        nodes += level
    nodes = max(nodes, 2)  # a single record still has a root above its leaf
    with path.open("rb") as file:
        file.seek(MAGIC_BYTES)
        (header,) = struct.unpack("<I", file.read(4))
        start = MAGIC_BYTES + 4 + header + nodes * NODE.itemsize
        file.seek(start - records * NODE.itemsize)
        leaves = np.frombuffer(file.read(records * NODE.itemsize), NODE)
        if leaves.size != records:
            raise incomplete(path)
        last = start + int(leaves["offset"].max())
        file.seek(last)
        size = file.read(4)
        if len(size) < 4 or last + 4 + struct.unpack("<I", size)[0] != path.stat().st_size:
            raise incomplete(path)


FORMAT = ExportFormat(title="FlatGeobuf", suffix=".fgb", write=write, size_factor=1.8)
