"""One reading of a table: its files, as batches of the types that the mapping declares."""

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from functools import cached_property

import pyarrow as pa

from terrafusion_lib.connectors.files.account import FileAccount
from terrafusion_lib.connectors.files.file_tables import as_kind, find_unique, keep, typed
from terrafusion_lib.connectors.files.header_there import explained
from terrafusion_lib.connectors.files.not_rows import one_name
from terrafusion_lib.connectors.files.options import TableOptions
from terrafusion_lib.connectors.files.parts import FileReader
from terrafusion_lib.connectors.files.spool import Spool
from terrafusion_lib.connectors.protocol import ARROW_TYPES, raw_schema
from terrafusion_lib.core.errors import ConnectError
from terrafusion_lib.core.raw import RawType, ReadAccount, SourceTable
from terrafusion_lib.core.read_ahead import map_ahead

THREADS = 2
AHEAD = 2


class Reading:
    """The rows of one table from its files, and the account of them.

    Parameters
    ----------
    files : list of FileReader
        In the order in which their rows come.
    """

    def __init__(self, table: SourceTable, options: TableOptions, files: list[FileReader]) -> None:
        self.table = table
        self.files = files
        self._options = options
        self.kinds = list(table.columns.values())
        """Type of each column, text for one that cannot be read as declared; final at the end."""

    @cached_property
    def names(self) -> list[list[str | None]]:
        """Each file's own names of the wanted columns; None for one that it may lack.

        Raises
        ------
        ConnectError
            A file lacks columns, or has one more than once; the header that is there is shown.
        """
        headers = [file.columns() for file in self.files]
        folded = [{column.name.casefold() for column in header} for header in headers]
        everywhere = set().union(*folded) if self._options.missing_columns == "null" else set()
        named: list[list[str | None]] = []
        for file, header, here in zip(self.files, headers, folded, strict=True):
            held = {
                name: kind
                for name, kind in self.table.columns.items()
                if one_name(name).casefold() not in everywhere - here
            }
            try:
                wanted = self.table.model_copy(update={"columns": held})
                positions = dict(
                    zip(held, find_unique(wanted, header, file=file.name), strict=True)
                )
            except ConnectError as error:
                raise explained(error, file, [c.name for c in header], held) from error
            named.append([positions.get(name) for name in self.table.columns])
        return named

    def batches(
        self, years: Sequence[int], batch_rows: int
    ) -> Generator[pa.RecordBatch, None, ReadAccount]:
        """The rows that the table's filters keep.

        Returns
        -------
        generator of RecordBatch
            Its return value is the account of the reading.

        Raises
        ------
        ConnectError
            A file is not in its declared format, or lines, records and rows do not add up.
        """
        rows, filtered = 0, Counter[str]()
        with Spool(raw_schema(self.table)) as spool:
            for batch in self._once_or_twice(spool, batch_rows):
                kept = batch
                for item in self.table.filters:
                    before = kept.num_rows
                    kept = kept.filter(keep(kept, item, years, self.table))
                    filtered[f"not kept: {item.kind} {item.column}"] += before - kept.num_rows
                rows += kept.num_rows
                yield kept
        return self._account(filtered, rows)

    def typed(self, batch_rows: int) -> Generator[list[pa.Array]]:
        """All columns, each batch as declared or else as text; `kinds` follows."""

        def read(arrays: list[pa.Array]) -> list[pa.Array]:
            kinds = self.table.columns.values()
            return [typed(a, kind, self._options) for a, kind in zip(arrays, kinds, strict=True)]

        arrays = self._arrays(batch_rows, self.kinds)
        for columns in map_ahead(read, arrays, threads=THREADS, ahead=AHEAD):
            self.kinds = [
                kind if column.type == ARROW_TYPES[kind] else RawType.TEXT
                for kind, column in zip(self.kinds, columns, strict=True)
            ]
            yield columns

    def _once_or_twice(self, spool: Spool, batch_rows: int) -> Iterator[pa.RecordBatch]:
        """All rows with one type for each column.

        The batches wait until the last one is read. When a column turns out to be text, the files
        are read a second time, as what was converted has lost how it was written.
        """
        declared = list(self.table.columns.values())
        for columns in self.typed(batch_rows):
            if self.kinds == declared:
                spool.add(pa.RecordBatch.from_arrays(columns, schema=raw_schema(self.table)))
        if self.kinds == declared:
            yield from spool.batches()
            return
        types = (ARROW_TYPES[kind] for kind in self.kinds)
        schema = pa.schema(zip(self.table.columns, types, strict=True))
        for columns in self._arrays(batch_rows, []):
            read = [
                as_kind(column, kind, self._options)
                for column, kind in zip(columns, self.kinds, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(read, schema=schema)

    def _arrays(self, batch_rows: int, kinds: Sequence[RawType]) -> Iterator[list[pa.Array]]:
        """The wanted columns as the files have them; null where a file lacks one."""
        for file, names in zip(self.files, self.names, strict=True):
            present = [name for name in names if name is not None]
            wanted_kinds = [kind for kind, name in zip(kinds, names, strict=bool(kinds)) if name]
            for arrays in file.batches(present, batch_rows, wanted_kinds):
                by_name = dict(zip(present, arrays, strict=True))
                nulls = pa.nulls(len(arrays[0]) if arrays else 0, pa.string())
                yield [nulls if name is None else by_name[name] for name in names]

    def _account(self, filtered: Counter[str], rows: int) -> ReadAccount:
        whole = FileAccount(left_out=filtered)
        for file in self.files:
            whole.add(file.account)
        return whole.closed(rows, table=self.table.table)
