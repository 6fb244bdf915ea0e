"""The analytics database: DuckDB and ClickHouse's own engine give the same answers."""

import math
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from terrafusion_lib.analytics.clickhouse_store import create_statement
from terrafusion_lib.analytics.facts import facts
from terrafusion_lib.analytics.partitions import Partition, check_totals
from terrafusion_lib.analytics.queries import ANALYSES, analyze
from terrafusion_lib.analytics.store import AnalyticsStore, open_analytics
from terrafusion_lib.analytics.totals import totals_of
from terrafusion_lib.core.errors import ConfigError, ConnectError, LoadError
from terrafusion_lib.core.settings import Settings
from tests.support.clickhouse_http import serving
from tests.support.fact_rows import COUNTY, partition
from tests.support.refused import refused

ENGINES = ("duckdb", "chdb")
EACH_ENGINE = ("duckdb", pytest.param("chdb", marks=pytest.mark.slow))
YEARS = (2022, 2023, 2024)
TOLERANCE = 1e-12


def settings_of(engine: str, folder: Path) -> Settings:
    url = f"chdb://{folder / 'clickhouse'}" if engine == "chdb" else ""
    return Settings(root=folder, data_dir=folder, analytics_url=url, threads=2)


@pytest.fixture(params=EACH_ENGINE)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnalyticsStore]:
    opened = open_analytics(settings_of(request.param, tmp_path))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[tuple[str, str], pa.Table]]:
    """Every analysis by every area, of the same made-up facts, by engine."""
    folder = tmp_path_factory.mktemp("answers")
    found: dict[str, dict[tuple[str, str], pa.Table]] = {}
    for engine in ENGINES:
        store = open_analytics(settings_of(engine, folder))
        store.apply(partition(name, year, 3_000) for name in facts() for year in YEARS)
        found[engine] = {
            (name, area): ask(store, name, area=area)
            for name, analysis in ANALYSES.items()
            for area in analysis.areas
        }
        store.close()
    return found


def ask(store: AnalyticsStore, name: str, **changes: Any) -> pa.Table:
    options = {"county_id": COUNTY, "first_year": 2023, "last_year": 2024} | changes
    return analyze(store, name, **options)


def same(left: object, right: object) -> bool:
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return left == right and type(left) is type(right)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "area"), [(n, area) for n, analysis in ANALYSES.items() for area in analysis.areas]
)
def test_both_engines_answer_the_same_in_the_same_order(
    answers: dict[str, dict[tuple[str, str], pa.Table]], name: str, area: str
) -> None:
    duckdb, clickhouse = (answers[engine][name, area] for engine in ENGINES)
    assert duckdb.num_rows > 5
    assert duckdb.schema == clickhouse.schema == ANALYSES[name].schema
    for column in duckdb.schema.names:
        pairs = zip(duckdb[column].to_pylist(), clickhouse[column].to_pylist(), strict=True)
        assert [pair for pair in pairs if not same(*pair)] == [], column


@pytest.mark.slow
def test_the_market_by_month_is_what_pandas_computes(
    answers: dict[str, dict[tuple[str, str], pa.Table]],
) -> None:
    tables = [partition("fact_sales", year, 3_000).rows for year in (2023, 2024)]
    frame = pa.concat_tables(tables).to_pandas()
    valid = (frame.county_valid == True) & (frame.is_primary_parcel == True)  # noqa: E712
    frame = frame[valid & (frame.adjusted_sale_price > 0)].copy()
    frame["month"] = [None if d is None else d.replace(day=1) for d in frame.sale_date]
    keys = ["neighborhood_code", "month", "property_class"]
    for column in ("neighborhood_code", "property_class"):
        frame[column] = frame[column].fillna("(none)")
    prices = frame.groupby(keys, dropna=False, sort=False).adjusted_sale_price
    expected = {
        tuple(None if part != part else part for part in key): group for key, group in prices
    }
    found = answers["duckdb"]["sales_by_month", "neighborhood_code"].to_pylist()
    assert len(found) == len(expected)
    for row in found:
        group = expected[row["area"], row["month"], row["class"]]
        assert row["sale_count"] == len(group)
        assert row["total_price"] == pytest.approx(group.sum(), abs=0.005)
        assert row["mean_price"] == pytest.approx(group.mean(), abs=0.005)
        for share, name in ((0.25, "lower_quartile"), (0.5, "median"), (0.75, "upper_quartile")):
            assert row[f"{name}_price"] == pytest.approx(group.quantile(share), rel=1e-12)


