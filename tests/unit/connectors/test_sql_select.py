"""The SQL of an extraction: golden files for SQL Server and SQLite, checked as their dialect.

``TERRAFUSION_UPDATE_GOLDEN=1 pytest tests/unit/connectors/test_sql_select.py`` writes them anew.
"""

import os
from pathlib import Path

import pytest
import sqlglot
from sqlalchemy.dialects import mssql, sqlite
from sqlglot.errors import ErrorLevel

from terrafusion_lib.connectors.sql_server import catalog as mssql_catalog
from terrafusion_lib.connectors.sql_server.sql_select import (
    compiled,
    count_select,
    extraction_select,
    filter_columns,
)
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.raw import RawType, SourceFilter, SourceTable
from tests.support.require import ROOT
from tests.support.tds_pacs import ACTIVE, EMPTY, LIVE_DETAIL, PROPERTY_VAL, YEAR

GOLDEN = ROOT / "tests" / "golden"
YEARS = [0, 2026, 2025]
RESERVED = SourceTable(
    name="dor_report_stratification",
    source="pacs",
    table="dbo.dor_report_stratification",
    columns={"Row": RawType.INTEGER, "year": RawType.INTEGER, "group": RawType.TEXT},
    key=("year", "Row"),
    filters=(
        SourceFilter(kind="years", column="year"),
        SourceFilter(kind="equals", column="group", value="O'Neil; DROP TABLE property --"),
    ),
)
OTHER_SCHEMA = SourceTable(
    name="parcel",
    source="gis",
    table="sde.PARCEL",
    columns={"Prop_ID": RawType.INTEGER},
    key=("OBJECTID",),
)
CASES = {
    "plain": EMPTY,
    "years_and_current_supplement": PROPERTY_VAL,
    "equals": LIVE_DETAIL,
    "is_null": ACTIVE,
    "reserved_words_and_quotes": RESERVED,
    "other_schema": OTHER_SCHEMA,
}


def golden(path: Path, text: str) -> str:
    if os.environ.get("TERRAFUSION_UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    return path.read_text(encoding="utf-8").rstrip("\n")


@pytest.mark.parametrize("name", CASES)
def test_sql_for_sql_server_is_as_agreed_and_is_t_sql(name: str) -> None:
    sql = compiled(extraction_select(CASES[name], YEARS, schema="dbo"), mssql.dialect())
    assert sql == golden(GOLDEN / "mssql" / f"{name}.sql", sql)
    [tree] = sqlglot.parse(sql, read="tsql", error_level=ErrorLevel.RAISE)
    again = tree.sql("tsql", unsupported_level=ErrorLevel.RAISE)
    assert sqlglot.parse_one(again, read="tsql") == tree


@pytest.mark.parametrize("name", CASES)
def test_the_same_definition_for_sqlite_is_as_agreed(name: str) -> None:
    sql = compiled(extraction_select(CASES[name], YEARS, schema=None), sqlite.dialect())
    assert sql == golden(GOLDEN / "sqlite" / f"{name}.sql", sql)
    sqlglot.parse(sql, read="sqlite", error_level=ErrorLevel.RAISE)


@pytest.mark.parametrize("name", ["TABLES", "COLUMNS", "ROWS", "FRESHNESS", "SERVER"])
def test_catalog_queries_are_t_sql(name: str) -> None:
    statement = getattr(mssql_catalog, name)
    sql = str(statement.compile(dialect=mssql.dialect())).replace(":", "@")
    assert sqlglot.parse(sql, read="tsql", error_level=ErrorLevel.RAISE)


def test_the_future_layer_year_0_is_never_read() -> None:
    sql = compiled(extraction_select(PROPERTY_VAL, YEARS, schema="dbo"), mssql.dialect())
    assert "IN (2025, 2026)" in sql
    with pytest.raises(ConfigError, match="No year is left to read"):
        extraction_select(PROPERTY_VAL, [0], schema="dbo")


def test_only_the_columns_of_the_mapping_are_read() -> None:
    sql = compiled(extraction_select(EMPTY, YEARS, schema="dbo"), mssql.dialect())
    [tree] = sqlglot.parse(sql, read="tsql")
    assert [column.alias for column in tree.selects] == list(EMPTY.columns)
    assert filter_columns(LIVE_DETAIL) == ["sale_id", "imprv_det_type_cd"]


def test_the_current_supplement_cannot_multiply_rows() -> None:
    sql = compiled(extraction_select(PROPERTY_VAL, YEARS, schema="dbo"), mssql.dialect())
    [tree] = sqlglot.parse(sql, read="tsql")
    assert tree.find(sqlglot.exp.Exists)
    assert not tree.find(sqlglot.exp.Join)


def test_a_count_has_the_same_conditions() -> None:
    one = compiled(extraction_select(PROPERTY_VAL, YEARS, schema="dbo"), mssql.dialect())
    other = compiled(count_select(PROPERTY_VAL, YEARS, schema="dbo"), mssql.dialect())
    where = one[one.index("WHERE") : one.index(" ORDER BY")]
    assert where in other


@pytest.mark.parametrize(
    "broken",
    [
        SourceFilter(kind="years"),
        SourceFilter(kind="equals", value=1),
        SourceFilter(kind="current_supplement", association="prop_supp_assoc"),
        SourceFilter(kind="current_supplement", on={"a": "b"}),
    ],
)
def test_an_incomplete_filter_is_refused(broken: SourceFilter) -> None:
    table = EMPTY.model_copy(update={"filters": (YEAR, broken)})
    with pytest.raises(ConfigError, match="needs"):
        extraction_select(table, YEARS, schema="dbo")
