"""Every line of a text file is accounted for: quotes, line breaks, repeated headers, totals."""

import gzip
from pathlib import Path

import pytest

from terrafusion_lib.connectors.files.records import BadRecordError, Rules, whole_records
from terrafusion_lib.core.errors import ConnectError
from tests.support.file_tables import read, source, table

COLUMNS = {"id": "text", "legal": "text", "class": "text"}


def lots(count: int, **odd: str) -> str:
    """A file of that many lots; `odd` replaces the line of one (``l5=…``)."""
    lines = [odd.get(f"l{n}", f"{n},LOT {n},R") for n in range(1, count + 1)]
    return "\n".join(["id,legal,class", *lines, ""])


@pytest.mark.parametrize(
    ("odd", "line"),
    [
        ({"l5": '5,"LOT 5,R', "l9": '9,"LOT 9,R'}, 10),  # the second mark is followed by text
        ({"l5": '5,"LOT 5,R', "l9": '9,LOT 9",R'}, 6),  # four records, or one value
        ({"l5": '5,"LOT 5,R'}, 6),  # never closed
        ({"l5": '5,"LOT 5" NORTH,R'}, 6),
        ({"l5": "5,LOT 5"}, 6),
        ({"l5": "5,LOT 5,R,more"}, 6),
        ({"l5": "5,LOT\r5,R"}, 6),
        ({"l5": "5,LOT\x005,R"}, 6),
        ({"l5": "5,LOT\x1a5,R"}, 6),
    ],
)
def test_what_is_not_in_the_format_is_refused_by_line_without_its_content(
    tmp_path: Path, odd: dict[str, str], line: int
) -> None:
    (tmp_path / "x.csv").write_bytes(lots(400, **odd).encode())
    with pytest.raises(ConnectError) as caught:
        read(tmp_path, table("x.csv", **COLUMNS))
    assert f"line {line}:" in caught.value.what
    assert caught.value.hint
    assert "LOT" not in str(caught.value)


def test_marks_that_are_text_lose_no_row(tmp_path: Path) -> None:
    odd = {"l5": '5,"LOT 5,R', "l9": '9,LOT 9",R', "l12": '12,6" PIPE,R'}
    (tmp_path / "x.csv").write_text(lots(400, **odd))
    rows, account = read(tmp_path, table("x.csv", {"quote": "none"}, **COLUMNS))
    assert len(rows) == 400
    assert rows[4] == {"id": "5", "legal": '"LOT 5', "class": "R"}
    assert (account.lines, account.records) == (401, 400)
    assert account.not_records == {"header": 1}


