"""Any table, written in any file form, is read back equal, or is refused with file and line."""

import csv
import gzip
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import geopandas
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from terrafusion_lib.connectors.files.encodings import CHUNK
from terrafusion_lib.core.errors import ConnectError
from tests.support.file_tables import read, table

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "cp1252", "iso8859-1", "cp437")
COLUMNS = {"id": "text", "legal": "text", "price": "number", "sold": "date"}
KEEP = {"total_lines": "keep", "repeated_headers": "keep"}
KEPT_LETTERS = "0123456789aB \"'\\,;|\t\n\rñ€Ł=\ufeff"

Rows = list[dict[str, Any]]

texts = st.one_of(
    st.none(),
    st.text(st.sampled_from(KEPT_LETTERS), min_size=1, max_size=12),
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=6),
    st.sampled_from(
        ["007", "0", "1e5", "LOT 5\nBLOCK 2", '6" PIPE', '"', '""', "a,b\nc,d", "x\x1a"]
    ),
)
rows = st.lists(
    st.fixed_dictionaries(
        {
            "id": texts,
            "legal": texts,
            "price": st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
            "sold": st.one_of(st.none(), st.dates(date(1900, 1, 1), date(2100, 1, 1))),
        }
    ),
    min_size=1,
    max_size=8,
)


def held_to(encoding: str, given_rows: Rows) -> Rows:
    """The rows without the characters that an encoding lacks."""

    def fit(value: object) -> object:
        if not isinstance(value, str):
            return value
        return value.encode(encoding, "ignore").decode(encoding) or None

    return [{name: fit(value) for name, value in row.items()} for row in given_rows]


def equal_or_refused(folder: Path, wanted: Any, expected: Rows, *, strip: str = "") -> bool:
    """Whether the rows came back; what is refused names the file, and the line where there are."""
    try:
        found, _ = read(folder, wanted)
    except ConnectError as error:
        assert error.table
        assert "line" in error.what or "declared" in error.what or "encoding" in str(error.hint)
        return False

    def plain(table_rows: Rows) -> Rows:
        return [
            {
                k: (v.strip(strip) or None) if strip and isinstance(v, str) else v
                for k, v in r.items()
            }
            for r in table_rows
        ]

    assert plain(found) == plain(expected)
    return True


def texts_of(row: dict[str, Any], date_format: str) -> list[str]:
    """A row as a county's program writes it."""
    sold = row["sold"].strftime(date_format) if row["sold"] else ""
    price = "" if row["price"] is None else repr(row["price"])
    return [row["id"] or "", row["legal"] or "", price, sold]


@settings(max_examples=150, deadline=None)
@given(
    rows,
    st.sampled_from(ENCODINGS),
    st.sampled_from(",;|\t"),
    st.sampled_from(["minimal", "all", "escaped", "none"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["%Y-%m-%d", "%m/%d/%Y"]),
    st.booleans(),
)
def test_delimited_text(
    given_rows: Rows,
    encoding: str,
    delimiter: str,
    quoting: str,
    end: str,
    date_format: str,
    compressed: bool,
) -> None:
    expected = held_to(encoding, given_rows)
    style: dict[str, Any] = {
        "minimal": {"quoting": csv.QUOTE_MINIMAL},
        "all": {"quoting": csv.QUOTE_ALL},
        "escaped": {"quoting": csv.QUOTE_MINIMAL, "doublequote": False, "escapechar": "\\"},
        "none": {"quoting": csv.QUOTE_NONE, "escapechar": "\\", "quotechar": None},
    }[quoting]
    options = KEEP | {"encoding": encoding.removesuffix("-sig"), "delimiter": delimiter}
    if date_format != "%Y-%m-%d":
        options["date_format"] = date_format
    if "escapechar" in style:
        options["escape"] = "\\"
    if quoting == "none":
        options["quote"] = "none"
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "x.csv"
        with path.open("w", encoding=encoding, newline="") as file:
            writer = csv.writer(file, delimiter=delimiter, lineterminator=end, **style)
            writer.writerow(COLUMNS)
            writer.writerows(texts_of(row, date_format) for row in expected)
        if compressed:
            packed = path.with_suffix(".csv.gz")
            packed.write_bytes(gzip.compress(path.read_bytes()))
            path = packed
        equal_or_refused(Path(name), table(path.name, options, **COLUMNS), expected)


@settings(max_examples=80, deadline=None)
@given(rows, st.sampled_from(ENCODINGS), st.sampled_from(["\n", "\r\n"]))
def test_fixed_width_text(given_rows: Rows, encoding: str, end: str) -> None:
    expected = held_to(encoding, given_rows)
    lines = [texts_of(row, "%Y-%m-%d") for row in expected]
    widths = [max(1, *(len(line[at]) for line in lines)) for at in range(len(COLUMNS))]
    starts = [1 + sum(widths[:at]) for at in range(len(COLUMNS))]
    layout = [
        f"{name},{start},{width}"
        for name, start, width in zip(COLUMNS, starts, widths, strict=True)
    ]
    options = KEEP | {"encoding": encoding.removesuffix("-sig"), "layout": "layout.csv"}
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "layout.csv").write_text("\n".join(["name,start,length", *layout]))
        with (Path(name) / "x.txt").open("w", encoding=encoding, newline="") as file:
            for line in lines:
                padded = (text.ljust(width) for text, width in zip(line, widths, strict=True))
                file.write("".join(padded) + end)
        equal_or_refused(Path(name), table("x.txt", options, **COLUMNS), expected, strip=" ")


