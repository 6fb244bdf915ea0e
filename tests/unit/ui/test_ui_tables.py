"""Tables for people: escaped, aligned, rounded, verdicts marked."""

from datetime import date

import pytest

from terrafusion_lib.ui import tables
from terrafusion_lib.ui.html import Html, style_sheet
from tests.support.stored_run import RATIOS, statistic


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (1_234_567, "1,234,567"),
        (1_234.5, "1,234"),
        (7.0, "7"),
        (12.34, "12.3"),
        (0.9614, "0.961"),
        (-0.033, "-0.033"),
        (float("nan"), ""),
    ],
)
def test_numbers_are_rounded_by_their_size(value: float, shown: str) -> None:
    assert tables.number(value) == shown


def test_what_a_county_typed_cannot_become_markup() -> None:
    shown = tables.show([{"<b>owner</b>": "<script>alert(1)</script>", "hood": 'A "B" & C'}])
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown
    assert "<b>" not in shown
    assert "A &quot;B&quot; &amp; C" in shown


def test_number_columns_are_aligned_and_text_columns_are_not() -> None:
    shown = tables.show([{"name": "a", "rows": None}, {"name": "b", "rows": 1200}])
    assert '<th class="number">rows</th>' in shown
    assert '<td class="number"></td>' in shown
    assert '<td class="number">1,200</td>' in shown
    assert "<td>a</td>" in shown


def test_years_are_plain_and_dates_and_truth_are_words() -> None:
    row = {"assessment_year": 2026, "year_count": 5, "sold": date(2025, 3, 1), "valid": True}
    shown = tables.show([row])
    assert ">2026<" in shown
    assert "assessment year" in shown
    assert "2025-03-01" in shown
    assert "<td>yes</td>" in shown


def test_a_table_shows_itself_in_a_notebook() -> None:
    shown = tables.show([{"a": 1}])
    assert isinstance(shown, Html)
    assert shown._repr_html_() == shown
    assert isinstance(shown + "tail", Html)


def test_nothing_to_show_is_said() -> None:
    assert "Nothing to show" in tables.show([])


def test_chosen_columns_come_in_the_order_asked_for() -> None:
    shown = tables.show([{"b": 1, "a": 2, "hidden": 3}], ["a", "b"])
    assert shown.index(">a<") < shown.index(">b<")
    assert "hidden" not in shown


def test_facts_are_one_to_a_line() -> None:
    shown = tables.facts({"mean_confidence": 0.9, "rows": {"read": 10, "kept": None}})
    assert "mean confidence" in shown
    assert "read 10, kept –" in shown


def test_a_ratio_study_has_a_line_per_stratum_and_a_mark_per_verdict() -> None:
    shown = tables.ratio_study(RATIOS)
    assert "✓ met" in shown
    assert "✗ not met" in shown
    assert "too few" not in shown  # that stratum is of another grouping
    assert shown.count("<tr>") == 2  # the head and all sales
    grouped = tables.ratio_study(RATIOS, grouping="property_type")
    assert "residential" in grouped
    assert "· too few" in grouped


def test_a_statistic_without_estimate_leaves_an_empty_cell() -> None:
    rows = [
        statistic("median_ratio", None, stratum="few", n=1, verdict="too few"),
        statistic("median_ratio", 0.97, stratum="many", verdict="met"),
    ]
    shown = tables.ratio_study(rows)
    assert '<td class="number"></td><td class="verdict too-few">' in shown
    assert '<td class="number">0.970</td><td class="verdict met">' in shown


def test_the_style_sheet_asks_nothing_of_the_network() -> None:
    assert "url(" not in style_sheet()
    assert "@import" not in style_sheet()
    assert "@media print" in style_sheet()
