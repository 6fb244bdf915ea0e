"""A whole valuation run over canonical tables: completeness, studies, fall-backs, determinism."""

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from terrafusion_lib.core.errors import PluginError, ValuationError
from terrafusion_lib.plugins.api import PluginResult, PluginRunError
from terrafusion_lib.plugins.valuation.model.saved_model import FILE_NAME, load_markets
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.plugin import plugin
from terrafusion_lib.plugins.valuation.subjects import Origin
from terrafusion_lib.plugins.valuation.workbench.workbench import Workbench
from tests.support.require import ROOT
from tests.support.synthetic_market import VALUATION_DATE, SyntheticMarket, synthetic_market

QUICK = {"bootstrap_replicates": 100, "min_ensemble_sales": 100_000}
"""Boosted trees take half a run and are left out of this market in the end."""


def run(market: SyntheticMarket, **params: object) -> PluginResult:
    return plugin.run(market.context(), ValuationParams(**(QUICK | params)))


def changed(table: pa.Table, column: str, values: object) -> pa.Table:
    number = table.column_names.index(column)
    return table.set_column(
        number, table.schema.field(column), pa.array(values, table.schema.field(column).type)
    )


def statistic(result: PluginResult, study: str, name: str, grouping: str = "overall") -> dict:
    for row in result.tables["ratio_statistics"].to_pylist():
        if (row["study"], row["grouping"], row["statistic"]) == (study, grouping, name):
            return row
    raise AssertionError(f"no {study} {grouping} {name}")


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    return synthetic_market(3_000)


@pytest.fixture(scope="module")
def small() -> SyntheticMarket:
    """For what needs no accuracy."""
    return synthetic_market(600)


@pytest.fixture(scope="module")
def result(market: SyntheticMarket) -> PluginResult:
    return run(market)


@pytest.fixture(scope="module")
def values(result: PluginResult) -> dict[str, np.ndarray]:
    table = result.tables["valuations"]
    return {name: table[name].to_numpy(zero_copy_only=False) for name in table.column_names}


def test_every_property_has_exactly_one_row(market, values) -> None:
    assert values["property_id"].tolist() == sorted(market.properties["property_id"].to_pylist())


def test_a_value_has_method_interval_confidence_and_no_excuse(values) -> None:
    valued = np.isfinite(values["estimated_value"].astype(float))
    assert valued.all()
    assert set(values["valuation_method"]) == {"comparable_sales", "trended_assessed_value"}
    assert np.all(values["low_value"] < values["estimated_value"])
    assert np.all(values["estimated_value"] < values["high_value"])
    assert np.all((values["confidence_score"] >= 0) & (values["confidence_score"] <= 1))
    assert all(reason is None for reason in values["not_valued_reason"])


def test_values_are_near_the_truth_and_bound_to_the_valuation_date(market, values) -> None:
    error = np.log(values["estimated_value"].astype(float) / market.truth)
    assert np.median(np.abs(error)) < 0.03
    assert set(values["valuation_date"]) == {np.datetime64("2026-01-01")}
    assert set(values["assessment_year"]) == {2026}


def test_comparables_reconcile_to_their_value(result: PluginResult, values) -> None:
    table = result.tables["valuation_comparables"]
    whole = table.append_column(
        "part", pc.multiply(table["weight"], table["indicated_value"])
    ).group_by("property_id")
    sums = whole.aggregate([("weight", "sum"), ("part", "sum"), ("rank", "max")])
    by_id = {row["property_id"]: row for row in sums.to_pylist()}
    for row in result.tables["valuations"].to_pylist():
        if row["valuation_method"] not in ("comparable_sales", "ensemble"):
            assert row["property_id"] not in by_id
            continue
        found = by_id[row["property_id"]]
        assert found["weight_sum"] == pytest.approx(1)
        assert found["part_sum"] == pytest.approx(row["comparable_value"])
        assert found["rank_max"] == row["comparables_used"] == 5
    own = pc.equal(table["property_id"], table["comparable_property_id"])
    assert not pc.any(own).as_py()
    assert pc.max(table["sale_date"]).as_py() < date(2026, 1, 1)