def rows_of(name: str, year: int, *given: dict[str, Any]) -> Partition:
    """Rows with the columns given, else null."""
    fact = facts()[name]
    defaults = {"county_id": COUNTY, "year": year}
    rows = [
        dict.fromkeys(fact.column_names)
        | defaults
        | dict.fromkeys(fact.key, str(number))
        | {"county_valid": True, "is_primary_parcel": True}
        | row
        for number, row in enumerate(given)
    ]
    kept = [{key: row[key] for key in fact.column_names} for row in rows]
    table = pa.Table.from_pylist(kept, schema=fact.arrow_schema())
    return Partition(fact, COUNTY, year, table, f"{year} {len(given)}")


def sale(day: date, price: float | None, **more: Any) -> dict[str, Any]:
    return {"sale_date": day, "adjusted_sale_price": price, "neighborhood_code": "A"} | more


def test_quartiles_nulls_and_groups_by_hand(store: AnalyticsStore) -> None:
    month = date(2024, 3, 9)
    store.apply(
        [
            rows_of(
                "fact_sales",
                2024,
                *(sale(month, price, building_area_sqft=0.0) for price in (10.0, 20.0, 40.0, 80.0)),
                sale(month, None),
                sale(month, 30.0, neighborhood_code=None, building_area_sqft=20.0),
                sale(month, 50.0, neighborhood_code=""),
                sale(month, 50.0, county_valid=None),
                sale(month, 50.0, is_primary_parcel=False),
            )
        ]
    )
    nameless, none, a = ask(store, "sales_by_month").to_pylist()
    assert [row["area"] for row in (nameless, none, a)] == ["", "(none)", "A"]
    assert (a["sale_count"], a["total_price"], a["mean_price"]) == (4, 150.0, 37.5)
    quartiles = (a["lower_quartile_price"], a["median_price"], a["upper_quartile_price"])
    assert quartiles == (17.5, 30.0, 50.0)
    assert a["median_price_per_sqft"] is None
    assert none["median_price_per_sqft"] == 1.5
    assert a["month"] == date(2024, 3, 1)
    assert a["class"] == "(none)"


def test_changes_are_to_the_month_before_and_not_to_the_row_before(store: AnalyticsStore) -> None:
    days = {(2022, 12): 80.0, (2023, 1): 100.0, (2023, 3): 50.0, (2023, 12): 90.0, (2024, 1): 120.0}
    store.apply(
        rows_of(
            "fact_sales",
            year,
            *(sale(date(y, m, 5), price) for (y, m), price in days.items() if y == year),
        )
        for year in YEARS
    )
    found = {row["month"]: row for row in ask(store, "price_trend").to_pylist()}
    assert list(found) == [date(2023, 1, 1), date(2023, 3, 1), date(2023, 12, 1), date(2024, 1, 1)]
    month = [row["change_in_month_pct"] for row in found.values()]
    year = [row["change_in_year_pct"] for row in found.values()]
    assert month == [25.0, None, None, pytest.approx(100 / 3)]
    assert year == [None, None, 12.5, pytest.approx(20.0)]


def test_a_change_from_zero_or_from_nothing_is_null(store: AnalyticsStore) -> None:
    def roll(year: int, values: list[tuple[int, float | None]]) -> Partition:
        rows = [{"market_value": value, "neighborhood_code": str(k)} for k, value in values]
        return rows_of("fact_parcel_values", year, *rows)

    for year, values in (
        (2023, [(1, 0.0), (2, None), (3, 7.0)]),
        (2024, [(1, 5.0), (2, 5.0), (3, 5.25), (4, None)]),
    ):
        store.apply([roll(year, values)])
    rows = ask(store, "values_by_year", first_year=2024).to_pylist()
    assert [row["total_change_pct"] for row in rows] == [None, None, -25.0, None]
    assert [row["total_value"] for row in rows] == [5.0, 5.0, 5.25, None]
    changes = ask(store, "value_changes", first_year=2024).to_pylist()
    assert [(row["parcel_count"], row["median_change_pct"]) for row in changes] == [
        (0, None),
        (0, None),
        (1, -25.0),
    ]


def test_dates_before_1970_and_the_largest_values_arrive(store: AnalyticsStore) -> None:
    store.apply([rows_of("fact_sales", 1955, sale(date(1955, 6, 7), 9e15))])
    found = ask(store, "sales_by_month", first_year=1950, last_year=1960).to_pylist()
    assert (found[0]["month"], found[0]["total_price"]) == (date(1955, 6, 1), 9e15)


