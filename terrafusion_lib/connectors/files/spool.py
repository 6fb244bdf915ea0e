"""Batches that are kept until all of them are read: in memory, a large table on disk."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import pyarrow as pa

IN_MEMORY = 256 << 20


class Spool:
    """Holds batches of one schema; what does not fit into memory goes to a temporary file."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._held: list[pa.RecordBatch] = []
        self._bytes = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._writer: pa.RecordBatchFileWriter | None = None

    def __enter__(self) -> "Spool":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer:
            self._writer.close()
        if self._folder:
            self._folder.cleanup()

    def add(self, batch: pa.RecordBatch) -> None:
        if self._bytes < IN_MEMORY:
            self._held.append(batch)
            self._bytes += batch.nbytes
            return
        if self._writer is None:
            self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
            self._writer = pa.ipc.new_file(str(self._path), self._schema)
        self._writer.write_batch(batch)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """What was added, in order; each batch is let go as it is given."""
        self._held.reverse()
        while self._held:
            yield self._held.pop()
        if self._writer:
            self._writer.close()
            self._writer = None
            with pa.memory_map(str(self._path)) as mapped, pa.ipc.open_file(mapped) as file:
                for number in range(file.num_record_batches):
                    yield file.get_batch(number)

    @property
    def _path(self) -> Path:
        return Path(self._folder.name if self._folder else "") / "rows.arrow"
