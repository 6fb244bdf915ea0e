"""The step 50_specialize on the demo county: embedded stores, and PostGIS with ClickHouse."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from terrafusion_lib.analytics.facts import CANONICAL_FACTS, facts
from terrafusion_lib.analytics.queries import ANALYSES, analyze
from terrafusion_lib.analytics.store import open_analytics
from terrafusion_lib.core.county import load_county
from terrafusion_lib.core.errors import LoadError
from terrafusion_lib.core.progress import silent
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.geometry.store import open_geometry
from terrafusion_lib.pipelines import specialize_facts
from terrafusion_lib.pipelines.etl_to_specialized_dbs import specialize
from terrafusion_lib.pipelines.specialize_results import specialize_results
from terrafusion_lib.pipelines.specialized_state import specialized_reason
from terrafusion_lib.pipelines.step import Step
from terrafusion_lib.results.products import StepRecord
from terrafusion_lib.store.store import open_store
from tests.support.require import require
from tests.support.tampering import tamper

COUNTY = "demo_wa"
NAME = "50_specialize"
Finished = tuple[Settings, dict[str, Any]]
Make = Callable[[str], Settings]


@pytest.fixture
def make(finished_project: Finished, tmp_path: Path, request: pytest.FixtureRequest) -> Make:
    """Settings with a copy of the finished county's operational database and empty stores."""
    finished, _ = finished_project
    target = tmp_path / "operational.db"
    source = sa.make_url(finished.operational_database_url).database
    assert source
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)

    def settings(stores: str) -> Settings:
        urls = {}
        if stores == "servers":
            found = list(Path("/usr/share/postgresql").glob("*/extension/postgis.control"))
            require(found, "PostGIS is not installed: apt-get install postgresql-15-postgis-3")
            url = request.getfixturevalue("postgres_url").replace("+psycopg2", "")
            urls = {"geometry_url": url, "analytics_url": f"chdb://{tmp_path / 'clickhouse'}"}
        return finished.model_copy(
            update={
                "data_dir": tmp_path / "data",
                "operational_url": f"sqlite:///{target}",
                **urls,
            }
        )

    return settings


def step(settings: Settings, run: str = "r1", **policy: object) -> Step:
    county = load_county(COUNTY, settings)
    if policy:
        county = county.model_copy(update=policy)
    opened = Step(
        NAME, county, county.assessment_year, run, f"print-{run}", {}, {}, settings, progress=silent
    )
    opened.out.mkdir(parents=True)
    return opened


def run(settings: Settings, name: str = "r1") -> StepRecord:
    return specialize(step(settings, name))


def operational(settings: Settings, table: str) -> pa.Table:
    with open_store(settings.operational_database_url) as store:
        return store.read(table, county_id=COUNTY)


BOTH = pytest.mark.parametrize(
    "stores", ["embedded", pytest.param("servers", marks=pytest.mark.postgres)]
)


@BOTH
def test_the_stores_hold_what_the_operational_store_holds(make: Make, stores: str) -> None:
    settings = make(stores)
    record = run(settings)
    rolls, sales = operational(settings, "values_history"), operational(settings, "sales")
    assert record.rows["fact_parcel_values"]["rows"] == rolls.num_rows > 2_000
    assert record.rows["fact_sales"]["rows"] == sales.num_rows
    with closing(open_analytics(settings)) as store:
        found = store.query(
            "SELECT year, sum(market_value) AS value FROM fact_parcel_values "
            "GROUP BY year ORDER BY year",
            {},
        )
        expected = (rolls.group_by("assessment_year").aggregate([("market_value", "sum")])).sort_by(
            "assessment_year"
        )
        assert found["year"].to_pylist() == expected["assessment_year"].to_pylist()
        assert found["value"].to_pylist() == expected["market_value_sum"].to_pylist()
        for name, analysis in ANALYSES.items():
            if analysis.fact in CANONICAL_FACTS:
                years = {"first_year": 2015, "last_year": 2026}
                assert analyze(store, name, county_id=COUNTY, **years).num_rows > 0
    shapes = operational(settings, "parcels_geometry")
    layer = open_geometry(settings).read(COUNTY)
    parcels = record.rows["parcels"]
    assert parcels["read"] == shapes.num_rows == parcels["published"] + parcels["quarantined"]
    assert layer.crs == "EPSG:4326"
    by_id = dict(
        zip(shapes["geometry_id"].to_pylist(), shapes["area_sqft"].to_pylist(), strict=True)
    )
    areas = zip(layer.table["geometry_id"], layer.table["area_sqft"], strict=True)
    assert all(by_id[key.as_py()] == area.as_py() for key, area in areas)
    assert layer.table["neighborhood_code"].null_count < 20
    assert not {"owner_name", "situs_address"} & set(layer.table.column_names)


