"""Tuning: the best comes first, a stopped search goes on, and settings reach the trees."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from terrafusion_lib.core.errors import ConfigError, ValuationError
from terrafusion_lib.plugins.valuation.model.markets import Market, fit_markets
from terrafusion_lib.plugins.valuation.params import TreeSettings, ValuationParams
from terrafusion_lib.plugins.valuation.sales.prepare import prepare_sales
from terrafusion_lib.plugins.valuation.subjects import Sales, properties_as_units
from terrafusion_lib.plugins.valuation.workbench import tuning
from tests.support.synthetic_market import VALUATION_DATE, synthetic_market

PARAMS = ValuationParams(min_ensemble_sales=100)


@pytest.fixture(scope="module")
def sales() -> Sales:
    market = synthetic_market(2_000)
    units = properties_as_units(market.properties, VALUATION_DATE)
    return prepare_sales(market.sales, market.properties, units, VALUATION_DATE, PARAMS).market


@pytest.fixture(scope="module")
def market(sales: Sales) -> Market:
    return fit_markets(sales, PARAMS, seed=0)["residential"]


def counted(monkeypatch: pytest.MonkeyPatch) -> list[TreeSettings]:
    made: list[TreeSettings] = []
    real = tuning.second_level

    def second_level(*arguments, settings, **others):
        made.append(settings)
        return real(*arguments, settings=settings, **others)

    monkeypatch.setattr(tuning, "second_level", second_level)
    return made


@pytest.mark.slow
def test_a_stopped_search_goes_on_and_ends_as_one_that_was_not(
    market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = counted(monkeypatch)
    whole = tuning.tune(market, trials=4, journal=tmp_path / "whole.jsonl")
    assert [trial.error for trial in whole] == sorted(trial.error for trial in whole)
    assert made[0] == TreeSettings()
    assert len(set(made)) == 4

    journal = tmp_path / "deep" / "stopped.jsonl"
    tuning.tune(market, trials=2, journal=journal)
    journal.write_text(journal.read_text() + '{"sales": "to', encoding="utf-8")
    made.clear()
    assert tuning.tune(market, trials=4, journal=journal) == whole
    assert len(made) == 2
    made.clear()
    assert tuning.tune(market, trials=4, journal=journal, threads=2) == whole
    assert made == []


@pytest.mark.slow
def test_trials_of_other_sales_or_another_seed_do_not_count(
    market: Market, sales: Sales, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / "trials.jsonl"
    tuning.tune(market, trials=1, journal=journal)
    made = counted(monkeypatch)
    tuning.tune(market, trials=1, journal=journal, seed=7)
    fewer = fit_markets(sales.take(np.arange(len(sales)) % 10 > 0), PARAMS, seed=0)
    tuning.tune(fewer["residential"], trials=1, journal=journal)
    assert len(made) == 2
    assert len({json.loads(line)["sales"] for line in journal.read_text().splitlines()}) == 3


@pytest.mark.slow
def test_settings_of_the_county_reach_its_trees(sales: Sales) -> None:
    """On a market with a corner that no sum of effects tells, so that trees are worth it."""
    unit = sales.unit
    corner = (unit.trait("quality") >= 40) & (unit.trait("building_area_sqft") > 1_800)
    price = np.where(corner & (unit.trait("year_built") < 1980), 2.0, 1.0) * sales.price
    sales = replace(sales, price=price)

    def leaves(**settings: float) -> int:
        params = PARAMS.model_copy(update={"trees": TreeSettings(**settings)})
        booster = fit_markets(sales, params, seed=0)["residential"].ensemble.booster
        assert booster is not None
        return max(
            tree["num_leaves"]
            for grown in booster.boosters
            for tree in grown.dump_model()["tree_info"]
        )

    assert leaves(leaves=4) == 4 < leaves(leaves=15) <= 15


@pytest.mark.slow
def test_too_few_sales_are_told(sales: Sales, tmp_path: Path) -> None:
    few = fit_markets(sales, ValuationParams(min_ensemble_sales=100_000), seed=0)["residential"]
    with pytest.raises(ValuationError, match="too few for trees"):
        tuning.tune(few, trials=1, journal=tmp_path / "trials.jsonl")


def test_a_wrong_setting_is_named() -> None:
    from terrafusion_lib.core.config import parse

    with pytest.raises(ConfigError, match="leafs"):
        parse(ValuationParams, {"trees": {"leafs": 3}}, where="county.yaml")
