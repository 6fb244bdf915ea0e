"""Stored results as dashboards read them."""

import pytest

from terrafusion_lib.core.errors import RunError
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.ui.results import load_run
from tests.support.stored_run import COUNTY, RATIOS, RUN


def test_the_promoted_run_is_read_with_its_values_and_ratio_study(stored_run: Settings) -> None:
    view = load_run(stored_run, COUNTY)
    assert view.summary["run_id"] == RUN
    assert len(view.ratios) == len(RATIOS)
    valued, not_valued = view.parcels.drop_columns("geometry").to_pylist()
    assert (valued["property_id"], valued["estimated_value"]) == ("1", 250_000.0)
    assert valued["change"] == pytest.approx(0.25)
    assert not_valued["estimated_value"] is None


def test_a_shape_without_a_property_is_not_drawn(stored_run: Settings) -> None:
    assert load_run(stored_run, COUNTY).parcels["property_id"].to_pylist() == ["1", "2"]


def test_a_run_can_be_asked_for_by_id(stored_run: Settings) -> None:
    assert load_run(stored_run, COUNTY, RUN).summary["run_id"] == RUN
    with pytest.raises(RunError, match="no finished run"):
        load_run(stored_run, COUNTY, "20200101-no-such")


def test_a_county_without_a_run_says_what_to_do(stored_run: Settings) -> None:
    with pytest.raises(RunError, match="terrafusion run king_wa"):
        load_run(stored_run, "king_wa")


def test_choices_of_a_filter_are_sorted(stored_run: Settings) -> None:
    view = load_run(stored_run, COUNTY)
    assert view.choices("property_type") == ["commercial", "residential"]