@pytest.mark.postgres
def test_both_kinds_of_stores_get_the_same(make: Make) -> None:
    embedded, servers = run(make("embedded")), run(make("servers"), "r2")
    assert embedded.rows == servers.rows
    assert embedded.summary == servers.summary
    left, right = (open_geometry(make(kind)).read(COUNTY).table for kind in ("embedded", "servers"))
    differing = [name for name in left.column_names if not left[name].equals(right[name])]
    assert (left.schema, differing) == (right.schema, [])


@BOTH
def test_a_second_run_writes_nothing_and_the_plan_knows(make: Make, stores: str) -> None:
    settings = make(stores)
    run(settings)
    again = run(settings, "r2")
    assert {again.rows[name]["replaced"] for name in CANONICAL_FACTS} == {0}
    parcels = again.rows["parcels"]
    assert parcels["unchanged"] == parcels["published"] > 500
    assert specialized_reason(settings, again) is None
    gone = replace(again, rows=again.rows | {"parcels": parcels | {"published": 1}})
    assert "a different parcel layer" in str(specialized_reason(settings, gone))
    marks = {"fact_sales": {"2024": "another"}}
    other = replace(again, marks=marks)
    assert "different rows in fact_sales" in str(specialized_reason(settings, other))


def change(settings: Settings, *statements: str) -> None:
    engine = sa.create_engine(settings.operational_database_url)
    with engine.begin() as connection:
        for statement in statements:
            assert connection.exec_driver_sql(statement).rowcount > 0
    engine.dispose()


@BOTH
def test_only_years_and_parcels_that_changed_are_written(make: Make, stores: str) -> None:
    settings = make(stores)
    before = run(settings)
    change(
        settings,
        "UPDATE sales SET sale_price = sale_price + 1, adjusted_sale_price = NULL "
        "WHERE sale_date BETWEEN '2024-01-01' AND '2024-12-31'",
        "UPDATE sales SET is_active = 0 WHERE sale_date < '2018-01-01'",
        "UPDATE properties_operational SET zoning = 'NEW' WHERE property_id = "
        "(SELECT min(property_id) FROM parcels_geometry WHERE property_id IS NOT NULL)",
    )
    after = run(settings, "r2")
    sales = after.rows["fact_sales"]
    assert (sales["replaced"], sales["removed"] > 0) == (1, True)
    assert sales["years"] + sales["removed"] == before.rows["fact_sales"]["years"]
    assert after.rows["fact_parcel_values"]["replaced"] == 0
    assert after.rows["parcels"]["updated"] == 1
    with closing(open_analytics(settings)) as store:
        years = store.contents(facts()["fact_sales"], COUNTY)
    assert min(years.keys() - {0}) >= 2018, "0 is for sales without a date"


