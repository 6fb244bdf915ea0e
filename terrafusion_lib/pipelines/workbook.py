"""Tables as Excel workbooks: every value keeps its type, so no id becomes a number or a date."""

import math
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

LONGEST_TEXT = 32_767
"""Characters that a cell holds."""
MOST_ROWS = 1_048_575
"""Rows of a sheet below its header; more go on to another sheet."""
BATCH_ROWS = 10_000
TEXT_FORMAT, DATE_FORMAT = "@", "yyyy-mm-dd"

Write = Callable[[int, int, Any], Any]


def write_workbook(table: pa.Table, path: Path, *, name: str, made: date) -> int:
    """Write a table as a workbook with types; the same table gives the same bytes.

    Text is text, whatever it begins with: ``=SUM(A1)`` is no formula and ``00000E10`` no number.
    Numbers that are not finite are empty cells.

    Parameters
    ----------
    name : str
        Name of the sheet.
    made : date
        Date of making that the file names.

    Returns
    -------
    int
        Texts that were cut to `LONGEST_TEXT` characters.
    """
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        book.set_properties({"created": datetime(made.year, made.month, made.day)})
        texts = book.add_format({"num_format": TEXT_FORMAT})
        dates = book.add_format({"num_format": DATE_FORMAT})
        heads = book.add_format({"bold": True})
        cut = 0
        for number, start in enumerate(range(0, max(table.num_rows, 1), MOST_ROWS), start=1):
            sheet = book.add_worksheet(name if number == 1 else f"{name} {number}")
            sheet.freeze_panes(1, 0)
            for place, column in enumerate(table.column_names):
                sheet.write_string(0, place, column, heads)
            part = table.slice(start, MOST_ROWS)
            writers = [_writer(sheet, field.type, texts, dates) for field in table.schema]
            cut += _write_rows(part, writers)
    return cut


def _write_rows(table: pa.Table, writers: list[Write]) -> int:
    """Write rows below the header; returns how many texts were cut."""
    row = cut = 0
    for batch in table.to_batches(max_chunksize=BATCH_ROWS):
        columns = [column.to_pylist() for column in batch.columns]
        for values in zip(*columns, strict=True):
            row += 1
            for place, value in enumerate(values):
                if value is not None:
                    cut += writers[place](row, place, value)
    return cut


def _writer(sheet: Any, kind: pa.DataType, texts: Any, dates: Any) -> Write:
    """How values of a type go into a cell; the function returns whether it cut a text."""

    def number(row: int, place: int, value: Any) -> bool:
        if math.isfinite(value):
            sheet.write_number(row, place, value)
        return False

    def boolean(row: int, place: int, value: Any) -> bool:
        sheet.write_boolean(row, place, value)
        return False

    def day(row: int, place: int, value: Any) -> bool:
        sheet.write_datetime(row, place, value, dates)
        return False

    def text(row: int, place: int, value: Any) -> bool:
        whole = str(value)
        sheet.write_string(row, place, whole[:LONGEST_TEXT], texts)
        return len(whole) > LONGEST_TEXT

    if pa.types.is_boolean(kind):
        return boolean
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return number
    return day if pa.types.is_date(kind) else text
