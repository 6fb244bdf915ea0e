"""Finding and loading plugins."""

import pickle

import pytest

from terrafusion_lib.core.errors import PluginError
from terrafusion_lib.core.registry import PLUGINS
from terrafusion_lib.plugins import registry
from terrafusion_lib.plugins.api import PluginRunError
from tests.support.outside import add_outside


def test_the_valuation_plugin_is_built_in() -> None:
    source = PLUGINS.source("valuation")
    assert source.value == "terrafusion_lib.plugins.valuation.plugin:plugin"
    assert registry.load_plugin("valuation").name == "valuation"


def test_an_unknown_plugin_suggests_the_nearest() -> None:
    with pytest.raises(PluginError, match="did you mean valuation"):
        registry.load_plugin("valuatoin")
    with pytest.raises(PluginError, match="no plugin 'xyzzy'"):
        registry.load_plugin("xyzzy")


def test_a_duplicate_names_both_places(monkeypatch: pytest.MonkeyPatch) -> None:
    add_outside(monkeypatch, PLUGINS, "valuation", "other_package.plug:plugin")
    with pytest.raises(PluginError, match=r"terrafusion_lib.*and other_package.plug:plugin"):
        registry.plugin_names()


def test_an_outside_plugin_is_found_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    add_outside(monkeypatch, PLUGINS, "heat_map", "terrafusion_lib.plugins.valuation.plugin:plugin")
    assert "heat_map" in registry.plugin_names()
    with pytest.raises(PluginError, match="has the name 'valuation'"):
        registry.load_plugin("heat_map")


@pytest.mark.parametrize("value", ["no_such_package.plug:plugin", "math:no_such_plugin"])
def test_a_broken_plugin_is_a_plugin_error(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    add_outside(monkeypatch, PLUGINS, "broken", value)
    with pytest.raises(PluginError, match="broken cannot be loaded"):
        registry.load_plugin("broken")


def test_a_run_error_keeps_its_reason_code_across_processes() -> None:
    error = PluginRunError("It broke", reason_code="no_sales", county="demo_wa", count=3)
    again = pickle.loads(pickle.dumps(error))
    assert again.reason_code == "no_sales"
    assert str(again) == str(error) == "It broke (county demo_wa). 3 affected."
