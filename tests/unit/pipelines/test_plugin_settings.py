"""What county.yaml says of plugins is checked before anything runs."""

from typing import Any

import pytest

from terrafusion_lib.core.county import CountyConfig, load_county
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.settings import get_settings
from terrafusion_lib.jobs.settings import check_plugins, plugin_params
from terrafusion_lib.plugins.registry import load_plugin
from terrafusion_lib.plugins.valuation.params import ValuationParams


def county(**plugins: dict[str, Any]) -> CountyConfig:
    return load_county("demo_wa", get_settings()).model_copy(update={"plugins": plugins})


def test_a_misspelled_plugin_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"plugins\.valuatin.*did you mean valuation"):
        check_plugins(county(valuatin={"round_to": 100}))


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"round_too": 100}, "did you mean round_to"),
        ({"equity": 1.5}, "equity: .*less than or equal to 1"),
        ({"max_change": "15%"}, "max_change: .*valid number"),
        ({"max_change": 15}, "max_change: .*less than or equal to 5"),
    ],
)
def test_a_wrong_setting_is_told_with_its_file(setting: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as told:
        check_plugins(county(valuation=setting))
    assert "county.yaml, plugins.valuation" in str(told.value)


def test_an_id_that_is_written_as_a_number_is_text() -> None:
    word = {
        "property_id": 10234,
        "value": 1,
        "reason": "appeal",
        "who": "ada",
        "when": "2026-05-03",
    }
    params = plugin_params(county(valuation={"overrides": [word]}), load_plugin("valuation"))
    assert params.overrides[0].property_id == "10234"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("state", "own", "deeds", "months"),
    [
        ("WA", {}, "QCD", 8),
        ("WA", {"study_months_before": 6}, "QCD", 6),
        ("generic_us", {}, "", 12),
        ("generic_us", {"invalid_deeds": {"QC": "quitclaim"}}, "QC", 12),
    ],
)
def test_parameters_come_from_the_state_then_the_county(
    state: str, own: dict[str, object], deeds: str, months: int
) -> None:
    place = county(valuation=own).model_copy(update={"state": state})
    params = plugin_params(place, load_plugin("valuation"))
    assert isinstance(params, ValuationParams)
    assert next(iter(params.invalid_deeds), "") == deeds
    assert params.study_months_before == months


def test_only_washingtons_exports_cite_washingtons_law() -> None:
    texan = county().model_copy(update={"state": "generic_us"})
    export = load_plugin("gis_export")
    assert "RCW" in plugin_params(county(), export).model_dump()["license"]
    assert "RCW" not in plugin_params(texan, export).model_dump()["license"]