def test_cod_by_hand(store: AnalyticsStore) -> None:
    ratios = [{"sale_ratio": value, "neighborhood_code": "A"} for value in (0.8, 1.0, 1.3)]
    store.apply([rows_of("fact_ratios", 2024, *ratios, {"neighborhood_code": "A"})])
    row = ask(store, "ratios_county").to_pylist()[0]
    assert (row["sale_count"], row["median_ratio"]) == (3, 1.0)
    assert row["cod"] == pytest.approx(100 * (0.2 + 0.3) / 3, rel=1e-9)


@pytest.mark.parametrize("far", [1e10, 2e10, 1e17, float("inf")])
def test_cod_is_null_where_a_ratio_is_too_large_to_add_up(
    store: AnalyticsStore, far: float
) -> None:
    ratios = [{"sale_ratio": value, "neighborhood_code": "A"} for value in (0.8, 1.0, 1.3, 1.1)]
    others = [{"sale_ratio": value, "neighborhood_code": "B"} for value in (1.0, 1.0, 2.0, 1e6)]
    given = [*ratios, {"sale_ratio": far, "neighborhood_code": "A"}, *others]
    store.apply([rows_of("fact_ratios", 2024, *given)])
    a, b = ask(store, "ratios_county").to_pylist()
    assert (a["sale_count"], a["median_ratio"], a["cod"]) == (5, 1.1, None)
    assert b["cod"] == pytest.approx(100 * (0.5 + 0.5 + 0.5 + 999_998.5) / 4 / 1.5, rel=1e-9)


def test_a_partition_is_replaced_and_one_without_rows_is_removed(store: AnalyticsStore) -> None:
    fact = facts()["fact_sales"]
    store.apply([partition("fact_sales", 2023, 40), partition("fact_sales", 2024, 50)])
    again = store.apply([partition("fact_sales", 2023, 30, seed=2)])
    assert [totals.rows for totals in again] == [30]
    count = "SELECT year, count(*) AS n FROM fact_sales GROUP BY year ORDER BY year"
    assert store.query(count, {})["n"].to_pylist() == [30, 50]
    assert store.contents(fact, COUNTY) == {
        2023: "fact_sales 2023 30 2",
        2024: "fact_sales 2024 50 1",
    }
    assert store.contents(fact, "other_wa") == {}
    store.apply([partition("fact_sales", 2024, 0)])
    assert store.contents(fact, COUNTY).keys() == {2023}


def test_one_county_is_not_touched_by_another(store: AnalyticsStore) -> None:
    mine = rows_of("fact_sales", 2024, sale(date(2024, 1, 1), 1.0))
    renamed = mine.rows.set_column(0, mine.rows.schema.field(0), [["other_wa"]])
    store.apply([mine, Partition(mine.fact, "other_wa", 2024, renamed, "other")])
    store.apply([rows_of("fact_sales", 2024)])
    assert store.contents(mine.fact, "other_wa") == {2024: "other"}
    assert ask(store, "sales_by_month").num_rows == 0


def test_what_arrives_wrong_or_cannot_be_added_up_fails(store: AnalyticsStore) -> None:
    store.apply([partition("fact_sales", 2024, 5)])
    broken = rows_of("fact_sales", 2024, sale(date(2024, 1, 1), float("nan")))
    with pytest.raises(LoadError, match=r"not finite.*adjusted_sale_price"):
        store.apply([broken])
    assert store.contents(broken.fact, COUNTY) == {2024: "fact_sales 2024 5 1"}
    good = rows_of("fact_sales", 2024, sale(date(2024, 1, 1), 5.0))
    sent = totals_of(good.fact, good.rows, native_hash=True)
    assert (sent.rows, sent.sums["adjusted_sale_price"], sent.sums["sale_price"]) == (1, 500, None)
    wrong = replace(sent, sums=sent.sums | {"adjusted_sale_price": 501})
    with refused(LoadError, county=COUNTY, table="fact_sales") as caught:
        check_totals(good, sent, wrong)
    (differing,) = caught.value.examples
    assert re.findall(r"adjusted_sale_price|\d+", str(differing)) == [
        "adjusted_sale_price",
        "500",
        "501",
    ]


def test_a_load_that_fails_half_way_leaves_all_as_it_was(store: AnalyticsStore) -> None:
    store.apply(partition("fact_sales", year, 20) for year in YEARS)

    def failing() -> Iterator[Partition]:
        yield partition("fact_sales", 2022, 10, seed=2)
        raise LoadError("the source went away")

    with pytest.raises(LoadError, match="went away"):
        store.apply(failing())
    assert set(store.contents(facts()["fact_sales"], COUNTY).values()) == {
        f"fact_sales {year} 20 1" for year in YEARS
    }