def test_sales_after_the_valuation_date_test_the_values_but_never_make_them(
    market: SyntheticMarket, result: PluginResult
) -> None:
    """A leak: double every later price; no value may move, every tested ratio must halve."""
    later = pc.greater_equal(market.sales["sale_date"], pa.scalar(date(2026, 1, 1)))
    doubled = pc.if_else(
        later, pc.multiply(market.sales["sale_price"], 2.0), market.sales["sale_price"]
    )
    planted = replace(market, sales=changed(market.sales, "sale_price", doubled.to_pylist()))
    again = run(planted)
    names = ["property_id", "estimated_value", "low_value", "high_value", "confidence_score"]
    before, after = (found.tables["valuations"].select(names) for found in (result, again))
    assert "trended_assessed_value" in result.tables["valuations"]["valuation_method"].to_pylist()
    assert before.equals(after)
    one = statistic(result, "model_holdout", "median_ratio")
    other = statistic(again, "model_holdout", "median_ratio")
    assert one["n"] == other["n"]
    assert other["estimate"] == pytest.approx(one["estimate"] / 2)


def test_a_county_without_neighborhoods_and_with_unknown_types_is_valued() -> None:
    bare = synthetic_market(1_000)
    size = bare.properties.num_rows
    unknown = [
        None if row % 50 == 0 else kind
        for row, kind in enumerate(bare.properties["property_type"].to_pylist())
    ]
    properties = changed(bare.properties, "neighborhood_code", [None] * size)
    properties = changed(properties, "property_type", unknown)
    kinds = dict(zip(properties["property_id"].to_pylist(), unknown, strict=True))
    sold = [kinds.get(name) for name in bare.sales["property_id"].to_pylist()]
    sales = changed(bare.sales, "neighborhood_code", [None] * bare.sales.num_rows)
    found = run(replace(bare, properties=properties, sales=changed(sales, "property_type", sold)))
    values = found.tables["valuations"].to_pylist()
    assert len(values) == size
    assert all(row["estimated_value"] > 0 for row in values)
    methods = {row["valuation_method"] for row in values if kinds[row["property_id"]] is None}
    assert methods == {"trended_assessed_value"}


@pytest.mark.slow
def test_the_saved_model_values_every_property_to_the_last_bit_as_the_run_did(
    market: SyntheticMarket, tmp_path: Path
) -> None:
    result = run(market, min_ensemble_sales=500)
    result.files[FILE_NAME](tmp_path / FILE_NAME)
    markets, about = load_markets(tmp_path / FILE_NAME)
    origin = Origin(float(about["latitude"]), float(about["longitude"]))
    bench = Workbench.open(market.properties, VALUATION_DATE, markets, origin)
    by_model = [row for row in result.tables["valuations"].to_pylist() if row["model_value"]]
    assert len(by_model) > 1_000
    for row in by_model[::7]:
        made = bench.appraise(row["property_id"])
        assert made.value == row["model_value"]
        assert (made.low, made.high) == (row["low_value"], row["high_value"])
        assert made.confidence == row["confidence_score"]


@pytest.mark.slow
def test_the_newest_sales_are_the_test_when_none_came_later(market: SyntheticMarket) -> None:
    before = pc.less(market.sales["sale_date"], pa.scalar(date(2026, 1, 1)))
    earlier = run(replace(market, sales=market.sales.filter(before)))
    assert "newest 20 %" in str(earlier.summary["model_holdout_test"])
    found = statistic(earlier, "model_holdout", "median_ratio")
    assert 0.95 < found["estimate"] < 1.05
    share = found["n"] / int(str(earlier.summary["market_sales"]))
    assert 0.15 < share < 0.25


@pytest.mark.slow
def test_the_assessed_study_sees_the_assessors_level_and_bias() -> None:
    biased = synthetic_market(4_000, assessed_bias=0.85, assessed_slope=-0.15)
    found = run(biased)
    level = statistic(found, "assessed", "median_ratio")
    assert level["estimate"] == pytest.approx(0.85, abs=0.02)
    assert level["verdict"] == "not met"
    prb = statistic(found, "assessed", "prb")
    assert prb["estimate"] == pytest.approx(-0.12, abs=0.03)
    assert prb["verdict"] == "not met"
    assert statistic(found, "model_holdout", "prb")["verdict"] == "met"


