"""Reading PACS tables from a SQLite file: rows, types, and what is wrong with a file."""

import os
import sqlite3
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from terrafusion_lib.connectors.protocol import raw_schema
from terrafusion_lib.connectors.sql_server.options import SqlServerOptions
from terrafusion_lib.connectors.sql_server_connector import SqlServerConnector
from terrafusion_lib.core.errors import ConnectError
from terrafusion_lib.core.raw import RawType, SourceTable
from tests.support import tds_pacs as pacs


def connector(path: Path) -> SqlServerConnector:
    return SqlServerConnector(SqlServerOptions(url=f"sqlite:///{path}"), path.parent)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pacs.build(tmp_path_factory.mktemp("sqlite") / "pacs oltp #1.sqlite")


def read(path: Path, table: SourceTable, **options: int) -> pa.Table:
    batches = list(connector(path).read(table, pacs.YEARS, **options))
    return pa.Table.from_batches(batches, raw_schema(table))


def one_table(path: Path, create: str, *rows: tuple[object, ...]) -> Path:
    with sqlite3.connect(path) as connection:
        connection.execute(create)
        for row in rows:
            connection.execute(f"INSERT INTO t VALUES ({', '.join('?' * len(row))})", row)
    connection.close()
    return path


def table_t(**columns: str) -> SourceTable:
    return SourceTable(name="t", source="pacs", table="t", columns=columns)


def test_current_supplement_and_years_choose_the_rows(database: Path) -> None:
    rows = read(database, pacs.PROPERTY_VAL)
    assert rows.num_rows == pacs.ROWS
    assert set(rows["prop_val_yr"].to_pylist()) == set(pacs.YEARS)
    found = rows.filter(pa.compute.equal(rows["prop_id"], pacs.SUPERSEDED)).to_pylist()
    assert [row["sup_num"] for row in found] == [2]


def test_rows_come_in_the_order_of_the_key(database: Path) -> None:
    rows = read(database, pacs.PROPERTY_VAL)
    assert rows == rows.sort_by([(name, "ascending") for name in pacs.PROPERTY_VAL.key])


def test_types_are_those_of_the_mapping_though_the_first_rows_are_null(database: Path) -> None:
    rows = read(database, pacs.PROPERTY_VAL, batch_rows=100)
    assert rows.schema == raw_schema(pacs.PROPERTY_VAL)
    row = rows.filter(pa.compute.equal(rows["prop_id"], 1_001)).to_pylist()[0]
    assert row["sup_dt"] == date(2024, 1, 22)
    assert row["changed"] == datetime(2024, 2, 1, 1, 2, 3, 123456)
    assert row["appr_method"] == "C    "
    assert row["legal_acreage"] == 143.0
    assert row["flag"] is True
    assert row["owner"] == "Łódź ✓"


def test_batches_are_bounded(database: Path) -> None:
    batches = list(connector(database).read(pacs.PROPERTY_VAL, pacs.YEARS, batch_rows=250))
    assert max(batch.num_rows for batch in batches) <= 250
    assert sum(batch.num_rows for batch in batches) == pacs.ROWS


def test_padded_codes_compare_without_their_blanks_and_frozen_rows_stay_out(
    database: Path,
) -> None:
    assert read(database, pacs.LIVE_DETAIL).to_pylist() == [
        {"prop_id": 1, "imprv_det_area": 1500.5}
    ]


def test_a_null_filter_is_is_null(database: Path) -> None:
    assert read(database, pacs.ACTIVE).num_rows == pacs.ROWS + 1


def test_the_row_estimate_counts_with_the_filters(database: Path) -> None:
    assert connector(database).row_estimate(pacs.PROPERTY_VAL, pacs.YEARS) == pacs.ROWS
    assert connector(database).row_estimate(pacs.PROPERTY_VAL, [2025]) == pacs.ROWS // 2


@pytest.mark.parametrize(
    ("declared", "value", "kind", "found"),
    [
        ("int", "abc", "integer", "abc"),
        ("numeric(14)", "n/a", "number", "n/a"),
        ("int", 1.5, "integer", "1.5"),
        ("bit", "maybe", "boolean", "maybe"),
        ("datetime", "0000-00-00 00:00:00", "date", "0000-00-00"),
        ("datetime", "soon", "timestamp", "soon"),
    ],
)
def test_a_value_of_another_type_stops_the_read_and_is_shown(
    tmp_path: Path, declared: str, value: object, kind: str, found: str
) -> None:
    good = {"int": 1, "numeric(14)": 1, "bit": 1}.get(declared, "2026-01-01 00:00:00")
    path = one_table(tmp_path / "x.db", f"CREATE TABLE t (a {declared})", (good,), (value,))
    with pytest.raises(ConnectError, match=rf"cannot be read as {kind} .*column a") as caught:
        read(path, table_t(a=kind))
    assert found in str(caught.value)