def test_links_are_reported_with_their_lists(make: Make) -> None:
    settings = make("embedded")
    change(
        settings,
        "UPDATE parcels_geometry SET property_id = (SELECT max(property_id) FROM parcels_geometry) "
        "WHERE property_id = (SELECT min(property_id) FROM parcels_geometry)",
    )
    work = step(settings)
    links = specialize(work).summary["links"]
    shapes, roll = (
        operational(settings, name) for name in ("parcels_geometry", "properties_operational")
    )
    named = shapes["property_id"].drop_null().to_pylist()
    linked = set(named) & set(roll["property_id"].to_pylist())
    assert links["features"] == shapes.num_rows
    assert links["unlinked_features"] == shapes["property_id"].null_count > 0
    assert (
        links["by_property_id"] + links["by_parcel_number"] + links["unlinked_features"]
        == (links["features"])
    )
    assert links["properties_without_shape"] == roll.num_rows - len(linked)
    assert links["link_rate"] == len(linked) / roll.num_rows
    assert links["features_off_the_roll"] == sum(key not in linked for key in named) > 0
    twice = pq.read_table(work.folder / "features_of_shared_properties.parquet")
    assert twice.num_rows == links["features_of_shared_properties"] == 2
    without = pq.read_table(work.folder / "properties_without_shape.parquet")
    assert not set(without["property_id"].to_pylist()) & linked


def test_an_unfit_shape_is_set_aside_and_counted(make: Make) -> None:
    settings = make("embedded")
    change(settings, "UPDATE parcels_geometry SET geometry = x'0103' WHERE geometry_id = '1'")
    work = step(settings)
    parcels = specialize(work).rows["parcels"]
    assert parcels["quarantine_reasons"] == {"the shape cannot be read": 1}
    assert parcels["published"] == parcels["read"] - 1
    aside = pq.read_table(work.folder / "quarantined_shapes.parquet").to_pylist()
    assert [(row["geometry_id"], row["reason"]) for row in aside] == [
        ("1", "the shape cannot be read")
    ]


@BOTH
def test_values_of_a_run_follow_and_earlier_years_stay(
    make: Make, stores: str, finished_project: Finished
) -> None:
    finished, summary = finished_project
    settings = make(stores)
    with open_store(finished.operational_database_url) as store:
        tables = {
            name: store.read_results(name, county_id=COUNTY, run_id=summary["run_id"])
            for name in ("valuations", "ratio_statistics", "valuation_comparables")
        }
    first = specialize_results(step(settings), "valuation", tables)
    assert first.keys() == facts().keys() - CANONICAL_FACTS.keys()
    assert first["fact_valuations"].rows == tables["valuations"].num_rows > 500
    assert first["fact_ratio_statistics"].rows == tables["ratio_statistics"].num_rows
    assert (
        specialize_results(step(settings, "r2"), "valuation", tables)["fact_valuations"].replaced
        == 0
    )
    later = step(settings, "r3")
    years = tables["valuations"].schema.get_field_index("assessment_year")
    next_year = pa.array([later.year + 1] * tables["valuations"].num_rows)
    later.year += 1
    moved = tables | {
        "valuations": tables["valuations"].set_column(years, "assessment_year", next_year)
    }
    specialize_results(later, "valuation", moved)
    with closing(open_analytics(settings)) as store:
        found = store.contents(facts()["fact_valuations"], COUNTY)
    assert found.keys() == {later.year - 1, later.year}


def facts_of(settings: Settings) -> dict[str, pa.Table]:
    with closing(open_analytics(settings)) as store:
        return {
            name: store.query(f"SELECT * FROM {name} ORDER BY ALL", {})
            if not settings.analytics_url
            else store.query(
                f"SELECT * FROM {name} ORDER BY year, {', '.join(facts()[name].key)}", {}
            )
            for name in facts()
        }


@BOTH
def test_facts_changed_by_hand_are_brought_again(
    make: Make, stores: str, finished_project: Finished
) -> None:
    finished, summary = finished_project
    settings = make(stores)
    with open_store(finished.operational_database_url) as store:
        results = {
            name: store.read_results(name, county_id=COUNTY, run_id=summary["run_id"])
            for name in ("valuations", "ratio_statistics")
        }
    record = run(settings)
    specialize_results(step(settings, "v1"), "valuation", results)
    before = facts_of(settings)
    for table, change, where in (
        ("fact_parcel_values", "neighborhood_code = 'X'", "year = 2024"),
        ("fact_sales", "sale_date = sale_date + INTERVAL 1 DAY", "year IN (2023, 2024)"),
        ("fact_ratios", "sale_ratio = 9", "1 = 1"),
        ("fact_ratio_statistics", "estimate = estimate + 1", "1 = 1"),
    ):
        tamper(settings, table, change, where)
    assert "different rows in fact_" in str(specialized_reason(settings, record))
    after = run(settings, "r2")
    replaced = [after.rows[name]["replaced"] for name in CANONICAL_FACTS]
    assert replaced == [0, 1, 2, after.rows["fact_ratios"]["years"], 0]
    values = specialize_results(step(settings, "v2"), "valuation", results)
    assert [values[name].replaced for name in facts() if name not in CANONICAL_FACTS] == [0, 1]
    assert specialized_reason(settings, after) is None
    assert facts_of(settings) == before


