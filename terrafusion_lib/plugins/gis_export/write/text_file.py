"""Writing a layer as text, batch by batch."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.plugins.gis_export.write.export_layer import ExportLayer
from terrafusion_lib.plugins.write_errors import write_error


def write_text(
    layer: ExportLayer,
    path: Path,
    texts: Callable[[pa.RecordBatch], pa.Array],
    *,
    head: str = "",
    between: str = "\n",
    tail: str = "",
) -> None:
    """Write `head`, the text of every record with `between` between them, and `tail`.

    Raises
    ------
    ExportError
        The file could not be written.
    """
    mark = between.encode()

    def joined(batch: pa.RecordBatch) -> memoryview:
        """The records' texts, each preceded by `between`."""
        joined_batch = pc.binary_join_element_wise(between, texts(batch), "")
        return memoryview(joined_batch.buffers()[2])

    try:
        with path.open("wb") as file:
            file.write(head.encode())
            skipped = len(mark)
            for text in layer.made_from_batches(joined, multi=False):
                file.write(text[skipped:])
                skipped = 0
            file.write(tail.encode())
    except OSError as error:
        raise write_error(error, path, table=layer.name) from error