def test_the_assessed_study_uses_the_months_of_the_wac(market, result) -> None:
    """1 May before the year to 30 April of it (WAC 458-53-070): one year of valid sales."""
    table = market.sales.filter(
        pc.field("dor_valid")
        & (pc.field("sale_date") >= pa.scalar(date(2025, 5, 3)))
        & (pc.field("sale_date") < pa.scalar(date(2026, 4, 28)))
    )
    n = statistic(result, "assessed", "cod")["n"]
    assert 0.97 * table.num_rows <= n <= 1.06 * table.num_rows


def test_studies_are_stratified(result: PluginResult) -> None:
    table = result.tables["ratio_statistics"]
    assert set(table["study"].to_pylist()) == {"assessed", "model_holdout"}
    groupings = {"overall", "property_type", "neighborhood_code", "value_decile"}
    assert set(table["grouping"].to_pylist()) == groupings
    deciles = table.filter(pc.field("grouping") == "value_decile")["stratum"].unique()
    assert sorted(deciles.to_pylist()) == [f"{number:02d}" for number in range(1, 11)]
    home = [
        row
        for row in table.to_pylist()
        if row["stratum"] == "residential" and row["statistic"] == "cod"
    ]
    assert {row["limit_high"] for row in home} == {15.0}


def test_intervals_hold_their_share_of_unseen_prices(result: PluginResult) -> None:
    assert 0.85 <= float(str(result.summary["model_holdout_interval_coverage"])) <= 0.97


def test_types_with_too_few_sales_are_trended_and_told(market, values) -> None:
    kinds = np.asarray(market.properties["property_type"])
    order = np.argsort(market.properties["property_id"].to_pylist())
    trended = values["valuation_method"] == "trended_assessed_value"
    assert set(kinds[order][trended]) == {"agricultural"}
    reasons = [str(text) for text in values["review_reasons"][trended]]
    assert all("trended_value" in text for text in reasons)
    ratio = values["estimated_value"][trended] / market.truth[order][trended]
    assert np.median(ratio.astype(float)) == pytest.approx(1, abs=0.04)


def test_what_cannot_be_valued_is_listed_with_why(small: SyntheticMarket) -> None:
    bare = small.properties
    value = bare["current_market_value"].to_pylist()
    kind, area = bare["property_type"].to_pylist(), bare["building_area_sqft"].to_pylist()
    kind[0], value[0] = "special_purpose", None
    kind[1], value[1] = None, None
    kind[2], area[2] = "residential", None
    kind[3], area[3], value[3] = "residential", None, 0.0
    for name, column in (
        ("property_type", kind),
        ("building_area_sqft", area),
        ("current_market_value", value),
    ):
        bare = changed(bare, name, column)
    found = run(
        replace(small, properties=bare), property_ids=["100000", "100001", "100002", "100003"]
    )
    rows = found.tables["valuations"].to_pylist()
    assert [row["not_valued_reason"] for row in rows] == [
        "too few valid sales of special_purpose; no assessor's market value to trend",
        "property type unknown; no assessor's market value to trend",
        None,
        "too few valid sales of residential_land; no assessor's market value to trend",
    ]
    assert rows[2]["valuation_method"] == "trended_assessed_value"
    assert "trended_value" in rows[2]["review_reasons"]
    assert all(rows[i]["valuation_method"] is None for i in (0, 1, 3))
    assert all(rows[i]["estimated_value"] is None for i in (0, 1, 3))


def test_a_county_without_assessed_values_has_no_assessed_study(small: SyntheticMarket) -> None:
    none = changed(small.properties, "current_market_value", [None] * small.properties.num_rows)
    found = run(replace(small, properties=none))
    assert set(found.tables["ratio_statistics"]["study"].to_pylist()) == {"model_holdout"}
    assert "assessed_cod" not in found.summary
    assert int(str(found.summary["not_valued"])) > 0


def test_some_properties_get_the_values_they_have_in_the_whole(market, result) -> None:
    wanted = ("100007", "100003")
    few = run(market, property_ids=wanted).tables["valuations"]
    whole = result.tables["valuations"]
    same = whole.filter(pc.is_in(whole["property_id"], pa.array(wanted)))
    assert few.equals(same)


def test_unknown_properties_are_refused_with_the_nearest(small: SyntheticMarket) -> None:
    with pytest.raises(PluginError, match=r"1 affected.*For example 10000x.*did you mean"):
        run(small, property_ids=["10000x", "100001"])


def test_a_simulated_failure_has_its_reason_code(small: SyntheticMarket) -> None:
    with pytest.raises(PluginRunError, match="on purpose") as caught:
        run(small, property_ids=["PROP_FAIL_SIMULATION"])
    assert caught.value.reason_code == "simulated_processing_error"