LOADER = """
import sys, time
from pathlib import Path
from terrafusion_lib.analytics.store import open_analytics
from terrafusion_lib.core.settings import Settings
from tests.support.fact_rows import partition

def slowly():
    for year in (2022, 2023, 2024):
        yield partition("fact_sales", year, 2_000, seed=2)
        print("sent", flush=True)
        time.sleep({pause})

folder = Path({folder!r})
open_analytics(Settings(root=folder, data_dir=folder, analytics_url={url!r})).apply(slowly())
"""


@pytest.mark.slow
@pytest.mark.parametrize("engine", EACH_ENGINE)
def test_a_killed_load_leaves_the_old_facts_and_the_next_one_finishes(
    engine: str, tmp_path: Path
) -> None:
    settings = settings_of(engine, tmp_path)
    store = open_analytics(settings)
    store.apply(partition("fact_sales", year, 2_000) for year in YEARS)
    store.close()
    before = sorted(path.name for path in tmp_path.rglob("*") if not path.is_dir())
    code = LOADER.format(folder=str(tmp_path), url=settings.analytics_url, pause=30)
    loader = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert loader.stdout
    assert loader.stdout.readline() == "sent\n"
    os.kill(loader.pid, signal.SIGKILL)
    loader.wait()
    loader.stdout.close()
    old = store.contents(facts()["fact_sales"], COUNTY)
    assert old == {year: f"fact_sales {year} 2000 1" for year in YEARS}
    assert ask(store, "sales_by_month").num_rows > 100
    store.close()
    subprocess.run([sys.executable, "-c", code.replace("sleep(30)", "sleep(0)")], check=True)
    new = store.contents(facts()["fact_sales"], COUNTY)
    assert new == {year: f"fact_sales {year} 2000 2" for year in YEARS}
    store.close()
    if engine == "duckdb":
        assert sorted(path.name for path in tmp_path.rglob("*") if not path.is_dir()) == before
    else:
        assert [path.name for path in (tmp_path / "clickhouse").glob("version-*")] == [
            "version-000002"
        ]


READER = """
from pathlib import Path
from terrafusion_lib.analytics.store import open_analytics
from terrafusion_lib.core.settings import Settings
folder = Path({folder!r})
store = open_analytics(Settings(root=folder, data_dir=folder, analytics_url={url!r}))
print(store.query("SELECT count(*) AS n FROM fact_sales", {{}})["n"][0].as_py(), flush=True)
input()
store.close()
"""


@pytest.mark.slow
@pytest.mark.parametrize("engine", EACH_ENGINE)
def test_readers_in_other_processes_do_not_hinder_a_load(engine: str, tmp_path: Path) -> None:
    settings = settings_of(engine, tmp_path)
    store = open_analytics(settings)
    store.apply([partition("fact_sales", 2024, 100)])
    store.close()
    code = READER.format(folder=str(tmp_path), url=settings.analytics_url)
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        assert [reader.stdout.readline() for reader in readers if reader.stdout] == ["100\n"] * 2
        store.apply([partition("fact_sales", 2024, 70, seed=2)])
        count = store.query("SELECT count(*) AS n FROM fact_sales", {})
        assert count["n"].to_pylist() == [70]
    finally:
        for reader in readers:
            reader.communicate("\n", timeout=30)
        store.close()
    assert list((tmp_path / "clickhouse").glob(".reader-*")) == []


@pytest.mark.slow
def test_the_copy_of_a_killed_reader_is_removed_by_the_next_load(tmp_path: Path) -> None:
    settings = settings_of("chdb", tmp_path)
    store = open_analytics(settings)
    store.apply([partition("fact_sales", 2024, 100)])
    store.close()
    code = READER.format(folder=str(tmp_path), url=settings.analytics_url)
    reader = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert reader.stdout
    assert reader.stdout.readline() == "100\n"
    reader.kill()
    reader.communicate()
    assert len(list((tmp_path / "clickhouse").glob(".reader-*"))) == 1
    store.apply([partition("fact_sales", 2024, 50)])
    store.close()
    assert list((tmp_path / "clickhouse").glob(".reader-*")) == []


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    settings = settings_of("duckdb", tmp_path)
    code = LOADER.format(folder=str(tmp_path), url="", pause=30)
    loader = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert loader.stdout
    assert loader.stdout.readline() == "sent\n"
    with pytest.raises(LoadError, match="Another process is writing"):
        open_analytics(settings).apply([partition("fact_sales", 2024, 1)])
    loader.kill()
    loader.communicate()