def test_facts_that_change_while_they_are_brought_are_told(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make("embedded")
    stored_totals = specialize_facts.stored_totals
    given: list[str] = []

    def changed(*of: Any) -> Any:
        given.append(of[1].name)
        found = stored_totals(*of)
        wrong = len(given) > len(CANONICAL_FACTS) and of[1].name == "fact_sales"
        return {year: replace(t, mark=t.mark + 1) if wrong else t for year, t in found.items()}

    monkeypatch.setattr(specialize_facts, "stored_totals", changed)
    with pytest.raises(LoadError, match=r"not match the facts of.*fact_sales.*hash of all values"):
        run(settings)


@pytest.mark.postgres
def test_a_parcel_layer_changed_by_hand_is_brought_again(make: Make) -> None:
    settings = make("servers")
    record = run(settings)
    before = open_geometry(settings).read(COUNTY).table
    engine = sa.create_engine(settings.geometry_url.replace("://", "+psycopg2://"))
    with engine.begin() as connection:
        moved = f"UPDATE {COUNTY}.parcels SET geometry = ST_Translate(geometry, 0.1, 0)"
        connection.exec_driver_sql(moved)
    engine.dispose()
    assert "has been changed" in str(specialized_reason(settings, record))
    after = run(settings, "r2")
    assert after.rows["parcels"]["updated"] == before.num_rows
    assert open_geometry(settings).read(COUNTY).table.equals(before)
    assert specialized_reason(settings, after) is None


@BOTH
def test_a_source_without_features_leaves_the_published_layer(make: Make, stores: str) -> None:
    settings = make(stores)
    record = run(settings)
    change(settings, "DELETE FROM parcels_geometry")
    with pytest.raises(LoadError, match=r"new parcel layer is empty.*county demo_wa"):
        run(settings, "r2")
    assert open_geometry(settings).row_count(COUNTY) == record.rows["parcels"]["published"]


KILLED = """
import sys, time
from tests.services import test_specialize as t
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.pipelines import {module} as module

work = module.{function}
def stop(*given, **named):
    result = work(*given, **named)
    print("there", flush=True)
    time.sleep(60)
    return result

module.{function} = stop
t.run(Settings.model_validate_json({settings!r}), "killed")
"""


@BOTH
@pytest.mark.parametrize(
    ("module", "function"),
    [("etl_to_specialized_dbs", "bring_parcels"), ("specialize_facts", "CountyFacts.partition")],
)
def test_a_killed_step_leaves_the_old_state_and_the_next_one_finishes(
    make: Make, stores: str, module: str, function: str
) -> None:
    settings = make(stores)
    old = run(settings)
    change(settings, "UPDATE sales SET sale_price = sale_price + 1")
    code = KILLED.format(module=module, function=function, settings=settings.model_dump_json())
    killed = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert killed.stdout
    assert killed.stdout.readline() == "there\n"
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert specialized_reason(settings, old) is None
    with closing(open_analytics(settings)) as store:
        years = {"first_year": 2015, "last_year": 2026}
        assert analyze(store, "sales_by_month", county_id=COUNTY, **years).num_rows > 0
    assert open_geometry(settings).read(COUNTY).table.num_rows == old.rows["parcels"]["published"]
    after = run(settings, "r2")
    assert after.rows["fact_sales"]["replaced"] == after.rows["fact_sales"]["years"]
    assert specialized_reason(settings, after) is None
    assert "different rows in fact_sales" in str(specialized_reason(settings, old))
