"""CSV, TSV, Excel and Parquet files: types, encodings, dates, and what is wrong with a file."""

import os
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from terrafusion_lib.connectors.file_connector import FileConnector, FileOptions
from terrafusion_lib.core.errors import ConfigError, ConnectError
from terrafusion_lib.core.raw import SourceFilter, SourceTable
from tests.support.require import real_data


def source(path: Path) -> FileConnector:
    return FileConnector(FileOptions(path=str(path)), Path("/"))


def table(file: str, options: dict[str, str] | None = None, **columns: str) -> SourceTable:
    return SourceTable(name="t", source="files", table=file, columns=columns, options=options or {})


def read(folder: Path, wanted: SourceTable, years: tuple[int, ...] = (2026,)) -> pa.Table:
    return pa.Table.from_batches(source(folder).read(wanted, years))


def test_csv_types_leading_zeros_and_nulls(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text(
        'id,price,rooms,sold,at,pool\n007,"1200.5",3.0,2026-01-31,2026-01-31 10:11:12,true\n'
        "8,,, ,,\n",
        encoding="utf-8",
    )
    wanted = table(
        "sales.csv",
        id="text",
        price="number",
        rooms="integer",
        sold="date",
        at="timestamp",
        pool="boolean",
    )
    first, second = read(tmp_path, wanted).to_pylist()
    assert first == {
        "id": "007",
        "price": 1200.5,
        "rooms": 3,
        "sold": date(2026, 1, 31),
        "at": datetime(2026, 1, 31, 10, 11, 12),
        "pool": True,
    }
    assert second == {"id": "8"} | dict.fromkeys(["price", "rooms", "sold", "at", "pool"])


@pytest.mark.parametrize(
    ("kind", "bad"),
    [
        ("date", "0000-00-00"),
        ("date", "2026-02-30"),
        ("integer", "3.5"),
        ("integer", "0x1f"),
        ("number", "1,200"),
        ("number", "nan"),
        ("number", "n/a"),
        ("boolean", "perhaps"),
        ("timestamp", "31/01/2026"),
    ],
)
def test_a_column_with_one_bad_value_stays_text_in_every_batch(
    tmp_path: Path, kind: str, bad: str
) -> None:
    good = {"date": "2026-01-01", "boolean": "true", "timestamp": "2026-01-01 00:00:00"}
    lines = ["a;b", *(f"{good.get(kind, '1')};1" for _ in range(300)), f"{bad};2"]
    (tmp_path / "x.csv").write_text("\n".join(lines))
    wanted = table("x.csv", {"delimiter": ";"}, a=kind, b="integer")
    batches = list(source(tmp_path).read(wanted, [2026], batch_rows=100))
    assert len(batches) == 4
    assert {str(batch.schema.field("a").type) for batch in batches} == {"string"}
    assert {str(batch.schema.field("b").type) for batch in batches} == {"int64"}
    assert batches[-1].to_pylist() == [{"a": bad, "b": 2}]


def test_date_formats_are_tried_in_order_and_no_day_is_invented(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1/5/2024,02/28/2024\n2024-01-06,02/30/2024\n")
    wanted = table("x.csv", {"date_format": "%m/%d/%Y|%Y-%m-%d"}, a="date", b="date")
    rows = read(tmp_path, wanted)
    assert rows["a"].to_pylist() == [date(2024, 1, 5), date(2024, 1, 6)]
    assert rows["b"].to_pylist() == ["02/28/2024", "02/30/2024"]


def test_other_encodings_delimiters_and_null_words_are_declared(tmp_path: Path) -> None:
    (tmp_path / "owners.tsv").write_bytes("name\tvalue\nMuñoz\tNA\nÉtienne\t2\n".encode("cp1252"))
    wanted = table(
        "owners.tsv", {"encoding": "cp1252", "null_values": "NA|-"}, name="text", value="integer"
    )
    assert read(tmp_path, wanted).to_pylist() == [
        {"name": "Muñoz", "value": None},
        {"name": "Étienne", "value": 2},
    ]


def test_quoted_line_breaks_and_a_byte_order_mark(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b'\xef\xbb\xbfid,situs\r\n1,"123 Main St\r\nKennewick"\r\n')
    wanted = table("x.csv", id="integer", situs="text")
    assert read(tmp_path, wanted).to_pylist() == [{"id": 1, "situs": "123 Main St\r\nKennewick"}]


def test_utf_16_is_read_when_declared_and_guessed_when_not(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,name\n1,Łódź\n", encoding="utf-16")
    wanted = table("x.csv", {"encoding": "utf-16"}, id="integer", name="text")
    assert read(tmp_path, wanted).to_pylist() == [{"id": 1, "name": "Łódź"}]
    with pytest.raises(ConnectError, match="set encoding: utf-16"):
        read(tmp_path, table("x.csv", id="integer"))


def test_bytes_that_are_not_utf_8_are_named_by_line(tmp_path: Path) -> None:
    lines = [b"id,name", b"1,Smith", "2,Muñoz".encode("cp1252"), b"3,Jones"]
    (tmp_path / "x.csv").write_bytes(b"\n".join(lines))
    with pytest.raises(ConnectError, match=r"declared utf-8, but line 3 .*encoding: cp1252"):
        read(tmp_path, table("x.csv", id="integer", name="text"))


def test_a_character_cut_by_a_read_of_a_megabyte_is_no_mojibake(tmp_path: Path) -> None:
    text = "id,name\n" + "1,x\n" * 262_141 + "2,xñ\n" * 10
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    assert text.encode().index("ñ".encode()) < 1 << 20
    assert read(tmp_path, table("x.csv", name="text"))["name"].to_pylist()[-1] == "xñ"


def test_utf_8_declared_as_something_else_would_garble_names(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,name\n1,Muñoz\n", encoding="utf-8")
    with pytest.raises(ConnectError, match="is UTF-8: names would be garbled"):
        read(tmp_path, table("x.csv", {"encoding": "cp1252"}, name="text"))
    with pytest.raises(ConfigError, match="no encoding 'utf-88'"):
        read(tmp_path, table("x.csv", {"encoding": "utf-88"}, name="text"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty: it has no header line"),
        ("id,name\n1,a\n2\n", "Expected 2 columns, got 1"),
        ("id,name,name\n1,a,b\n", "repeats a column name .*column name.*2 affected"),
        ("id,names\n1,a\n", "name: did you mean names"),
    ],
)
def test_a_file_that_is_not_what_the_mapping_says(
    tmp_path: Path, content: str, message: str
) -> None:
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(ConnectError, match=message):
        read(tmp_path, table("x.csv", id="integer", name="text"))


def test_a_name_twice_does_no_harm_to_other_columns(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,name,name\n1,a,b\n")
    assert read(tmp_path, table("x.csv", id="integer")).to_pylist() == [{"id": 1}]


def test_a_header_without_rows_is_an_empty_table(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,name\n")
    assert sum(b.num_rows for b in source(tmp_path).read(table("x.csv", id="integer"), [])) == 0


def test_excel_sheets_by_name_and_ids_kept_as_text(tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "Notes"
    sheet = book.create_sheet("Sales")
    sheet.append(["Parcel", "Price", "Sold", "Valid", "Blank"])
    sheet.append(["00123", 250000, datetime(2026, 1, 31), True, None])
    sheet.append([45, 250000.75, datetime(2026, 2, 1), False, None])
    book.save(tmp_path / "book.xlsx")
    columns = {"parcel": "text", "price": "number", "sold": "date", "valid": "boolean"}
    rows = read(tmp_path, table("book.xlsx#Sales", **columns, blank="integer"))
    assert rows.to_pylist() == [
        {"parcel": "00123", "price": 250000.0, "sold": date(2026, 1, 31), "valid": True}
        | {"blank": None},
        {"parcel": "45", "price": 250000.75, "sold": date(2026, 2, 1), "valid": False}
        | {"blank": None},
    ]
    assert source(tmp_path).tables() == ["book.xlsx", "book.xlsx#Notes", "book.xlsx#Sales"]
    assert read(tmp_path, table("book.xlsx", {"sheet": "Sales"}, price="integer")).schema.types == [
        pa.string()
    ]
    with pytest.raises(ConnectError, match=r"no sheet 'Sale'.*did you mean Sales"):
        read(tmp_path, table("book.xlsx#Sale", parcel="text"))


def test_a_file_that_only_looks_like_a_workbook(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_text("<html>not found</html>")
    with pytest.raises(ConnectError, match="not a readable workbook"):
        read(tmp_path, table("x.xlsx", a="text"))


def test_geoparquet_gives_wkb_and_members_of_structs(tmp_path: Path) -> None:
    point = bytes.fromhex("0101000000000000000000f03f0000000000000040")
    rows = pa.table(
        {
            "Prop_ID": pa.array([7, None], pa.int32()),
            "geometry": pa.array([point, None], pa.large_binary()),
            "bbox": pa.array([{"xmin": 1.0, "ymin": 2.0}, None]),
            "legal_acres": pa.array(["0.25", "n/a"]),
        }
    )
    pq.write_table(rows, tmp_path / "parcels.parquet")
    wanted = table(
        "parcels.parquet",
        **{"prop_id": "integer", "geometry": "geometry", "bbox.xmin": "number"},
        legal_acres="number",
    )
    assert read(tmp_path, wanted).to_pylist() == [
        {"prop_id": 7, "geometry": point, "bbox.xmin": 1.0, "legal_acres": "0.25"},
        {"prop_id": None, "geometry": None, "bbox.xmin": None, "legal_acres": "n/a"},
    ]
    assert source(tmp_path).row_estimate(wanted, []) == 2


def test_files_are_filtered_after_reading_by_columns_that_are_read(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("yr,kind\n0,R\n2025,R\n2026,R\n2026,P\n")
    filters = (
        SourceFilter(kind="years", column="yr"),
        SourceFilter(kind="equals", column="kind", value="R"),
    )
    wanted = table("x.csv", yr="integer", kind="text").model_copy(update={"filters": filters})
    assert read(tmp_path, wanted, (0, 2026)).to_pylist() == [{"yr": 2026, "kind": "R"}]
    wrong = table("x.csv", kind="text").model_copy(update={"filters": filters})
    with pytest.raises(ConfigError, match="cannot be filtered by years"):
        read(tmp_path, wrong)


def test_one_file_as_source_and_a_name_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("id\n1\n")
    assert source(path).tables() == ["sales.csv"]
    assert read(path, table("sales.csv", id="integer")).num_rows == 1
    with pytest.raises(ConnectError, match=r"did you mean sales\.csv"):
        read(tmp_path, table("sale.csv", id="integer"))
    with pytest.raises(ConnectError, match="does not exist"):
        source(tmp_path / "nowhere").tables()
    assert source(tmp_path / "nowhere").check()[0].ok is False
    optional = table("gone.csv", id="integer").model_copy(update={"optional": True})
    assert list(source(tmp_path).read(optional, [])) == []


def test_an_unknown_table_option_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id\n1\n")
    with pytest.raises(ConfigError, match="unknown key delimeter; did you mean delimiter"):
        read(tmp_path, table("x.csv", {"delimeter": ";"}, id="integer"))


def test_the_freshness_changes_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id\n1\n")
    wanted = table("x.csv", id="integer")
    before = source(tmp_path).freshness(wanted)
    os.utime(tmp_path / "x.csv", (1, 1))
    assert source(tmp_path).freshness(wanted) != before


@pytest.mark.real_data
def test_the_king_county_sales_keep_their_parcel_numbers(tmp_path: Path) -> None:
    path = real_data("kc_house_data.csv")
    wanted = table(
        path.name,
        {"date_format": "%Y%m%dT%H%M%S"},
        id="text",
        date="date",
        price="number",
        bedrooms="integer",
        bathrooms="number",
        waterfront="boolean",
        lat="number",
    )
    rows = read(path.parent, wanted)
    assert rows.num_rows == 21_613
    assert rows["id"].to_pylist()[:2] == ["6762700020", "9808700762"]
    short = [text for text in rows["id"].to_pylist() if len(text) < 10]
    assert len(short) == 2_059  # the publisher dropped their leading zeros; nothing is added here
    assert [str(kind) for kind in rows.schema.types] == [
        "string",
        "date32[day]",
        "double",
        "int64",
        "double",
        "bool",
        "double",
    ]
    assert (min(rows["date"].to_pylist()), max(rows["date"].to_pylist())) == (
        date(2014, 5, 2),
        date(2015, 5, 27),
    )
    assert max(rows["bedrooms"].to_pylist()) == 33
