"""CSV and other delimited text as batches of text columns, every line accounted for."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from terrafusion_lib.connectors.files import account as accounts
from terrafusion_lib.connectors.files.account import FileAccount
from terrafusion_lib.connectors.files.encodings import Opener
from terrafusion_lib.connectors.files.not_rows import TOTAL_LINE, NotRows, is_total_text, one_name
from terrafusion_lib.connectors.files.options import TableOptions, listed
from terrafusion_lib.connectors.files.records import Rules
from terrafusion_lib.connectors.files.text_blocks import Block, TextFile, estimated_records
from terrafusion_lib.connectors.protocol import SourceColumn
from terrafusion_lib.core.errors import ConnectError
from terrafusion_lib.core.raw import RawType
from terrafusion_lib.core.read_ahead import map_ahead

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": ",", ".psv": "|"}
PLAIN = {RawType.NUMBER: pa.float64(), RawType.DATE: pa.date32()}
THREADS = 2
AHEAD = 2
PARSED = 1 << 20
"""Bytes that Arrow parses at a time: what fits a processor's cache is twice as fast."""


@dataclass(frozen=True)
class _Wanted:
    """How many fields records have, which are wanted, and types of those read at once."""

    fields: int
    positions: list[int]
    plain: dict[str, pa.DataType]