def test_a_mark_inside_an_unquoted_value_is_text(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(lots(9, l5='5,6" PIPE,"A ""B"", C"'))
    rows, _ = read(tmp_path, table("x.csv", **COLUMNS))
    assert rows[4] == {"id": "5", "legal": '6" PIPE', "class": 'A "B", C'}


def test_escaped_marks_and_line_ends(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(lots(9, l5=r'5,"a \"b\", c",R', l6="6,LOT\\\n6,R"))
    rows, account = read(tmp_path, table("x.csv", {"escape": "\\"}, **COLUMNS))
    assert (rows[4]["legal"], rows[5]["legal"]) == ('a "b", c', "LOT\n6")
    assert (len(rows), account.lines) == (9, 10)


@pytest.mark.parametrize(
    ("value", "line_breaks", "fits"),
    [
        ("LOT 5\nBLOCK 2", "", True),
        ("LOT 5\nBLOCK 2", "yes", True),
        ("LOT 5\nBLOCK 2", "no", False),
        ("LOT 5,x\ny,BLOCK 2", "", False),  # two records of three fields as well
        ("LOT 5,x\ny,BLOCK 2", "yes", True),
        ("LOT 5,x\n\nBLOCK 2", "", True),
    ],
)
def test_line_breaks_inside_values(
    tmp_path: Path, value: str, line_breaks: str, fits: bool
) -> None:
    (tmp_path / "x.csv").write_text(lots(9, l5=f'5,"{value}",R'))
    wanted = table("x.csv", {"line_breaks": line_breaks}, **COLUMNS)
    if not fits:
        with pytest.raises(ConnectError, match="line 6:"):
            read(tmp_path, wanted)
        return
    rows, account = read(tmp_path, wanted)
    assert (len(rows), rows[4]["legal"]) == (9, value)
    assert account.not_records["line breaks inside values"] == value.count("\n")


def test_repeated_headers_totals_and_blank_lines_are_no_properties(tmp_path: Path) -> None:
    text = (
        "id,legal,class\n1,LOT 1,R\n\nID , legal,class\n2,TOTAL,R\n,Grand Total:,\nTotal,,800\n"
        "---,-----,---\n3,LOT 3,R\nTotal records: 3\n\n"
    )
    (tmp_path / "x.csv").write_text(text)
    rows, account = read(tmp_path, table("x.csv", **COLUMNS))
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    assert account.lines == 11
    assert account.not_records == {"header": 1, "blank lines": 2}
    assert account.left_out == {"repeated header": 1, "total or ruled line": 4}
    kept = {"repeated_headers": "keep", "total_lines": "keep"}
    (tmp_path / "x.csv").write_text(text.replace("Total records: 3\n", ""))
    assert len(read(tmp_path, table("x.csv", kept, **COLUMNS))[0]) == 7


def test_the_key_says_which_lines_are_totals(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("owner,id\nTotal,1\nTotal,\nSmith,\n")
    wanted = table("x.csv", owner="text", id="text").model_copy(update={"key": ("ID",)})
    rows, account = read(tmp_path, wanted)
    assert rows == [{"owner": "Total", "id": "1"}, {"owner": "Smith", "id": None}]
    assert account.left_out == {"total or ruled line": 1}


def test_a_total_that_is_left_out_spoils_no_column(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,price\n1,5\nid,price\nTotal,5\n")
    rows, _ = read(tmp_path, table("x.csv", id="integer", price="number"))
    assert rows == [{"id": 1, "price": 5.0}]


def test_rows_that_the_mapping_does_not_keep_are_in_the_account(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,yr\n1,2025\n2,2026\n3,2026\n")
    wanted = table("x.csv", id="text", yr="integer")
    years = [{"kind": "years", "column": "yr"}]
    rows, account = read(
        tmp_path, type(wanted).model_validate(wanted.model_dump() | {"filters": years})
    )
    assert (len(rows), account.records) == (2, 3)
    assert account.left_out == {"not kept: years yr": 1}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_blank_lines_and_a_dos_end_of_file(tmp_path: Path, end: str) -> None:
    text = end.join(["id,legal,class", "1,a,R", "", "2,b,R", "", ""])
    (tmp_path / "x.csv").write_bytes(text.encode() + b"\x1a")
    rows, account = read(tmp_path, table("x.csv", **COLUMNS))
    assert [row["id"] for row in rows] == ["1", "2"]
    assert (account.lines, account.not_records) == (5, {"header": 1, "blank lines": 2})


def test_an_empty_line_of_a_file_of_one_column_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id\n1\n\n3\n")
    assert [row["id"] for row in read(tmp_path, table("x.csv", id="text"))[0]] == ["1", None, "3"]


def test_blocks_end_where_records_end() -> None:
    rules = Rules(b",", b'"', b"", 2)
    text = b'1,a\n2,"b\nc"\n3,"d\n'
    span = whole_records(text, rules, final=False)
    assert text[: span.size] == b'1,a\n2,"b\nc"\n'
    assert (span.lines, span.breaks, span.records) == (3, 1, 2)
    with pytest.raises(BadRecordError) as caught:
        whole_records(text, rules, final=True)
    assert caught.value.offset == text.rindex(b'"')


def test_a_file_of_many_blocks_loses_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from terrafusion_lib.connectors.files import encodings

    monkeypatch.setattr(encodings, "CHUNK", 100)
    odd = {f"l{n}": f'{n},"LOT ""{n}""\nñ",R' for n in range(0, 500, 3)}
    (tmp_path / "x.csv").write_text(lots(500, **odd), encoding="utf-8")
    rows, account = read(tmp_path, table("x.csv", **COLUMNS))
    assert [row["id"] for row in rows] == [str(n) for n in range(1, 501)]
    assert rows[2]["legal"] == 'LOT "3"\nñ'
    assert account.lines == 501 + len(odd) - 1


def test_a_compressed_file_that_was_cut_short(tmp_path: Path) -> None:
    whole = gzip.compress(lots(500).encode())
    (tmp_path / "x.csv.gz").write_bytes(whole)
    assert len(read(tmp_path, table("x.csv.gz", **COLUMNS))[0]) == 500
    (tmp_path / "x.csv.gz").write_bytes(whole[:-20])
    with pytest.raises(ConnectError, match="cannot be decompressed"):
        read(tmp_path, table("x.csv.gz", **COLUMNS))


def test_a_check_looks_at_rows_and_says_what_it_found(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,price\n1,5\nTotal,5\n2,n/a\n")
    told = source(tmp_path).look(table("x.csv", id="text", price="number"))
    assert told.startswith("2 rows of 4 lines (1 header, 1 total or ruled line)")
    assert told.endswith("price (number)")
    (tmp_path / "x.csv").write_text('id,price\n1,"5\n')
    with pytest.raises(ConnectError, match="line 2"):
        source(tmp_path).look(table("x.csv", id="text", price="number"))


def test_a_check_samples_a_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from terrafusion_lib.connectors import file_connector

    monkeypatch.setattr(file_connector, "LOOK_WHOLE", 100)
    (tmp_path / "x.csv").write_text(lots(400))
    assert source(tmp_path).look(table("x.csv", **COLUMNS)).startswith("the first 400 rows")