def test_a_county_without_valid_sales_cannot_be_valued(small: SyntheticMarket) -> None:
    with pytest.raises(ValuationError, match="from 0 valid sales"):
        run(replace(small, sales=small.sales.slice(0, 0)))
    with pytest.raises(ValuationError, match="no property to value"):
        run(replace(small, properties=small.properties.slice(0, 0)))


def test_doubtful_values_are_flagged(small: SyntheticMarket) -> None:
    strict = run(small, review_threshold=1.0, review_change=1e-9)
    reasons = strict.tables["valuations"]["review_reasons"].to_pylist()
    assert all("large_change" in str(text) for text in reasons)
    assert sum("low_confidence" in str(text) for text in reasons) > 0.5 * len(reasons)
    assert all(str(text).split(",") == sorted(str(text).split(",")) for text in reasons)
    assert strict.summary["to_review"] == len(reasons)


def test_progress_reaches_the_end(small: SyntheticMarket) -> None:
    seen: list[tuple[str, int, int | None]] = []
    context = replace(
        small.context(),
        progress=lambda task, done, total: seen.append((task, done, total)),
    )
    plugin.run(context, ValuationParams(**QUICK))
    assert [task for task, done, total in seen if done == total] == [
        "fit markets",
        "value properties",
    ]


DIGEST = """
import hashlib
from tests.support.synthetic_market import synthetic_market
from terrafusion_lib.plugins.registry import load_plugin
import pyarrow as pa
plugin = load_plugin("valuation")
result = plugin.run(synthetic_market(900).context(), plugin.Params(bootstrap_replicates=20))
digest = hashlib.sha256()
for name in sorted(result.tables):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, result.tables[name].schema) as writer:
        writer.write_table(result.tables[name].combine_chunks())
    digest.update(sink.getvalue())
print(digest.hexdigest())
"""


@pytest.mark.slow
def test_threads_and_hash_seeds_do_not_change_a_byte() -> None:
    digests = set()
    for threads, seed in (("1", "0"), ("2", "17"), ("4", "3")):
        environment = os.environ | {
            "OPENBLAS_NUM_THREADS": threads,
            "OMP_NUM_THREADS": threads,
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": str(ROOT),
        }
        done = subprocess.run(
            [sys.executable, "-c", DIGEST],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        digests.add(done.stdout.strip())
    assert len(digests) == 1
    assert len(digests.pop()) == hashlib.sha256().digest_size * 2


def test_chased_values_are_told(market: SyntheticMarket, result: PluginResult) -> None:
    assert "sales_chasing_signals" not in result.summary
    sold = market.sales.filter(pc.and_(market.sales["dor_valid"], pc.less(
        market.sales["sale_date"], pa.scalar(VALUATION_DATE))))  # fmt: skip
    keys, prices = (sold[name].to_pylist() for name in ("property_id", "sale_price"))
    price = dict(zip(keys, prices, strict=True))
    roll = market.properties
    owned, values = (roll[name].to_pylist() for name in ("property_id", "current_market_value"))
    chased = [price.get(key, value) for key, value in zip(owned, values, strict=True)]
    found = run(replace(market, properties=changed(roll, "current_market_value", chased)))
    assert "all: price_bunching" in found.summary["sales_chasing_signals"]
    assert statistic(found, "assessed", "price_bunching")["verdict"] == "not met"
    assert statistic(found, "assessed", "price_bunching")["ci_low"] > 1.5


def test_the_latest_override_counts_and_one_of_nowhere_is_told(
    small: SyntheticMarket, result: PluginResult
) -> None:
    known = small.properties["property_id"][0].as_py()

    def override(name: str, value: float, day: int) -> dict[str, object]:
        return {"property_id": name, "value": value, "reason": "inspection", "who": "ana",
                "when": date(2026, 2, day)}  # fmt: skip

    given = (override(known, 222_000, 9), override(known, 111_000, 5), override("nowhere", 1, 5))
    found = run(small, overrides=given)
    rows = {row["property_id"]: row for row in found.tables["valuations"].to_pylist()}
    assert rows[known]["estimated_value"] == 222_000
    assert found.summary["overrides_on_unknown_properties"] == "nowhere"
    assert "overrides_on_unknown_properties" not in result.summary
