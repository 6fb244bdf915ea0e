"""Sheets of Excel and OpenDocument workbooks as batches of text columns."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from terrafusion_lib.connectors.protocol import SourceColumn
from terrafusion_lib.core.config import did_you_mean
from terrafusion_lib.core.errors import ConnectError


class ExcelFile:
    """One sheet whose first row is the header.

    Cells become text as displayed: whole numbers have no decimal point, dates are ISO 8601.
    Leading zeros survive only in cells formatted as text.
    """

    def __init__(self, path: Path, *, sheet: str = "") -> None:
        self.path = path
        self._sheet_name = sheet
        self._rows: list[list[Any]] | None = None

    def sheets(self) -> list[str]:
        return list(self._workbook().sheet_names)

    def columns(self) -> list[SourceColumn]:
        """Header names in order; a sheet without rows is an error."""
        rows = self._read()
        if not rows:
            raise ConnectError(f"{self.path} has an empty sheet", table=self._label)
        return [SourceColumn(_text(cell) or "", "cell", nullable=True) for cell in rows[0]]

    def row_count(self) -> int:
        return max(len(self._read()) - 1, 0)

    def batches(self, names: Sequence[str], batch_rows: int) -> Iterator[list[pa.Array]]:
        """The named columns as text."""
        rows = self._read()
        header = [column.name for column in self.columns()]
        positions = [header.index(name) for name in names]
        for start in range(1, len(rows), batch_rows):
            cells = list(zip(*rows[start : start + batch_rows], strict=True))
            yield [pa.array(map(_text, cells[position]), pa.string()) for position in positions]

    @property
    def _label(self) -> str:
        return f"{self.path.name}#{self._sheet_name}" if self._sheet_name else self.path.name

    def _workbook(self) -> Any:
        import python_calamine

        try:
            return python_calamine.CalamineWorkbook.from_path(str(self.path))
        except (python_calamine.CalamineError, OSError) as error:
            raise ConnectError(
                f"{self.path} is not a readable workbook: {error}",
                table=self.path.name,
                cause="a password, a damaged file, or a different format from the file extension",
            ) from error

    def _read(self) -> list[list[Any]]:
        if self._rows is None:
            book = self._workbook()
            names = list(book.sheet_names)
            wanted = self._sheet_name or names[0]
            if wanted not in names:
                raise ConnectError(
                    f"{self.path} has no sheet {wanted!r}",
                    table=self._label,
                    examples=names,
                    hint=did_you_mean(wanted, names),
                )
            self._rows = book.get_sheet_by_name(wanted).to_python(skip_empty_area=True)
        return self._rows


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
