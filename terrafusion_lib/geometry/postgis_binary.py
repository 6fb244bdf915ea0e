"""PostgreSQL's binary COPY format as Arrow, decoded column by column for many rows at once.

libpq delivers one row at a time, so the start of each row is known and the fields of all rows can
be decoded together. Format: PostgreSQL documentation, COPY, "Binary Format": a header of 19 bytes,
then per row a 16-bit field count and per field a 32-bit length (-1 is null) and the value, all
big-endian; a row of -1 ends it.
"""

from concurrent.futures import Executor, Future
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from terrafusion_lib.core.errors import LoadError

HEADER = 19
CHUNK_ROWS = 10_000
DAYS_TO_2000 = 10_957
FIXED: dict[pa.DataType, str] = {
    pa.int64(): ">i8",
    pa.int32(): ">i4",
    pa.float64(): ">f8",
    pa.bool_(): ">u1",
    pa.date32(): ">i4",
}

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]


class BinaryRows:
    """A file for COPY … TO STDOUT (FORMAT binary); `table` holds the result.

    Another thread decodes rows while more arrive.
    """

    def __init__(self, schema: pa.Schema, decoder: Executor) -> None:
        self._schema = schema
        self._decoder = decoder
        self._rows: list[bytes] = []
        self._batches: list[Future[pa.RecordBatch]] = []

    def write(self, row: bytes) -> int:
        """Receive one row; the first follows the header, the last is the end marker."""
        self._rows.append(row)
        if len(self._rows) > CHUNK_ROWS:
            self._send(self._rows[:-1])
            self._rows = self._rows[-1:]
        return len(row)

    def table(self) -> pa.Table:
        """All rows."""
        self._send(self._rows[:-1])
        return pa.Table.from_batches([batch.result() for batch in self._batches], self._schema)

    def _send(self, rows: list[bytes]) -> None:
        if not self._batches and rows:
            rows[0] = rows[0][HEADER:]
        if rows:
            self._batches.append(self._decoder.submit(decode, rows, self._schema))


def decode(rows: list[bytes], schema: pa.Schema) -> pa.RecordBatch:
    """Rows of fields as a batch.

    Raises
    ------
    LoadError
        The rows do not have the fields of `schema`.
    """
    sizes = np.fromiter(map(len, rows), np.int64, len(rows))
    data = np.frombuffer(b"".join(rows), np.uint8)
    ends = np.cumsum(sizes)
    at = ends - sizes
    counts, at = _numbers(data, at, ">i2"), at + 2
    columns = []
    for field in schema if (counts == len(schema)).all() else ():
        lengths, at = _numbers(data, at, ">i4").astype(np.int64), at + 4
        columns.append(_column(data, at, lengths, field.type))
        at = at + np.maximum(lengths, 0)
    if not (at == ends).all():
        raise LoadError("PostgreSQL sent rows in an unexpected format", examples=schema.names)
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _numbers(data: Bytes, at: Places, kind: str) -> NDArray[Any]:
    """Numbers of one type at the byte offsets `at`."""
    count = len(data) - np.dtype(kind).itemsize + 1
    numbers: NDArray[Any] = np.ndarray((max(count, 0),), kind, data, strides=(1,))[at]
    return numbers


def _column(data: Bytes, at: Places, lengths: Places, kind: pa.DataType) -> pa.Array:
    null = lengths < 0
    if kind not in FIXED:
        return _pieces(data, at, lengths, null, kind)
    values = _numbers(data, np.where(null, 0, at), FIXED[kind])
    native = values.astype(values.dtype.newbyteorder("="))
    if kind == pa.bool_():
        return pa.array(native.astype(bool), mask=null)
    if kind == pa.date32():
        return pa.array(native + DAYS_TO_2000, pa.int32(), mask=null).cast(kind)
    return pa.array(native, kind, mask=null)


def _pieces(
    data: Bytes, at: Places, lengths: Places, null: NDArray[np.bool_], kind: pa.DataType
) -> pa.Array:
    """Texts or bytes at the offsets `at`, as one Arrow array."""
    sizes = np.where(null, 0, lengths)
    views = pa.LargeListViewArray.from_arrays(pa.array(at), pa.array(sizes), pa.array(data))
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    mask = pa.array(~null)
    return pa.Array.from_buffers(
        kind,
        len(at),
        [
            mask.buffers()[1] if null.any() else None,
            pa.py_buffer(offsets),
            views.flatten().buffers()[1],
        ],
        null_count=int(null.sum()),
    )