def test_an_unknown_analysis_area_or_url_is_refused(tmp_path: Path) -> None:
    store = open_analytics(settings_of("duckdb", tmp_path))
    with pytest.raises(LoadError, match="no facts have been loaded"):
        ask(store, "price_trend")
    with refused(ConfigError, next="did you mean price_trend"):
        ask(store, "price_trends")
    with refused(ConfigError, examples=ANALYSES["price_trend"].areas):
        ask(store, "price_trend", area="owner")
    for url in ("mysql://host/x", "chdb://", "clickhouse://h/db?cluste=a", "clickhouse://h:x/db"):
        with pytest.raises(ConfigError):
            open_analytics(Settings(root=tmp_path, analytics_url=url))
    with pytest.raises(ConfigError, match="env:NO_SUCH_URL is empty"):
        open_analytics(Settings(root=tmp_path, analytics_url="env:NO_SUCH_URL"))


def test_the_tables_of_a_cluster_are_replicated() -> None:
    text = create_statement(
        facts()["fact_sales"], "fact_sales", "ReplicatedReplacingMergeTree", " ON CLUSTER `main`"
    )
    assert text.startswith("CREATE TABLE IF NOT EXISTS fact_sales ON CLUSTER `main` (")
    assert text.endswith(
        "ENGINE = ReplicatedReplacingMergeTree PARTITION BY (county_id, year) "
        "ORDER BY (county_id, year, sale_id, property_id)"
    )


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of a ClickHouse server: the engine of this process behind its HTTP interface."""
    monkeypatch.setenv("CLICKHOUSE_WORD", "hidden-word")
    with serving(tmp_path, "hidden-word") as place:
        url = f"clickhouse://loader:env:CLICKHOUSE_WORD@{place}/county_facts"
        yield Settings(root=tmp_path, data_dir=tmp_path, analytics_url=url)


@pytest.mark.slow
def test_a_server_answers_as_the_embedded_engines_do(
    server: Settings, answers: dict[str, dict[tuple[str, str], pa.Table]]
) -> None:
    store = open_analytics(server)
    with pytest.raises(LoadError, match="county_facts does not exist"):
        ask(store, "price_trend")
    store.apply(partition("fact_sales", year, 3_000) for year in YEARS)
    for area in ANALYSES["sales_by_month"].areas:
        found, expected = ask(store, "sales_by_month", area=area), answers["chdb"]
        assert found.equals(expected["sales_by_month", area])
    store.close()
    again = open_analytics(server)
    assert again.contents(facts()["fact_sales"], COUNTY).keys() == set(YEARS)
    again.close()


@pytest.mark.slow
def test_on_a_server_a_load_that_ends_half_way_is_finished_by_the_next(
    server: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_analytics(server)
    store.apply(partition("fact_sales", year, 50) for year in YEARS)
    command = store._client.command

    def dying(sql: str, **options: Any) -> Any:
        if "REPLACE PARTITION" in sql and "2023" in sql:
            raise KeyboardInterrupt
        return command(sql, **options)

    monkeypatch.setattr(store._client, "command", dying)
    with pytest.raises(KeyboardInterrupt):
        store.apply(partition("fact_sales", year, 40, seed=2) for year in YEARS)
    monkeypatch.undo()
    monkeypatch.setenv("CLICKHOUSE_WORD", "hidden-word")
    count = "SELECT year, count(*) AS n FROM fact_sales GROUP BY year ORDER BY year"
    assert store.query(count, {})["n"].to_pylist() == [40, 50, 50]
    store.apply(partition("fact_sales", year, 40, seed=2) for year in YEARS[1:])
    assert store.query(count, {})["n"].to_pylist() == [40, 40, 40]
    tables = store.query("SELECT name FROM system.tables WHERE database = 'county_facts'", {})
    assert set(tables["name"].to_pylist()) == set(facts())
    store.close()


@pytest.mark.slow
def test_a_server_that_refuses_the_login_is_told_without_the_password(
    server: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLICKHOUSE_WORD", "wrong-word")
    with pytest.raises(ConnectError, match=r"127\.0\.0\.1 did not respond") as caught:
        open_analytics(server)
    assert "wrong-word" not in str(caught.value)
