"""CSV and TSV files as batches of text columns."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv

from terrafusion_lib.connectors.files.encodings import check_encoding
from terrafusion_lib.connectors.protocol import SourceColumn
from terrafusion_lib.core.errors import ConnectError

BLOCK_BYTES = 8 << 20
DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": ","}


class DelimitedFile:
    """One text file with a header line; quoted fields may contain line breaks.

    Parameters
    ----------
    encoding : str
        Any encoding Python knows; a byte-order mark is dropped.
    delimiter : str
        One character; default: from the file extension.
    null_values : sequence of str
        Text that means null, in addition to empty text.
    """

    def __init__(
        self, path: Path, *, encoding: str, delimiter: str = "", null_values: Sequence[str] = ()
    ) -> None:
        self.path = path
        self.encoding = encoding
        self.delimiter = delimiter or DELIMITERS.get(path.suffix.lower(), ",")
        self.null_values = ["", *null_values]

    def columns(self) -> list[SourceColumn]:
        """Header names in order.

        Raises
        ------
        ConnectError
            The file is empty or is not in the declared encoding.
        """
        check_encoding(self.path, self.encoding)
        with self.path.open(encoding=self._codec, newline="") as file:
            header = next(csv.reader(file, delimiter=self.delimiter), [])
        if not header:
            raise ConnectError(f"{self.path} is empty: it has no header line", table=self.path.name)
        return [SourceColumn(name, "text", nullable=True) for name in header]

    def row_count(self) -> int:
        """Lines after the header; an estimate, because quoted fields may contain line breaks."""
        with self.path.open("rb") as file:
            lines = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(BLOCK_BYTES), b""))
            file.seek(-1, 2)
            unfinished = file.read(1) != b"\n"
        return max(lines + unfinished - 1, 0)

    def batches(self, names: Sequence[str], batch_rows: int) -> Iterator[list[pa.Array]]:
        """The named columns as text, at most `batch_rows` rows at a time.

        Raises
        ------
        ConnectError
            A row has more or fewer fields than the header.
        """
        try:
            with arrow_csv.open_csv(
                self.path,
                read_options=arrow_csv.ReadOptions(
                    use_threads=False, block_size=BLOCK_BYTES, encoding=self._codec
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=self.delimiter, newlines_in_values=True
                ),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    include_columns=list(names),
                    null_values=self.null_values,
                    strings_can_be_null=True,
                ),
            ) as reader:
                for batch in reader:
                    for start in range(0, batch.num_rows, batch_rows):
                        yield batch.slice(start, batch_rows).columns
        except pa.ArrowInvalid as error:
            raise ConnectError(
                f"{self.path} cannot be read: {error}",
                table=self.path.name,
                cause=f"a delimiter other than {self.delimiter!r}, or a stray quote",
                hint="set delimiter for this table in the mapping, or correct the file",
            ) from error

    @property
    def _codec(self) -> str:
        return "utf-8-sig" if self.encoding.lower() in ("utf-8", "utf8") else self.encoding
