"""``terrafusion valuation tune`` and ``what-if``: what they answer, and what they refuse."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from terrafusion_lib.cli import app
from terrafusion_lib.core.errors import ConfigError, RunError
from terrafusion_lib.core.settings import Settings, get_settings
from terrafusion_lib.plugins.valuation.params import TreeSettings
from terrafusion_lib.plugins.valuation.workbench import open as opening
from terrafusion_lib.plugins.valuation.workbench import tuning
from terrafusion_lib.plugins.valuation.workbench.tuning import Trial
from tests.support.stored_market import store_market
from tests.support.synthetic_market import COUNTY


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return store_market(tmp_path_factory.mktemp("market"))


@pytest.fixture
def asked(project: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in project.environment().items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    yield lambda *arguments: CliRunner().invoke(app, ["valuation", *arguments])
    get_settings.cache_clear()


def test_trials_are_told_best_first(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = Trial(TreeSettings(), 250, 0.5, 0.0812, 11.5)
    monkeypatch.setattr(opening, "markets_of", lambda _: {"residential": None})
    monkeypatch.setattr(tuning, "tune", lambda *_, **__: [trial])
    done = asked("tune", COUNTY, "--trials", "1", "--json")
    assert done.exit_code == 0, done.exception
    (row,) = json.loads(done.stdout)
    assert (row["mean_error_pct"], row["cod"], row["trees"]) == (8.12, 11.5, 250)
    assert row["leaves"] == TreeSettings().leaves


@pytest.mark.parametrize(
    "arguments", [("tune",), ("what-if", "--property-id", "1", "--changes", "year_built=2000")]
)
def test_a_county_without_values_is_told(asked: Any, arguments: tuple[str, ...]) -> None:
    verb, *more = arguments
    done = asked(verb, COUNTY, *more)
    assert isinstance(done.exception, RunError)
    assert f"terrafusion run {COUNTY}" in str(done.exception)


def test_what_if_needs_a_change(asked: Any) -> None:
    done = asked("what-if", COUNTY, "--property-id", "1")
    assert isinstance(done.exception, ConfigError)
