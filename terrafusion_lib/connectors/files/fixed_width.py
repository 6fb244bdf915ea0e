"""Fixed-width text with a layout file, as batches of text columns."""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.connectors.files import account as accounts
from terrafusion_lib.connectors.files.account import FileAccount
from terrafusion_lib.connectors.files.encodings import Opener
from terrafusion_lib.connectors.files.not_rows import TOTAL_LINE, NotRows, is_total_text, one_name
from terrafusion_lib.connectors.files.options import TableOptions
from terrafusion_lib.connectors.files.records import Rules
from terrafusion_lib.connectors.files.text_blocks import Block, TextFile, estimated_records
from terrafusion_lib.connectors.protocol import SourceColumn
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.raw import RawType
from terrafusion_lib.core.read_ahead import map_ahead

THREADS = 2
AHEAD = 2
NAMES = ("name", "field name", "field", "column", "column name")
STARTS = ("start", "begin", "from", "position", "start position")
LENGTHS = ("length", "width", "size")
ENDS = ("end", "stop", "to", "end position")
SHORT_HINT = "set short_lines: yes if lines lack trailing blanks; or correct the line"
BY_LINE = Rules(delimiter=b"", quote=b"", escape=b"", fields=2)

Matrix = npt.NDArray[np.uint8] | npt.NDArray[np.uint32]


@dataclass(frozen=True)
class Place:
    """Where a column stands in a line: characters ``begin`` to ``end``, from 0."""

    name: str
    begin: int
    end: int


