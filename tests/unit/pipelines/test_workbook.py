"""Workbooks: a spreadsheet reads back what was written, of the same type."""

from datetime import date, datetime
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest

from terrafusion_lib.pipelines import workbook
from terrafusion_lib.pipelines.workbook import LONGEST_TEXT, write_workbook

MADE = date(2026, 1, 1)
IDS = [
    "00000E10",
    "3-1",
    "0012",
    "1E5",
    "=SUM(A1)",
    "+1",
    "-2",
    "@x",
    "{=1}",
    "http://a.b",
    "",
    "é",
]


def read(path: Path) -> list[list[openpyxl.cell.Cell]]:
    book = openpyxl.load_workbook(path)
    return [list(row) for sheet in book for row in sheet.iter_rows(min_row=2)]


def test_ids_and_texts_of_any_beginning_stay_text(tmp_path: Path) -> None:
    write_workbook(pa.table({"id": IDS}), tmp_path / "a.xlsx", name="values", made=MADE)
    cells = [row[0] for row in read(tmp_path / "a.xlsx")]
    assert [cell.value or "" for cell in cells] == IDS
    assert {cell.data_type for cell in cells if cell.value} <= {"s", "inlineStr"}
    assert {cell.number_format for cell in cells} == {"@"}
    assert not any(cell.hyperlink for cell in cells)


def test_every_type_comes_back(tmp_path: Path) -> None:
    table = pa.table(
        {
            "n": pa.array([1, None, 3], pa.int64()),
            "x": [0.5, float("nan"), float("inf")],
            "day": pa.array([date(2024, 1, 1), None, date(1950, 12, 31)]),
            "flag": [True, False, None],
        }
    )
    write_workbook(table, tmp_path / "a.xlsx", name="values", made=MADE)
    one, two, three = ([cell.value for cell in row] for row in read(tmp_path / "a.xlsx"))
    assert one == [1, 0.5, datetime(2024, 1, 1), True]
    assert two == [None, None, None, False]
    assert three == [3, None, datetime(1950, 12, 31), None]
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert [cell.value for cell in book["values"][1]] == ["n", "x", "day", "flag"]


def test_texts_beyond_a_cell_are_cut_and_counted(tmp_path: Path) -> None:
    table = pa.table({"t": ["x" * LONGEST_TEXT, "y" * (LONGEST_TEXT + 1)]})
    assert write_workbook(table, tmp_path / "a.xlsx", name="t", made=MADE) == 1
    assert [len(row[0].value) for row in read(tmp_path / "a.xlsx")] == [LONGEST_TEXT] * 2


def test_rows_beyond_a_sheet_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 2)
    write_workbook(pa.table({"n": range(5)}), tmp_path / "a.xlsx", name="n", made=MADE)
    assert openpyxl.load_workbook(tmp_path / "a.xlsx").sheetnames == ["n", "n 2", "n 3"]
    assert [row[0].value for row in read(tmp_path / "a.xlsx")] == list(range(5))


def test_no_rows_and_the_same_bytes(tmp_path: Path) -> None:
    empty = pa.table({"id": pa.array([], pa.string())})
    for name in ("a", "b"):
        write_workbook(empty, tmp_path / f"{name}.xlsx", name="values", made=MADE)
    assert read(tmp_path / "a.xlsx") == []
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