@pytest.mark.parametrize(("kind", "bad"), [("integer", "abc"), ("integer", 1.5), ("number", "x")])
def test_a_wrong_value_after_the_first_batch_stops_the_read(
    tmp_path: Path, kind: str, bad: object
) -> None:
    rows = [(1,)] * 10 + [(bad,)]
    path = one_table(tmp_path / "x.db", "CREATE TABLE t (a numeric(14,2))", *rows)
    with pytest.raises(ConnectError, match=f"cannot be read as {kind} .*column a"):
        read(path, table_t(a=kind), batch_rows=4)


def test_a_column_whose_type_was_changed_is_refused_before_reading(tmp_path: Path) -> None:
    path = one_table(tmp_path / "x.db", "CREATE TABLE t (a varchar(10), b int)", ("1", 1))
    with pytest.raises(ConnectError, match=r"declared integer, at the source varchar\(10\)"):
        read(path, table_t(a="integer", b="integer"))


def test_numbers_read_as_text_keep_their_digits(tmp_path: Path) -> None:
    path = one_table(tmp_path / "x.db", "CREATE TABLE t (a bigint, b varchar(20))", (10**15, "01"))
    assert read(path, table_t(a="text", b="text")).to_pylist() == [
        {"a": "1000000000000000", "b": "01"}
    ]


def test_a_missing_column_is_named_with_the_nearest(database: Path) -> None:
    wrong = pacs.PROPERTY_VAL.model_copy(
        update={"columns": {"prop_idd": RawType.INTEGER, "market": RawType.NUMBER}}
    )
    with pytest.raises(ConnectError, match=r"lacks 1 of .*prop_idd: did you mean prop_id\?"):
        read(database, wrong)


def test_a_missing_table_is_named_with_the_nearest(database: Path) -> None:
    wrong = pacs.EMPTY.model_copy(update={"table": "dbo.bulding_permit"})
    with pytest.raises(ConnectError, match=r"no table bulding_permit.*mean building_permit\?"):
        read(database, wrong)


def test_a_missing_association_of_a_filter_is_named(tmp_path: Path) -> None:
    path = one_table(
        tmp_path / "x.db", "CREATE TABLE t (prop_val_yr int, sup_num int, prop_id int)"
    )
    wrong = table_t(prop_id="integer").model_copy(update={"filters": (pacs.CURRENT,)})
    with pytest.raises(ConnectError, match="no table prop_supp_assoc"):
        read(path, wrong)


def test_an_optional_table_may_be_absent(database: Path) -> None:
    optional = pacs.EMPTY.model_copy(update={"table": "dbo.gone", "optional": True})
    source = connector(database)
    assert list(source.read(optional, pacs.YEARS)) == []
    assert source.freshness(optional) == "absent"
    assert source.row_estimate(optional, pacs.YEARS) == 0
    source.verify(optional)


def test_a_database_that_is_not_there_or_none_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConnectError, match=r"does not exist.*terrafusion demo generate"):
        connector(tmp_path / "no.sqlite").tables()
    (tmp_path / "text.sqlite").write_text("not a database at all, but long enough to be read")
    with pytest.raises(ConnectError, match="not a database"):
        connector(tmp_path / "text.sqlite").tables()
    assert connector(tmp_path / "no.sqlite").check()[0].ok is False


def test_the_freshness_changes_with_the_file(tmp_path: Path) -> None:
    path = one_table(tmp_path / "x.db", "CREATE TABLE t (a int)")
    table = table_t(a="integer")
    before = connector(path).freshness(table)
    assert connector(path).freshness(table) == before
    os.utime(path, (1, 1))
    assert connector(path).freshness(table) != before


def test_nothing_is_written_to_the_source(database: Path) -> None:
    before = database.read_bytes()
    read(database, pacs.PROPERTY_VAL)
    assert database.read_bytes() == before
    assert sorted(path.name for path in database.parent.iterdir()) == [database.name]