def read_layout(path: Path) -> list[Place]:
    """The layout: a CSV file with a header, one line per column.

    Its columns are ``name``, ``start`` (1 is the first character) and ``length`` or ``end``; others
    are ignored.

    Raises
    ------
    ConfigError
        The file is missing or does not say where a column stands.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = [
                {one_name(str(key)).lower(): str(value) for key, value in line.items()}
                for line in csv.DictReader(file)
            ]
        return [_place(line) for line in lines if any(line.values())]
    except (OSError, ValueError, LookupError) as error:
        raise ConfigError(
            f"The layout {path} cannot be read: {error}",
            table=path.name,
            hint="write a CSV file with the columns name, start and length",
        ) from error


def _place(line: Mapping[str, str]) -> Place:
    def value(names: Sequence[str]) -> str:
        return next((line[name].strip() for name in names if line.get(name)), "")

    begin = int(value(STARTS)) - 1
    length, end = value(LENGTHS), value(ENDS)
    if not length and not end:
        raise LookupError(f"{value(NAMES)} has neither length nor end")
    end_at = int(end) if end else begin + int(length)
    if not value(NAMES) or begin < 0 or end_at <= begin:
        raise ValueError(f"{value(NAMES) or 'a column without name'} has no position")
    return Place(one_name(value(NAMES)), begin, end_at)


class FixedWidthFile:
    """One file whose columns stand at fixed characters; blanks around a value are padding.

    Every line is as long as the first record, or is refused; ``short_lines: yes`` takes a shorter
    one as if blanks followed.
    """

    def __init__(
        self,
        opener: Opener,
        options: TableOptions,
        layout: Path,
        *,
        name: str,
        key: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.account = FileAccount()
        self._opener = opener
        self._options = options
        self._places = read_layout(layout)
        self._key = {one_name(item).casefold() for item in key}

    def columns(self) -> list[SourceColumn]:
        return [SourceColumn(place.name, "text", nullable=True) for place in self._places]

    def first_records(self, count: int) -> Iterator[tuple[int, list[str]]]:  # noqa: ARG002 - names come from the layout
        """No line holds names."""
        return iter(())

    def row_count(self) -> int | None:
        """About how many records; None when a sample cannot tell."""
        return estimated_records(self._opener)

    def batches(
        self,
        names: Sequence[str],
        batch_rows: int,
        kinds: Sequence[RawType] = (),  # noqa: ARG002 - types are those of the file
    ) -> Iterator[list[pa.Array]]:
        """The named columns as text, at most `batch_rows` rows at a time.

        Raises
        ------
        ConnectError
            A line is shorter or longer than the first; it is named.
        """
        file = TextFile(self._opener, self._options.encoding or "utf-8", name=self.name)
        self.account = FileAccount(lines=0)
        skipped = max(self._options.header_row, self._options.skip_lines)
        for _ in range(skipped):
            if file.take_line() is not None:
                self.account.not_records[accounts.SKIPPED] += 1
        self.account.lines = file.line
        by_name = {place.name: place for place in reversed(self._places)}
        wanted = [self._places[0], *(by_name[name] for name in names)]
        not_rows = NotRows(
            [place.name for place in wanted],
            [at + 1 for at, name in enumerate(names) if name.casefold() in self._key] or [0],
            headers=not self._options.repeated_headers,
            totals=not self._options.total_lines,
        )
        length = self._record_length(file)
        parse = partial(self._parse, file, length, wanted, not_rows)
        for columns, left_out in map_ahead(
            parse, self._counted(file), threads=THREADS, ahead=AHEAD
        ):
            self.account.left_out.update(left_out)
            for start in range(0, len(columns[0]), batch_rows):
                yield [column.slice(start, batch_rows) for column in columns[1:]]

    def _record_length(self, file: TextFile) -> int:
        """Characters of the first record, which must hold all columns of the layout."""
        length, needed = len(file.peek_line()), max(place.end for place in self._places)
        if 0 < length < needed and self._options.short_lines != "yes":
            what = f"{length:,} characters, but the layout needs {needed:,}"
            raise file.wrong(file.line + 1, what, hint=SHORT_HINT)
        return length

    def _counted(self, file: TextFile) -> Iterator[Block]:
        for block in file.blocks(BY_LINE):
            self.account.lines = (self.account.lines or 0) + block.span.lines
            self.account.records += block.span.records
            self.account.not_records[accounts.BLANK] += block.span.blank
            yield block

    def _parse(
        self, file: TextFile, length: int, places: list[Place], not_rows: NotRows, block: Block
    ) -> tuple[list[pa.Array], Counter[str]]:
        """Columns of one block, and the records of it that are no rows."""
        left_out: Counter[str] = Counter()
        matrix = _matrix(block.text, length, file.end)
        if matrix is None:
            matrix, left_out = self._uneven(file, length, block)
        columns = [self._column(matrix, place) for place in places]
        columns, repeated = not_rows.without(columns)
        return columns, left_out + repeated

    def _uneven(self, file: TextFile, length: int, block: Block) -> tuple[Matrix, Counter[str]]:
        """A block whose lines are not all of one length, line by line."""
        left_out: Counter[str] = Counter()
        short, kept = self._options.short_lines == "yes", []
        lines = block.text.decode("utf-8", "surrogatepass").split(file.end.decode())
        needed = max(length, *(place.end for place in self._places)) if short else length
        for number, line in enumerate((item.rstrip("\r") for item in lines), block.first_line):
            if len(line) == needed or (short and line):
                kept.append(line.ljust(needed)[:needed])
            elif line and is_total_text(line) and not self._options.total_lines:
                left_out[TOTAL_LINE] += 1
            elif line:
                what = f"{len(line):,} characters, but the first record has {length:,}"
                raise file.wrong(number, what, hint=SHORT_HINT)
        text = "".join(kept)
        return _characters(text).reshape(len(kept), needed), left_out

    def _column(self, matrix: Matrix, place: Place) -> pa.Array:
        """One column as text, null where it is blank or a null value."""
        column = _text(matrix[:, place.begin : place.end])
        empty = pc.is_in(column, pa.array(["", *self._options.nulls]))
        return pc.if_else(empty, None, column)


def _characters(text: str) -> Matrix:
    if text.isascii():
        return np.frombuffer(text.encode("ascii"), np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _matrix(text: bytes, length: int, end: bytes) -> Matrix | None:
    """Characters by line and place; None when the lines are not all of `length`."""
    for ending in (end, b"\r" + end):
        if text.endswith(ending):
            break
    else:
        text, ending = text + end, end
    if end == b"\n" and text.endswith(b"\r\n"):
        ending = b"\r\n"
    characters = (
        np.frombuffer(text, np.uint8)
        if text.isascii()
        else _characters(text.decode("utf-8", "surrogatepass"))
    )
    width = length + len(ending)
    if characters.size % width:
        return None
    matrix = characters.reshape(-1, width)
    ends = np.frombuffer(ending, np.uint8)
    inside = matrix[:, :length]
    if (matrix[:, length:] != ends).any() or (inside == end[0]).any():
        return None
    return inside


def _text(cells: Matrix) -> pa.Array:
    """Each row of characters as text without blanks around it."""
    rows, width = cells.shape
    if cells.dtype == np.uint32 and rows and width and cells.max() >= 128:
        whole = np.ascontiguousarray(cells).tobytes().decode("utf-32-le", "surrogatepass")
        parts = [whole[start : start + width].strip(" ") for start in range(0, rows * width, width)]
        return pa.array(parts, pa.string())
    data = np.ascontiguousarray(cells.astype(np.uint8, copy=False))
    offsets = np.arange(0, (rows + 1) * width, width or 1, dtype=np.int32)[: rows + 1]
    if not width:
        offsets = np.zeros(rows + 1, np.int32)
    column = pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(data))
    return pc.ascii_trim(column, characters=" ")