@settings(max_examples=40, deadline=None)
@given(rows)
def test_workbooks(given_rows: Rows) -> None:
    """Numbers as Excel keeps them: fifteen digits."""
    printable = [
        {
            name: "".join(c for c in value if c.isprintable() or c == "\n") or None
            if isinstance(value, str)
            else value
            for name, value in row.items()
        }
        for row in given_rows
    ]
    for row in printable:
        for name in ("id", "legal"):  # a cell of nothing but blanks is empty in a workbook
            row[name] = row[name] if row[name] and row[name].strip() else None
        price = row["price"] or 0.0
        row["price"] = float(f"{price:.15g}") if abs(price) < 1e15 else None
    book = Workbook()
    book.active.append(list(COLUMNS))
    for number, row in enumerate(printable, 2):
        for column, value in enumerate((row[name] for name in COLUMNS), 1):
            cell = book.active.cell(number, column, value)
            if isinstance(value, str):
                cell.data_type = "s"
    with tempfile.TemporaryDirectory() as name:
        book.save(Path(name) / "x.xlsx")
        expected = [row for row in printable if any(v is not None for v in row.values())]
        assert equal_or_refused(Path(name), table("x.xlsx", KEEP, **COLUMNS), expected)


@settings(max_examples=40, deadline=None)
@given(rows, st.sampled_from(["x.parquet", "x.gpkg", "x.geojson", "x.shp"]))
def test_parquet_and_shapes(given_rows: Rows, file: str) -> None:
    clean = [
        {k: v.replace("\0", "") or None if isinstance(v, str) else v for k, v in row.items()}
        for row in given_rows
    ]
    kinds = {"id": pa.string(), "legal": pa.string(), "price": pa.float64(), "sold": pa.date32()}
    columns = COLUMNS | {"price": "number"}
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / file
        if file == "x.parquet":
            pq.write_table(pa.Table.from_pylist(clean, pa.schema(kinds.items())), path)
        else:
            columns = {"id": "text", "legal": "text"}
            clean = [{"id": row["id"], "legal": row["legal"]} for row in clean]
            frame = geopandas.GeoDataFrame(
                pd.DataFrame(clean, dtype="object", columns=list(columns)).rename(
                    columns={"id": "parcel"}
                ),
                geometry=[shapely.Point(0, n) for n in range(len(clean))],
                crs="EPSG:4326",
            )
            columns = {"parcel": "text", "legal": "text"}
            clean = [{"parcel": row["id"], "legal": row["legal"]} for row in clean]
            frame.to_file(path, engine="pyogrio")
        strip = " " if file == "x.shp" else ""
        equal_or_refused(Path(name), table(file, **columns), clean, strip=strip)


def test_a_table_larger_than_a_block(tmp_path: Path) -> None:
    legal = 'LOT "7", BLOCK\nNORTH ' * 20
    count = CHUNK // len(legal) + 100
    with (tmp_path / "x.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "legal"])
        writer.writerows((f"{n:09d}", legal if n % 2 else f"ñ{n}") for n in range(2 * count))
    wanted = table("x.csv", {"line_breaks": "yes"}, id="text", legal="text")
    found, account = read(tmp_path, wanted)
    assert [row["id"] for row in found] == [f"{n:09d}" for n in range(2 * count)]
    assert {row["legal"] for row in found[1::2]} == {legal}
    assert account.lines == 1 + 2 * count + 20 * count
