"""Rules take their limits from state and county; a county changes rules and says why."""

import json
from pathlib import Path

import pytest

from terrafusion_lib.core.county import RuleChange
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.core.states.load import load_state
from terrafusion_lib.validation.rules import Between, InSet, Matches
from terrafusion_lib.validation.suites import Suite, load_suites
from terrafusion_lib.validation.validate import validate_tables
from tests.support.canonical_rows import COUNTY, YEAR, good, write_rows
from tests.support.require import ROOT

ROLL = "properties_operational"
FOLDER = ROOT / "expectations"
TEXAS = {"name": "Texas", "code": "TX", "places": {"zip_prefixes": ["750-799", "885"]}}
DALLAS = "EPSG:2276"
"""Texas North Central, US survey feet: 31.7 to 34.6 north, 103.1 to 94.0 west."""


def rules(suite: Suite) -> dict[str, object]:
    return {rule.name: rule for rule in suite.rules}


def roll(state: str, crs: str = "", **own: object) -> dict[str, object]:
    return rules(load_suites(FOLDER, profile=load_state(state, own), crs=crs)[ROLL])


def test_no_shared_suite_knows_a_state() -> None:
    for path in FOLDER.glob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        assert not [word for word in ("Washington", "RCW", "WAC", "DOR") if word in text], path


def test_washington_gives_its_limits_words_and_statutes() -> None:
    found = roll("wa")
    latitude, value = found["latitude_in_region"], found["market_value_positive"]
    assert isinstance(latitude, Between)
    assert (latitude.min, latitude.max) == (45.5, 49.1)
    assert "outside Washington" in latitude.because
    assert value.source == "RCW 84.40.030"  # type: ignore[attr-defined]
    assert "class_fits_type" in found


@pytest.mark.parametrize("code", ["98001", "98699", "98801", "98999", "99001", "99499-1234"])
def test_zip_prefixes_make_the_pattern(code: str) -> None:
    import re

    rule = roll("wa")["situs_zip_in_state"]
    assert isinstance(rule, Matches)
    assert re.fullmatch(rule.pattern, code)
    for other in ("98701", "99501", "97999", "9800", "98001-12"):
        assert not re.fullmatch(rule.pattern, other)


def test_without_a_box_points_lie_where_the_countys_system_is_in_use() -> None:
    latitude = roll("generic_us", DALLAS, **TEXAS)["latitude_in_region"]
    assert isinstance(latitude, Between)
    assert (latitude.min, latitude.max) == pytest.approx((31.72, 34.58), abs=0.02)
    assert DALLAS in latitude.because


def test_a_rule_whose_limit_the_state_does_not_give_is_left_out() -> None:
    absent = {"class_fits_type", "inspection_cycle_valid", "property_class_format"}
    nowhere = {"situs_in_state", "situs_zip_in_state", "latitude_in_region"}
    assert not (absent | nowhere) & roll("generic_us").keys()
    texan = roll("generic_us", DALLAS, **TEXAS)
    assert not absent & texan.keys()
    assert nowhere <= texan.keys()
    assert isinstance(texan["situs_in_state"], InSet)
    assert texan["situs_in_state"].values == ("TX",)


def test_a_reason_that_names_no_fact_is_refused(tmp_path: Path) -> None:
    (tmp_path / "permits.yaml").write_text(
        "table: permits\nmeaning: One row per permit\nrules:\n  - {name: a, kind: not_null, "
        "column: permit_id, severity: error, because: No permit of $stat is so.}\n"
    )
    with pytest.raises(ConfigError, match=r"no fact \$stat.*did you mean state"):
        load_suites(tmp_path)


CHANGES = {
    ROLL: {
        "year_built_possible": RuleChange(
            reason="Two farmhouses are of the 17th century", min=1600, severity="warning"
        ),
        "market_value_positive": RuleChange(
            reason="Values are not published before August", enabled=False
        ),
    }
}


def test_a_county_changes_a_rule_and_the_record_says_so(tmp_path: Path) -> None:
    rows = [good(ROLL), good(ROLL, property_id="2", parcel_number="22222", year_built=1637)]
    rows.append(good(ROLL, property_id="3", parcel_number="33333", year_built=1500))
    rows[0] |= {"current_market_value": 0.0, "land_value": 0.0, "improvement_value": 0.0}
    result = validate_tables(
        load_suites(FOLDER, profile=load_state("wa"), changes=CHANGES),
        {ROLL: write_rows(tmp_path, ROLL, rows)},
        tmp_path / "out",
        parameters={"county_id": COUNTY, "assessment_year": YEAR},
        settings=Settings(),
        data_docs=False,
    )
    found = {rule.rule: rule for rule in result.rules}
    assert "market_value_positive" not in found
    built = found["year_built_possible"]
    assert (built.severity.value, built.failed, built.examples) == ("warning", 1, ("3",))
    told = json.loads((tmp_path / "out" / "results.json").read_text())["headline"]["changed_rules"]
    by_rule = {item["rule"]: item for item in told}
    assert by_rule["market_value_positive"]["change"] == "off"
    assert by_rule["market_value_positive"]["reason"] == "Values are not published before August"
    assert "min: 1600 (was 1800)" in by_rule["year_built_possible"]["change"]


@pytest.mark.parametrize(
    ("table", "rule", "keys", "message"),
    [
        ("sale", "sale_price_usual", {"enabled": False}, "did you mean sales"),
        ("sales", "sale_price_usal", {"enabled": False}, "did you mean sale_price_usual"),
        ("sales", "key_unique", {"enabled": False}, "rules of the schema hold in every county"),
        ("sales", "condition_on_scale", {"maxx": 9}, "unknown key maxx; did you mean max"),
        ("sales", "condition_on_scale", {"kind": "not_null"}, "cannot be changed"),
    ],
)
def test_a_change_that_does_not_fit_is_refused(
    table: str, rule: str, keys: dict[str, object], message: str
) -> None:
    change = RuleChange.model_validate({"reason": "A reason of ten letters"} | keys)
    with pytest.raises(ConfigError, match=message):
        load_suites(FOLDER, changes={table: {rule: change}})
