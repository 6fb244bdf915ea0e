"""Files as counties keep them: headers elsewhere or nowhere, fixed width, many files, archives."""

import bz2
import gzip
import lzma
import zipfile
from datetime import date
from pathlib import Path

import geopandas
import pytest
import shapely
from openpyxl import Workbook

from terrafusion_lib.core.errors import ConfigError, ConnectError
from tests.support.file_tables import read, source, table
from tests.support.refused import refused

LAYOUT = "Field Name,Start,Length,Type\nid,1,5,char\nowner,6,8,char\nsold,14,10,date\n"
LINES = '00001Smith   2026-01-31\n00002Muñoz             \n   30"Lot  2\n'


def test_a_header_below_title_lines_and_a_ruled_line(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("County of X\nSales, 2026\nid,price\n---,---\n7,5\n")
    rows, account = read(
        tmp_path, table("x.csv", {"header_row": 3, "skip_lines": 1}, id="text", price="number")
    )
    assert rows == [{"id": "7", "price": 5.0}]
    assert account.lines == 5
    assert account.not_records == {"skipped lines": 3, "header": 1}


def test_a_file_without_header(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_text('1|"A|B"\n2|C\n')
    named = {"header": "none", "names": ["id", "name"], "delimiter": "|"}
    rows, account = read(tmp_path, table("x.txt", named, id="integer", name="text"))
    assert rows == [{"id": 1, "name": "A|B"}, {"id": 2, "name": "C"}]
    assert (account.lines, account.records, account.not_records) == (2, 2, {})
    unnamed = {"header": "none", "delimiter": "|"}
    assert read(tmp_path, table("x.txt", unnamed, column_2="text"))[0][1] == {"column_2": "C"}
    with pytest.raises(ConnectError, match="2 fields, but the options name 3"):
        read(tmp_path, table("x.txt", named | {"names": "a|b|c"}, a="text"))


@pytest.mark.parametrize("options", [{"names": "a"}, {"header": "none", "header_row": 2}])
def test_options_that_contradict_each_other(tmp_path: Path, options: dict[str, object]) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n")
    with pytest.raises(ConfigError, match="options of source table t"):
        read(tmp_path, table("x.csv", options, a="text"))


def test_names_with_blanks_and_line_breaks(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text('id,"Sale\r\nPrice",  Deed   type \n1,5,WD\n', newline="")
    rows, account = read(
        tmp_path, table("x.csv", **{"ID": "text", "sale price": "number", "Deed type": "text"})
    )
    assert rows == [{"ID": "1", "sale price": 5.0, "Deed type": "WD"}]
    assert (account.lines, account.not_records) == (3, {"header": 2})


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_fixed_width_by_characters(tmp_path: Path, end: str, encoding: str) -> None:
    (tmp_path / "layout.csv").write_text(LAYOUT)
    padded = [line.ljust(23) for line in LINES.splitlines()]
    (tmp_path / "prop.txt").write_bytes((end.join(padded) + end + "\x1a").encode(encoding))
    options = {"layout": "layout.csv", "encoding": encoding}
    wanted = table("prop.txt", options, owner="text", ID="text", sold="date")
    rows, account = read(tmp_path, wanted)
    assert rows == [
        {"owner": "Smith", "ID": "00001", "sold": date(2026, 1, 31)},
        {"owner": "Muñoz", "ID": "00002", "sold": None},
        {"owner": '"Lot  2', "ID": "30", "sold": None},
    ]
    assert (account.lines, account.records) == (3, 3)


def test_short_lines_are_refused_unless_blanks_may_be_missing(tmp_path: Path) -> None:
    (tmp_path / "layout.csv").write_text("name,start,end\nid,1,5\nowner,6,13\n")
    (tmp_path / "prop.dat").write_text("00001Smith   \n00002Wu\nTotal: 2\n")
    wanted = table("prop.dat", {"layout": "layout.csv"}, id="text", owner="text")
    with pytest.raises(ConnectError, match="line 2: 7 characters, but the first record has 13"):
        read(tmp_path, wanted)
    lenient = {"layout": "layout.csv", "short_lines": True}
    rows, account = read(tmp_path, table("prop.dat", lenient, id="text", owner="text"))
    assert rows[1] == {"id": "00002", "owner": "Wu"}
    assert account.left_out == {"total or ruled line": 1}


@pytest.mark.parametrize(
    "layout", ["", "name,start\nid,1\n", "name,start,length\nid,0,5\n", "name,start,end\nid,9,3\n"]
)
def test_a_layout_that_says_no_place(tmp_path: Path, layout: str) -> None:
    (tmp_path / "prop.dat").write_text("00001\n")
    if layout:
        (tmp_path / "layout.csv").write_text(layout)
    with pytest.raises(ConfigError, match=r"layout\.csv"):
        read(tmp_path, table("prop.dat", {"layout": "layout.csv"}, id="text"))
    with pytest.raises(ConfigError, match="needs a layout"):
        read(tmp_path, table("prop.dat", id="text"))


def test_many_files_are_one_table(tmp_path: Path) -> None:
    (tmp_path / "sales_2024.csv").write_text("id,price\n1,5\n")
    (tmp_path / "sales_2025.csv").write_text("PRICE,deed,id\n6,WD,2\n")
    for name in ("sales*.csv", ["sales_2024.csv", "sales_2025.csv"]):
        rows, account = read(tmp_path, table(name, id="text", price="number"))
        assert rows == [{"id": "1", "price": 5.0}, {"id": "2", "price": 6.0}]
        assert (account.lines, account.not_records) == (4, {"header": 2})
    with pytest.raises(ConnectError) as caught:
        read(tmp_path, table("sales*.csv", id="text", deed="text"))
    assert (caught.value.table, caught.value.column) == ("sales_2024.csv", "deed")
    lenient = {"missing_columns": "null"}
    rows, _ = read(tmp_path, table("sales*.csv", lenient, id="text", deed="text"))
    assert rows == [{"id": "1", "deed": None}, {"id": "2", "deed": "WD"}]
    with pytest.raises(ConnectError, match="dead"):
        read(tmp_path, table("sales*.csv", lenient, id="text", dead="text"))
    before = source(tmp_path).freshness(table("sales*.csv", id="text"))
    (tmp_path / "sales_2026.csv").write_text("id,price\n3,5\n")
    assert source(tmp_path).freshness(table("sales*.csv", id="text")) != before


def test_a_value_of_one_file_makes_the_column_text_in_all(tmp_path: Path) -> None:
    (tmp_path / "a1.csv").write_text("id,price\n1,05\n")
    (tmp_path / "a2.csv").write_text("id,price\n2,n/a\n")
    rows, _ = read(tmp_path, table("a*.csv", id="integer", price="number"))
    assert rows == [{"id": 1, "price": "05"}, {"id": 2, "price": "n/a"}]


def workbook(path: Path) -> None:
    book = Workbook()
    for year in (2024, 2025):
        sheet = book.create_sheet(str(year))
        sheet.append([f"Sales of {year}"])
        sheet.append([])
        sheet.append(["Parcel", "Sale\nPrice"])
        sheet.append([f"00{year}", year])
        sheet.append(["Parcel", "Sale Price"])
        sheet.append([])
        sheet.append(["Total", year])
    book.active.append(["Notes"])
    book.save(path)


def test_workbooks_with_title_lines_and_several_sheets(tmp_path: Path) -> None:
    workbook(tmp_path / "x.xlsx")
    columns = {"parcel": "text", "sale price": "number"}
    options = {"header_row": 3}
    for name, more in (
        ("x.xlsx#20*", {}),
        ("x.xlsx", {"sheet": "2024|2025"}),
        (["x.xlsx#2024", "x.xlsx#2025"], {}),
    ):
        rows, account = read(tmp_path, table(name, options | more, **columns))
        assert [row["parcel"] for row in rows] == ["002024", "002025"]
        assert account.lines == 14
        assert account.not_records == {"header": 2, "skipped lines": 4, "blank lines": 2}
        assert account.left_out == {"repeated header": 2, "total or ruled line": 2}
    with pytest.raises(ConnectError) as caught:
        read(tmp_path, table("x.xlsx#2024", **columns))
    assert "header_row: 3" in str(caught.value.hint)


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zip"])
def test_compressed_files(tmp_path: Path, suffix: str) -> None:
    text = b"id\tname\n1\tA\n"
    path = tmp_path / f"x.tsv{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("in/x.tsv", text)
    else:
        pack = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}[suffix]
        path.write_bytes(pack(text))
    rows, account = read(tmp_path, table(path.name, id="integer", name="text"))
    assert rows == [{"id": 1, "name": "A"}]
    assert account.lines == 2


def test_an_archive_of_several_files_needs_a_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.csv", "id\n1\n")
        archive.writestr("b.xlsx", "")
    assert source(tmp_path).tables() == ["x.zip", "x.zip#a.csv", "x.zip#b.xlsx"]
    assert read(tmp_path, table("x.zip#a.csv", id="text"))[0] == [{"id": "1"}]
    with refused(ConnectError, table="x.zip", examples=("a.csv", "b.xlsx"), next="x.zip#a.csv"):
        read(tmp_path, table("x.zip", id="text"))
    with pytest.raises(ConfigError, match="decompress"):
        read(tmp_path, table("x.zip#b.xlsx", id="text"))


def test_missing_columns_show_the_header_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("parcel,sale price\n1,2\n")
    with pytest.raises(ConnectError) as caught:
        source(tmp_path).verify(table("x.csv", id="text"))
    assert caught.value.cause == "its header is: parcel, sale price"


def test_a_row_that_stands_where_a_header_should_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("17,Muñoz,1 Main St\n")
    with pytest.raises(ConnectError) as caught:
        source(tmp_path).verify(table("x.csv", owner="text", situs="text"))
    assert "Muñoz" not in str(caught.value)
    assert "header: none" in str(caught.value.hint)


@pytest.fixture
def shapefile(tmp_path: Path) -> Path:
    frame = geopandas.GeoDataFrame(
        {"id": [1, 2], "owner": ["Smith", "Muñoz"]},
        geometry=[shapely.Point(0, 0), shapely.Point(1, 1)],
        crs="EPSG:4326",
    )
    frame.to_file(tmp_path / "x.shp", engine="pyogrio", encoding="cp1252")
    return tmp_path


def test_text_of_a_shapefile_is_decoded_as_the_file_or_the_mapping_says(shapefile: Path) -> None:
    columns = {"id": "integer", "owner": "text"}
    names = [row["owner"] for row in read(shapefile, table("x.shp", **columns))[0]]
    assert names == ["Smith", "Muñoz"]
    (shapefile / "x.cpg").unlink()
    declared = table("x.shp", {"encoding": "cp1252"}, **columns)
    rows, account = read(shapefile, declared)
    assert ([row["owner"] for row in rows], account.records) == (names, 2)
    (shapefile / "x.shp").unlink()
    declared = table("x.dbf", {"encoding": "cp1252"}, **columns)
    assert [row["owner"] for row in read(shapefile, declared)[0]] == names


@pytest.mark.parametrize("encoding", ["", "utf-8"])
def test_text_whose_encoding_nobody_says_is_refused_at_the_check(
    shapefile: Path, encoding: str
) -> None:
    (shapefile / "x.cpg").unlink()
    wanted = table("x.shp", {"encoding": encoding}, id="integer", owner="text")
    with pytest.raises(ConnectError) as caught:
        source(shapefile).verify(wanted)
    assert (caught.value.table, caught.value.column) == ("x.dbf", "owner")
    assert "oz" not in str(caught.value)


def test_a_wrong_code_page_file_is_named_by_column(shapefile: Path) -> None:
    (shapefile / "x.cpg").write_text("UTF-8")
    with pytest.raises(ConnectError) as caught:
        read(shapefile, table("x.shp", id="integer", owner="text"))
    assert caught.value.column == "owner"
    assert "Mu" not in str(caught.value)
