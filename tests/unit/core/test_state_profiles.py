"""State profiles: found by name, overlaid by a county, refused when they are wrong."""

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from terrafusion_lib.core import registry
from terrafusion_lib.core.county import CountyConfig, load_county
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.core.states.load import STATES, load_state
from tests.support.require import ROOT

OUTSIDE = "name: Elsewhere\ncode: EW\nfirst_house_year: 1700\n"


def test_every_profile_of_the_folder_is_valid_and_named_after_its_file() -> None:
    files = sorted(path.stem for path in (ROOT / "terrafusion_lib/core/states").glob("*.yaml"))
    assert STATES.names() == files
    for name in files:
        profile = load_state(name)
        assert profile.code is None or profile.code.lower() == name


def test_a_state_is_named_in_any_case_and_an_unknown_one_is_refused() -> None:
    assert load_state("WA") == load_state("wa")
    with pytest.raises(ConfigError) as refused:
        load_state("generic_usa")
    assert refused.value.hint == "did you mean generic_us?"


def test_a_county_knows_better_than_its_state_key_by_key() -> None:
    own = {"name": "Texas", "code": "TX", "places": {"zip_prefixes": ["750-799", 885]}}
    profile = load_state("generic_us", own)
    assert (profile.name, profile.code) == ("Texas", "TX")
    assert profile.places.zip_prefixes == ("750-799", "885")
    assert profile.plugins == load_state("generic_us").plugins


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"plases": {}}, "unknown key plases; did you mean places"),
        ({"statutes": {"market_valu": "x"}}, "statutes.market_valu; did you mean market_value"),
        ({"code": "Texas"}, "code"),
        ({"places": {"zip_prefixes": ["75"]}}, "three digits"),
        ({"places": {"latitude": [33.0, 32.0], "longitude": [1, 2]}}, "smaller comes first"),
        ({"places": {"latitude": [32.0, 33.0]}}, "latitude and longitude, or neither"),
    ],
)
def test_a_wrong_key_of_a_profile_is_refused(own: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_state("generic_us", own)


def test_an_installed_package_brings_a_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a_state").mkdir()
    (tmp_path / "a_state" / "__init__.py").write_text("")
    (tmp_path / "a_state" / "ew.yaml").write_text(OUTSIDE)
    monkeypatch.syspath_prepend(tmp_path)
    found = [EntryPoint("ew", "a_state:ew.yaml", STATES.group)]
    monkeypatch.setattr(registry, "entry_points", lambda group: found if group else [])
    assert load_state("EW").first_house_year == 1700
    (tmp_path / "a_state" / "ew.yaml").unlink()
    with pytest.raises(ConfigError, match="cannot be read from a_state"):
        load_state("ew")


def _county(folder: Path, text: str) -> CountyConfig:
    home = folder / "county_configs" / "test_xx"
    home.mkdir(parents=True)
    (home / "county.yaml").write_text(
        "county_id: test_xx\nname: Test\nassessment_year: 2026\nsources: {}\nmapping: m.yaml\n"
        + text
    )
    return load_county("test_xx", Settings(root=folder))


def test_a_county_without_a_state_has_nothing_of_washington(tmp_path: Path) -> None:
    county = _county(tmp_path, "")
    assert county.profile == load_state("generic_us")
    assert (county.crs, county.timezone) == ("", "UTC")


def test_an_unknown_state_is_refused_when_the_county_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no state profile 'wq'"):
        _county(tmp_path, "state: wq\n")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("{enabled: false}", "reason: field required"),
        ("{reason: too short}", "reason: string should have at least 10"),
        ("{reason: It changes nothing at all}", "nothing is changed"),
        ("{reason: It is off and has a limit, enabled: false, max: 3}", "takes no other key"),
    ],
)
def test_a_change_of_a_rule_says_what_and_why(tmp_path: Path, change: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"(?i){message}"):
        _county(tmp_path, f"expectations: {{rules: {{sales: {{sale_price_usual: {change}}}}}}}\n")
