"""Rows of the analytics database that somebody else has changed have other totals."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from terrafusion_lib.analytics.fact_table import FactTable
from terrafusion_lib.analytics.facts import facts
from terrafusion_lib.analytics.partitions import Partition
from terrafusion_lib.analytics.store import open_analytics
from terrafusion_lib.analytics.totals import (
    Totals,
    content_of,
    is_content,
    no_totals,
    stored_totals,
    totals_of,
)
from terrafusion_lib.core.settings import Settings
from tests.support.fact_rows import COUNTY, partition
from tests.support.tampering import delete, tamper

YEAR = 2024
FIRST = "property_id = '00000000'"


@pytest.fixture(params=["duckdb", pytest.param("chdb", marks=pytest.mark.slow)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    url = f"chdb://{tmp_path / 'clickhouse'}" if request.param == "chdb" else ""
    yield Settings(root=tmp_path, data_dir=tmp_path, analytics_url=url, threads=2)


def load(settings: Settings, *partitions: Partition) -> None:
    store = open_analytics(settings)
    store.apply(partitions)
    store.close()


def stored(settings: Settings, fact: FactTable) -> Totals:
    store = open_analytics(settings)
    found = stored_totals(store, fact, COUNTY, [YEAR])
    store.close()
    return found.get(YEAR, no_totals(fact))


def expected(settings: Settings, item: Partition) -> Totals:
    return totals_of(item.fact, item.rows, native_hash=not settings.analytics_url)


def test_totals_cover_every_column_of_every_table(settings: Settings) -> None:
    parts = [partition(name, YEAR, 300) for name in facts()]
    load(settings, *parts)
    for part in parts:
        totals = stored(settings, part.fact)
        assert totals == expected(settings, part)
        assert totals.counts.keys() == set(part.fact.column_names) - {"county_id", "year"}
        floats = {f.name for f in part.fact.arrow_schema() if f.type == pa.float64()}
        assert totals.sums.keys() == floats
        assert is_content(content_of("x", totals), totals)
        assert not is_content(content_of("x", totals), replace(totals, mark=1))


@pytest.mark.parametrize(
    ("table", "change", "where"),
    [
        ("fact_parcel_values", "neighborhood_code = 'X'", "neighborhood_code = 'A'"),
        ("fact_parcel_values", "market_value = market_value + 0.01", FIRST),
        ("fact_parcel_values", "situs_city = NULL", "situs_city = 'B'"),
        ("fact_sales", "sale_date = sale_date + INTERVAL 1 DAY", "sale_date IS NOT NULL"),
        ("fact_sales", "county_valid = NOT county_valid", FIRST),
        ("fact_sales", "parcel_count = parcel_count + 1", "parcel_count = 2"),
        ("fact_ratios", "sale_ratio = 9", "sale_ratio IS NOT NULL"),
        ("fact_ratio_statistics", "estimate = estimate + 0.001", "statistic = '00000001'"),
        ("fact_ratio_statistics", "verdict = 'A'", "verdict = 'B'"),
        ("dim_parcels", "latitude = 1e300", FIRST),
        ("dim_parcels", "land_value = 1e300", FIRST),
    ],
)
def test_a_change_of_any_kind_of_column_is_seen(
    settings: Settings, table: str, change: str, where: str
) -> None:
    part = partition(table, YEAR, 300)
    load(settings, part)
    tamper(settings, table, change, where)
    assert stored(settings, part.fact) != expected(settings, part)


@pytest.mark.parametrize("column", ["sale_ratio", "sale_date", "neighborhood_code"])
def test_values_that_change_places_are_seen(settings: Settings, column: str) -> None:
    part = partition("fact_ratios", YEAR, 300)
    load(settings, part)
    values = part.rows[column].to_pylist()
    other = next(n for n, value in enumerate(values) if value not in (None, values[0]))
    for row, value in ((0, values[other]), (other, values[0])):
        text = repr(value) if isinstance(value, float) else f"'{value}'"
        tamper(settings, "fact_ratios", f"{column} = {text}", f"property_id = '{row:08d}'")
    found, sent = stored(settings, part.fact), expected(settings, part)
    assert (found.sums, found.counts) == (sent.sums, sent.counts)
    assert found.mark != sent.mark


def test_rows_that_are_gone_are_seen(settings: Settings) -> None:
    part = partition("fact_ratio_statistics", YEAR, 300)
    load(settings, part)
    delete(settings, "fact_ratio_statistics", "statistic < '00000003'")
    assert stored(settings, part.fact).rows == 297
    delete(settings, "fact_ratio_statistics", "1 = 1")
    assert stored(settings, part.fact) == no_totals(part.fact)


def test_other_numbers_need_not_be_finite(settings: Settings) -> None:
    part = partition("fact_ratios", YEAR, 4)
    place = part.rows.column_names.index("sale_ratio")
    odd = pa.array([float("nan"), float("inf"), 1e12, 0.5])
    part = replace(part, rows=part.rows.set_column(place, part.rows.schema.field(place), odd))
    load(settings, part)
    assert stored(settings, part.fact).sums["sale_ratio"] == 500_000
