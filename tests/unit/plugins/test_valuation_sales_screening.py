"""Screening of sales: every rule, people's decisions, and that no price keeps itself out."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from terrafusion_lib.core.states.load import load_state
from terrafusion_lib.plugins.api import PluginResult
from terrafusion_lib.plugins.valuation.params import SaleDecision, ValuationParams
from terrafusion_lib.plugins.valuation.plugin import plugin
from terrafusion_lib.plugins.valuation.sales.completeness import completeness
from terrafusion_lib.plugins.valuation.sales.evidence import robust_scores
from terrafusion_lib.plugins.valuation.sales.prepare import PreparedSales, prepare_sales
from terrafusion_lib.plugins.valuation.subjects import properties_as_subjects
from terrafusion_lib.stats.study import ALL
from tests.support.synthetic_market import VALUATION_DATE, SyntheticMarket, synthetic_market

NO_TREES = {"bootstrap_replicates": 0, "min_ensemble_sales": 100_000}
"""Verdicts need no boosted trees and no intervals, which take most of a run."""
PARAMS = ValuationParams(**NO_TREES, **load_state("wa").plugins["valuation"])


def with_column(market: SyntheticMarket, name: str, values: object) -> SyntheticMarket:
    number = market.sales.column_names.index(name)
    field = market.sales.schema.field(name)
    column = pa.array(values, field.type, from_pandas=True)
    return replace(market, sales=market.sales.set_column(number, field, column))


def rows_of(result: PluginResult) -> dict[str, dict]:
    rows = result.tables["sales_validation"].to_pylist()
    return {f"{row['sale_id']}/{row['property_id']}": row for row in rows}


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    return synthetic_market(800)


@pytest.fixture(scope="module")
def verdicts(market: SyntheticMarket) -> dict[str, dict]:
    return rows_of(plugin.run(market.context(), PARAMS))


def prepared(market: SyntheticMarket, params: ValuationParams = PARAMS) -> PreparedSales:
    units = properties_as_subjects(market.properties, VALUATION_DATE)
    return prepare_sales(market.sales, market.properties, units, VALUATION_DATE, params)


def key(market: SyntheticMarket, row: int) -> str:
    sale = market.sales.slice(row, 1).to_pylist()[0]
    return f"{sale['sale_id']}/{sale['property_id']}"


def first_valids(market: SyntheticMarket, count: int) -> list[int]:
    """Rows of recent valid sales of homes, each of a parcel of its own."""
    valid = market.sales["dor_valid"].to_numpy(zero_copy_only=False)
    area = market.sales["building_area_sqft"].to_numpy(zero_copy_only=False)
    days = market.sales["sale_date"].to_numpy(zero_copy_only=False)
    recent = (days > np.datetime64("2024-01-01")) & (days < np.datetime64("2025-12-01"))
    _, once = np.unique(
        market.sales["property_id"].to_numpy(zero_copy_only=False), return_index=True
    )
    rows = np.flatnonzero(valid & np.isfinite(area) & recent)
    return rows[np.isin(rows, once)][:count].tolist()


def first_valid(market: SyntheticMarket) -> int:
    return first_valids(market, 1)[0]


def test_every_sale_has_one_verdict(market: SyntheticMarket, verdicts: dict[str, dict]) -> None:
    assert len(verdicts) == market.sales.num_rows
    assert {row["verdict"] for row in verdicts.values()} == {"valid", "invalid", "suspect"}
    for row in verdicts.values():
        assert (row["verdict"] == "valid") == (row["reasons"] is None)


def test_an_odd_price_makes_a_sale_suspect_and_does_not_keep_it_out(
    market: SyntheticMarket,
) -> None:
    row = first_valid(market)
    price = market.sales["sale_price"].to_numpy().copy()
    price[row] *= 6
    odd = with_column(market, "sale_price", price)
    found = rows_of(plugin.run(odd.context(), PARAMS))[key(market, row)]
    assert found["verdict"] == "suspect"
    assert "model's value" in found["reasons"]
    assert found["model_ratio"] > 4
    sale_id = market.sales["sale_id"][row].as_py()
    assert sale_id in prepared(odd).market.sale_id


def test_a_test_sale_is_never_left_out_for_its_price(market: SyntheticMarket) -> None:
    days = market.sales["sale_date"].to_numpy()
    price = market.sales["sale_price"].to_numpy().copy()
    price[days >= np.datetime64(VALUATION_DATE)] *= 6
    assert len(prepared(with_column(market, "sale_price", price)).later) == len(
        prepared(market).later
    )


RELATIONS = [
    (True, "same surname", "suspect"),
    (False, None, "suspect"),
    (False, "same party", "invalid"),
]


def test_related_parties_are_evidence(market: SyntheticMarket) -> None:
    rows = first_valids(market, len(RELATIONS))
    relations: list[str | None] = [None] * market.sales.num_rows
    codes = {name: market.sales[name].to_pylist() for name in ("dor_valid", "county_valid")}
    for row, (coded_valid, relation, _) in zip(rows, RELATIONS, strict=True):
        relations[row] = relation
        for column in codes.values():
            column[row] = coded_valid
    planted = with_column(market, "party_relation", relations)
    for name, column in codes.items():
        planted = with_column(planted, name, column)
    found, used = rows_of(plugin.run(planted.context(), PARAMS)), prepared(planted).market.sale_id
    for row, (coded_valid, relation, verdict) in zip(rows, RELATIONS, strict=True):
        told = found[key(market, row)]
        assert told["verdict"] == verdict
        assert (f"seller and buyer: {relation}" in told["reasons"]) == (relation is not None)
        assert (market.sales["sale_id"][row].as_py() in used) == coded_valid


DEEDS = {"QCD": "09", "TD": "06", "COR ": "12"}


def test_a_deed_that_is_no_sale_decides(market: SyntheticMarket) -> None:
    rows = first_valids(market, len(DEEDS))
    deeds: list[str | None] = ["SWD"] * market.sales.num_rows
    for row, deed in zip(rows, DEEDS, strict=True):
        deeds[row] = deed
    planted = with_column(market, "deed_type", deeds)
    found, ready = rows_of(plugin.run(planted.context(), PARAMS)), prepared(planted)
    for row, numeral in zip(rows, DEEDS.values(), strict=True):
        told = found[key(market, row)]
        assert (told["verdict"], told["decided_by"]) == ("invalid", "machine")
        assert told["wac_numeral"] == numeral
        assert market.sales["sale_id"][row].as_py() not in ready.market.sale_id
    assert ready.left_out["invalid_deed_or_decision"] == len(DEEDS)


def test_a_person_overrules_and_the_latest_word_counts(market: SyntheticMarket) -> None:
    row = first_valid(market)
    sale = market.sales["sale_id"][row].as_py()

    def decided(*words: tuple[bool, int]) -> ValuationParams:
        decisions = tuple(
            SaleDecision(
                sale_id=sale, valid=valid, reason="interview", who="ana", when=date(2026, 1, day)
            )
            for valid, day in words
        )
        return ValuationParams(**NO_TREES, sales_decisions=decisions)

    out = prepared(market, decided((False, 5)))
    assert sale not in out.market.sale_id
    back = prepared(market, decided((True, 9), (False, 5)))
    assert sale in back.market.sale_id
    found = rows_of(plugin.run(market.context(), decided((False, 5))))[key(market, row)]
    assert (found["verdict"], found["decided_by"]) == ("invalid", "person")
    assert "ana, 2026-01-05: interview" in found["reasons"]


def test_a_decision_on_a_sale_that_is_not_there_is_told(market: SyntheticMarket) -> None:
    decision = SaleDecision(
        sale_id="nowhere", valid=False, reason="typed wrong", who="ana", when=date(2026, 1, 1)
    )
    params = ValuationParams(**NO_TREES, sales_decisions=(decision,))
    summary = plugin.run(market.context(), params).summary
    assert summary["decisions_on_unknown_sales"] == "nowhere"


def test_a_sale_coded_invalid_that_looks_like_any_other_is_shown(
    market: SyntheticMarket, verdicts: dict[str, dict]
) -> None:
    coded = market.sales["dor_valid"].to_numpy(zero_copy_only=False)
    near = [
        row
        for row in np.flatnonzero(coded)[:400]
        if abs(np.log(verdicts[key(market, int(row))]["model_ratio"] or 9)) < 0.03
    ]
    row = int(near[0])
    codes = coded.copy()
    codes[row] = False
    planted = with_column(with_column(market, "dor_valid", codes), "county_valid", codes)
    found = rows_of(plugin.run(planted.context(), PARAMS))[key(market, row)]
    assert found["verdict"] == "suspect"
    assert "deed and price look valid" in found["reasons"]


def test_a_parcel_conveyed_twice_within_a_month_is_suspect(market: SyntheticMarket) -> None:
    row = first_valid(market)
    again = market.sales.slice(row, 1).to_pylist()[0]
    again |= {"sale_id": "AGAIN", "sale_date": again["sale_date"] + timedelta(days=20)}
    extra = pa.Table.from_pylist([again], schema=market.sales.schema)
    chained = replace(market, sales=pa.concat_tables([market.sales, extra]))
    found = rows_of(plugin.run(chained.context(), PARAMS))[key(market, row)]
    assert "within a month" in found["reasons"]


def test_an_outlier_cannot_hide_itself() -> None:
    """Nine in thirty are wild: the mean and the standard deviation would let them pass."""
    rng = np.random.default_rng(0)
    value = np.concatenate([rng.normal(0, 0.1, 21), np.full(9, 3.0)])
    score = robust_scores(value, np.full(30, "a", dtype=object))
    assert score[21:].min() > 10
    assert np.abs((3.0 - value.mean()) / value.std()) < 2


def test_scores_do_not_depend_on_order_or_currency() -> None:
    rng = np.random.default_rng(1)
    value = rng.normal(0, 1, 200)
    segment = rng.choice(["a", "b"], 200).astype(object)
    order = rng.permutation(200)
    score = robust_scores(value, segment)
    np.testing.assert_allclose(robust_scores(value[order], segment[order]), score[order])
    np.testing.assert_allclose(robust_scores(value + 7, segment), score)
    small = robust_scores(value[:10], segment[:10])
    assert np.isnan(small).all()


def test_no_sales_and_no_codes(market: SyntheticMarket) -> None:
    none = replace(market, sales=market.sales.slice(0, 0))
    assert len(prepared(none).market) == 0
    assert completeness(prepared(none).market).sales.size == 0
    nothing: list[None] = [None] * market.sales.num_rows
    uncoded = with_column(with_column(market, "dor_valid", nothing), "county_valid", nothing)
    assert "all priced sales used" in prepared(uncoded).codes_used


def test_a_month_without_its_sales_raises_an_alarm(market: SyntheticMarket) -> None:
    sales = prepared(synthetic_market(8_000)).market
    month = np.datetime64("2025-06", "M")
    gone = sales.take(sales.sale_date.astype("datetime64[M]") != month)
    before, after = completeness(sales), completeness(gone)
    at = (after.area == ALL) & (after.month == month)
    assert not before.alarm[(before.area == ALL) & (before.month == month)].any()
    assert after.alarm[at].all()
    assert after.sales[at].sum() == 0
    assert before.alarm.mean() < 0.02
    assert before.sales[before.area == ALL].sum() == len(sales)
