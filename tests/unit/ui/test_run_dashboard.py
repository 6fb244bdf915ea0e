"""The run summary dashboard: its parts, its filters, and an error in the place of a part."""

from typing import Any

import ipywidgets as widgets

from terrafusion_lib.core.settings import Settings
from terrafusion_lib.ui.dashboards import RunDashboard
from terrafusion_lib.ui.maps import OfflineMap
from tests.support.stored_run import COUNTY


def _all(widget: Any) -> list[Any]:
    return [widget, *(below for part in getattr(widget, "children", ()) for below in _all(part))]


def _dropdown(part: Any, label: str) -> widgets.Dropdown:
    (found,) = (w for w in _all(part) if isinstance(w, widgets.Dropdown) and w.description == label)
    return found


def _text(part: Any) -> str:
    return " ".join(w.value for w in _all(part) if isinstance(w, widgets.HTML))


def test_the_head_brings_the_style_the_run_and_the_study(stored_run: Settings) -> None:
    head = RunDashboard(COUNTY, settings=stored_run).head
    assert head.startswith("<style>")
    assert "assessment year 2026" in head
    assert "Assessor's values on the roll" in head
    assert "0.948 to 0.980" in head


def test_without_a_county_the_first_with_a_finished_run_is_shown(stored_run: Settings) -> None:
    assert "Demo" in RunDashboard("", "ann", stored_run).head
    assert "Demo" in RunDashboard("", None, stored_run).head


def test_a_county_without_a_run_is_a_sentence_and_no_other_part(stored_run: Settings) -> None:
    dashboard = RunDashboard("king_wa", settings=stored_run)
    assert "There is no finished run to show" in dashboard.head
    assert "Traceback" not in dashboard.head
    assert dashboard.ratio_study is None
    assert dashboard.map is None
    assert dashboard.rows is None


def test_grouping_changes_table_and_chart(stored_run: Settings) -> None:
    part = RunDashboard(COUNTY, settings=stored_run).ratio_study
    assert "residential" not in _text(part)
    _dropdown(part, "group by").value = "property_type"
    assert "residential" in _text(part)
    assert "<svg" in _text(part)


def test_a_filter_changes_map_and_legend(stored_run: Settings) -> None:
    part = RunDashboard(COUNTY, settings=stored_run).map
    assert "2 parcels" in _text(part)
    _dropdown(part, "type").value = "commercial"
    assert "1 parcels" in _text(part)
    assert any(isinstance(w, OfflineMap) for w in _all(part))


def test_filters_that_leave_nothing_leave_no_map(stored_run: Settings) -> None:
    part = RunDashboard(COUNTY, settings=stored_run).map
    _dropdown(part, "type").value = "commercial"
    _dropdown(part, "hood").value = "N1"
    assert "0 parcels" in _text(part)
    assert not any(isinstance(w, OfflineMap) for w in _all(part))


def test_the_map_can_be_colored_by_every_measure(stored_run: Settings) -> None:
    part = RunDashboard(COUNTY, settings=stored_run).map
    box = _dropdown(part, "color by")
    for _, measure in box.options:
        box.value = measure
        assert any(isinstance(w, OfflineMap) for w in _all(part))


def test_rows_and_steps_are_listed(stored_run: Settings) -> None:
    shown = RunDashboard(COUNTY, settings=stored_run).rows
    assert shown is not None
    assert ">1,097<" in shown
    assert "10_connect" in shown