class DelimitedFile:
    """One text file of delimited records.

    Parameters
    ----------
    opener : callable
        Opens the file's bytes.
    name : str
        The file as messages call it.
    suffix : str
        Says the delimiter where the options do not.
    key : sequence of str
        Columns of the mapping's key, by which lines of totals are known.
    """

    def __init__(
        self,
        opener: Opener,
        options: TableOptions,
        *,
        name: str,
        suffix: str = "",
        key: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.account = FileAccount()
        self._opener = opener
        self._options = options
        self._key = {one_name(name).casefold() for name in key}
        self._encoding = options.encoding or "utf-8"
        self._delimiter = options.delimiter or DELIMITERS.get(suffix, ",")
        self._as_text: set[str] = set()
        self._quote = "" if options.quote == "none" else options.quote

    def columns(self) -> list[SourceColumn]:
        """Header names in order, line breaks and runs of blanks in them as one blank.

        Raises
        ------
        ConnectError
            The file is empty or is not in the declared encoding.
        """
        _, names = self._begin()
        return [SourceColumn(name, "text", nullable=True) for name in names]

    def first_records(self, count: int) -> Iterator[tuple[int, list[str]]]:
        """Line number and fields of each of the first `count` lines, as far as they can be read."""
        file = TextFile(self._opener, self._encoding, name=self.name)
        for _ in range(count):
            try:
                fields = self._record(file)
            except ConnectError:
                fields = []
            yield file.line, fields

    def row_count(self) -> int | None:
        """About how many records; None when a sample cannot tell."""
        return estimated_records(self._opener)

    def batches(
        self, names: Sequence[str], batch_rows: int, kinds: Sequence[RawType] = ()
    ) -> Iterator[list[pa.Array]]:
        """The named columns, at most `batch_rows` rows at a time.

        Columns are text. One of `kinds` number or date may come as such from blocks where every
        value is written plainly: that is faster than to make texts of them first.

        Raises
        ------
        ConnectError
            The file is not in the declared format; the line is named.
        """
        file, header = self._begin()
        rules = Rules(
            self._delimiter.encode(),
            self._quote.encode(),
            self._options.escape.encode(),
            len(header),
            line_breaks=self._options.line_breaks,
        )
        positions = [0, *(header.index(name) for name in names)]
        not_rows = NotRows(
            [header[position] for position in positions],
            [place + 1 for place, name in enumerate(names) if name.casefold() in self._key] or [0],
            headers=not self._options.repeated_headers,
            totals=not self._options.total_lines,
        )
        plain = {
            f"f{place}": PLAIN[kind]
            for place, kind in zip(positions[1:], kinds, strict=bool(kinds))
            if kind in PLAIN and not (self._options.date_format and kind is not RawType.NUMBER)
        }
        wanted = _Wanted(len(header), positions, plain)
        parse = partial(self._parse, file, wanted, not_rows)
        with_counts = map_ahead(parse, self._counted(file, rules), threads=THREADS, ahead=AHEAD)
        for columns, left_out in with_counts:
            self.account.left_out.update(left_out)
            for start in range(0, len(columns[0]), batch_rows):
                yield [column.slice(start, batch_rows) for column in columns[1:]]

    def _begin(self) -> tuple[TextFile, list[str]]:
        """The file at its first record, and the names of its columns; a new account."""
        options = self._options
        file = TextFile(self._opener, self._encoding, name=self.name)
        self.account = FileAccount(lines=0)
        skipped = options.skip_lines
        if options.header:
            self._skip(file, skipped)
            names = self._headerless(file)
        else:
            self._skip(file, max(options.header_row - 1, 0))
            before = file.line
            names = [one_name(name) for name in self._record(file)]
            self.account.not_records[accounts.HEADER] += file.line - before
            self._skip(file, skipped)
        self.account.lines = file.line
        return file, names

    def _skip(self, file: TextFile, count: int) -> None:
        for _ in range(count):
            if file.take_line() is None:
                raise file.wrong(file.line, "the file ends before its first record")
            self.account.not_records[accounts.SKIPPED] += 1

    def _record(self, file: TextFile) -> list[str]:
        """The next record, taken line by line."""
        lines = iter(file.take_line, None)
        reader = csv.reader(
            lines,
            delimiter=self._delimiter,
            quotechar=self._quote or None,
            quoting=csv.QUOTE_MINIMAL if self._quote else csv.QUOTE_NONE,
            escapechar=self._options.escape or None,
            strict=True,
        )
        try:
            record = next(reader, [])
        except csv.Error as error:
            raise file.wrong(file.line, f"the header cannot be read: {error}") from error
        if not record:
            what = "is empty" if not file.line else f"line {file.line:,} is empty"
            raise ConnectError(
                f"{self.name} {what}: it has no header line",
                table=self.name,
                hint="set header_row to the line with the header",
            )
        return record

    def _headerless(self, file: TextFile) -> list[str]:
        """Names of the columns of a file without header: as many as its first record has."""
        again = TextFile(self._opener, self._encoding, name=self.name)
        for _ in range(file.line):
            again.take_line()
        count = len(self._record(again))
        names = listed(self._options.names) or [f"column_{n + 1}" for n in range(count)]
        if len(names) != count:
            raise file.wrong(file.line + 1, f"{count} fields, but the options name {len(names)}")
        return names

    def _counted(self, file: TextFile, rules: Rules) -> Iterator[Block]:
        """The file's blocks, counted as they go by."""
        for block in file.blocks(rules):
            self.account.lines = (self.account.lines or 0) + block.span.lines
            self.account.records += block.span.records
            self.account.not_records[accounts.BREAKS] += block.span.breaks
            self.account.not_records[accounts.BLANK] += block.span.blank
            yield block

    def _parse(
        self, file: TextFile, wanted: _Wanted, not_rows: NotRows, block: Block
    ) -> tuple[list[pa.Array], Counter[str]]:
        """Columns of one block at `positions`, and the records of it that are no rows."""
        if not block.span.records:
            return [pa.array([], pa.string()) for _ in wanted.positions], Counter()
        left_out: Counter[str] = Counter()
        table = self._plainly(block, wanted)
        try:
            table = self._table(block, wanted, {}, left_out) if table is None else table
        except pa.ArrowInvalid as error:
            raise self._located(file, block, wanted.fields) from error
        if table.num_rows + left_out.total() != block.span.records:
            raise self._located(file, block, wanted.fields)
        columns = [table[f"f{place}"].combine_chunks() for place in wanted.positions]
        columns, repeated = not_rows.without(columns)
        return columns, left_out + repeated

    def _plainly(self, block: Block, wanted: _Wanted) -> pa.Table | None:
        """The block with numbers and dates read at once; None when some text is not plain."""
        types = {name: kind for name, kind in wanted.plain.items() if name not in self._as_text}
        if not types:
            return None
        left_out: Counter[str] = Counter()
        try:
            table = self._table(block, wanted, types, left_out)
        except pa.ArrowInvalid as error:
            column = re.search(r"column #(\d+)", str(error))
            self._as_text.update([f"f{column[1]}"] if column else types)
            return None
        finite = all(
            pc.all(pc.is_finite(table[name])).as_py() is not False
            for name, kind in types.items()
            if kind == pa.float64()
        )
        return table if finite and not left_out else None

    def _table(
        self,
        block: Block,
        wanted: _Wanted,
        types: dict[str, pa.DataType],
        left_out: Counter[str],
    ) -> pa.Table:
        """The block's columns at `positions`, text where `types` says nothing else."""
        names = [f"f{number}" for number in range(wanted.fields)]

        def judged(row: arrow_csv.InvalidRow) -> str:
            reason = _no_record(row.text)
            if not reason or self._options.total_lines:
                return "error"
            left_out[reason] += 1
            return "skip"

        return arrow_csv.read_csv(
            pa.BufferReader(block.text),
            arrow_csv.ReadOptions(
                use_threads=False,
                block_size=len(block.text) + 1 if block.span.breaks else PARSED,
                column_names=names,
            ),
            arrow_csv.ParseOptions(
                delimiter=self._delimiter,
                quote_char=self._quote or False,
                escape_char=self._options.escape or False,
                newlines_in_values=block.span.breaks > 0 or bool(self._options.escape),
                ignore_empty_lines=wanted.fields > 1,
                invalid_row_handler=judged,
            ),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()) | types,
                include_columns=list(dict.fromkeys(names[place] for place in wanted.positions)),
                null_values=["", *self._options.nulls],
                strings_can_be_null=True,
            ),
        )

    def _located(self, file: TextFile, block: Block, fields: int) -> ConnectError:
        """The error of the first record of the block whose fields are not as many as the header's.

        Reading again line by line is slow, and is done once.
        """
        lines = block.text.decode("utf-8", "surrogatepass").split(file.end.decode())
        reader = csv.reader(
            (f"{line}\n" for line in lines),
            delimiter=self._delimiter,
            quotechar=self._quote or None,
            quoting=csv.QUOTE_MINIMAL if self._quote else csv.QUOTE_NONE,
            escapechar=self._options.escape or None,
        )
        before = 0
        for record in _until_error(reader):
            if record and len(record) != fields and not _no_record(self._delimiter.join(record)):
                line = block.first_line + before
                return file.wrong(
                    line,
                    f"Expected {fields} columns, got {len(record)}",
                    hint=f"is the delimiter {self._delimiter!r}? if quote marks are text, set "
                    "quote: none; or correct the line",
                )
            before = reader.line_num
        return file.wrong(
            block.first_line,
            f"the {block.span.records:,} records that start here cannot be separated",
            hint="set quote, escape and line_breaks for this table",
        )


def _no_record(text: str) -> str:
    """Why a line with too few or too many fields is no record; empty when it should be one."""
    plain = text.strip(" \t\r\n,;|\"'\x0b")
    return accounts.BLANK if not plain else TOTAL_LINE if is_total_text(plain) else ""


def _until_error(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    with suppress(csv.Error):
        yield from reader
