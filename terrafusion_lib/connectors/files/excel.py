"""Sheets of Excel and OpenDocument workbooks as batches of text columns."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.connectors.files import account as accounts
from terrafusion_lib.connectors.files.account import FileAccount
from terrafusion_lib.connectors.files.not_rows import NotRows, one_name
from terrafusion_lib.connectors.files.options import TableOptions, listed
from terrafusion_lib.connectors.protocol import SourceColumn
from terrafusion_lib.core.config import did_you_mean
from terrafusion_lib.core.errors import ConnectError
from terrafusion_lib.core.raw import RawType

Row = list[Any]


class ExcelFile:
    """One sheet; its first row that is not empty is the header, unless the options say another.

    Cells become text as displayed: whole numbers have no decimal point, dates are ISO 8601.
    Leading zeros survive only in cells formatted as text.
    """

    def __init__(
        self, path: Path, options: TableOptions, *, sheet: str = "", key: Sequence[str] = ()
    ) -> None:
        self.path = path
        self.account = FileAccount()
        self.name = f"{path.name}#{sheet}" if sheet else path.name
        self._options = options
        self._sheet_name = sheet
        self._key = {one_name(item).casefold() for item in key}
        self._rows: list[Row] | None = None

    def columns(self) -> list[SourceColumn]:
        """Header names in order; a sheet without rows is an error."""
        header, _ = self._places()
        rows = self._read()
        if self._options.header:
            count = max(map(len, rows), default=0)
            names = listed(self._options.names) or [f"column_{n + 1}" for n in range(count)]
        elif header >= len(rows):
            raise ConnectError(f"{self.path} has an empty sheet", table=self.name)
        else:
            names = [one_name(_text(cell) or "") for cell in rows[header]]
        return [SourceColumn(name, "cell", nullable=True) for name in names]

    def first_records(self, count: int) -> Iterator[tuple[int, list[str]]]:
        """Number and cells of each of the first `count` rows."""
        for number, row in enumerate(self._read()[:count], 1):
            yield number, [_text(cell) or "" for cell in row]

    def row_count(self) -> int:
        return max(len(self._read()) - self._places()[1], 0)

    def batches(
        self,
        names: Sequence[str],
        batch_rows: int,
        kinds: Sequence[RawType] = (),  # noqa: ARG002 - types are those of the file
    ) -> Iterator[list[pa.Array]]:
        """The named columns as text; empty rows, repeated headers and totals are counted."""
        header = [column.name for column in self.columns()]
        rows, (_, first) = self._read(), self._places()
        self.account = FileAccount(lines=len(rows))
        named = 0 if self._options.header else 1
        self.account.not_records[accounts.HEADER] = named
        self.account.not_records[accounts.SKIPPED] = min(first, len(rows)) - named
        positions = [_first_used(header), *(header.index(name) for name in names)]
        not_rows = NotRows(
            [header[position] for position in positions],
            [at + 1 for at, name in enumerate(names) if name.casefold() in self._key] or [0],
            headers=not self._options.repeated_headers,
            totals=not self._options.total_lines,
        )
        for start in range(first, len(rows), batch_rows):
            cells = rows[start : start + batch_rows]
            filled = [row for row in cells if any(cell not in ("", None) for cell in row)]
            self.account.records += len(filled)
            self.account.not_records[accounts.BLANK] += len(cells) - len(filled)
            columns = [self._column(filled, position) for position in positions]
            columns, left_out = not_rows.without(columns)
            self.account.left_out.update(left_out)
            yield columns[1:]

    def _column(self, rows: list[Row], position: int) -> pa.Array:
        texts = [_text(row[position]) if position < len(row) else None for row in rows]
        column = pa.array(texts, pa.string())
        if not self._options.nulls:
            return column
        return pc.if_else(pc.is_in(column, pa.array(self._options.nulls)), None, column)

    def _places(self) -> tuple[int, int]:
        """Where the header and the first record stand, from 0."""
        rows = self._read()
        used = (at for at, row in enumerate(rows) if any(cell not in ("", None) for cell in row))
        header = self._options.header_row - 1 if self._options.header_row else next(used, len(rows))
        if self._options.header:
            return -1, self._options.skip_lines
        return header, header + 1 + self._options.skip_lines

    def _read(self) -> list[Row]:
        if self._rows is None:
            book = _workbook(self.path)
            names = list(book.sheet_names)
            wanted = self._sheet_name or names[0]
            if wanted not in names:
                raise ConnectError(
                    f"{self.path} has no sheet {wanted!r}",
                    table=self.name,
                    examples=names,
                    hint=did_you_mean(wanted, names),
                )
            self._rows = book.get_sheet_by_name(wanted).to_python(skip_empty_area=False)
        return self._rows


def sheets(path: Path) -> list[str]:
    """Names of a workbook's sheets, in its order.

    Raises
    ------
    ConnectError
        The file cannot be read.
    """
    return list(_workbook(path).sheet_names)


def _workbook(path: Path) -> Any:
    import python_calamine

    try:
        return python_calamine.CalamineWorkbook.from_path(str(path))
    except (python_calamine.CalamineError, OSError) as error:
        raise ConnectError(
            f"{path} is not a readable workbook: {error}",
            table=path.name,
            cause="a password, a damaged file, or a different format from the file extension",
        ) from error


def _first_used(header: Sequence[str]) -> int:
    """Position of the first column that has a name."""
    return next((at for at, name in enumerate(header) if name), 0)


def _text(cell: object) -> str | None:
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    return cell.isoformat() if isinstance(cell, date) else str(cell)
