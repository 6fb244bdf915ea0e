"""Tables for people: escaped, aligned, rounded, verdicts marked."""

import re
from datetime import date

import pytest

from terrafusion_lib.ui import tables
from terrafusion_lib.ui.html import Html, style_sheet
from tests.support.stored_run import RATIOS, statistic


def cells(shown: str) -> list[str]:
    return re.findall(r'<td class="number">([^<]*)</td>', shown)


@pytest.mark.parametrize(
    ("name", "values", "written"),
    [
        ("COD", [4.688, 7.5, 0.067], ["4.7", "7.5", "0.1"]),
        ("coefficient", [6.745, 0.655, -0.0001], ["6.745", "0.655", "0.000"]),
        ("rate", [12.04, 9.3, 1.717], ["12.0", "9.3", "1.7"]),
        ("price", [522.1, 11_912.4, 243.3], ["522", "11,912", "243"]),
        ("rows", [7, 12_345, None], ["7", "12,345", ""]),
    ],
)
def test_a_column_has_one_format(name: str, values: list, written: list[str]) -> None:
    assert cells(tables.show({name: value} for value in values)) == written


def test_each_fact_has_its_own_format() -> None:
    shown = tables.facts({"assessment_year": 2026, "parcels": 2026, "cod": 8.44, "ratio": 0.9614})
    assert cells(shown) == ["2026", "2,026", "8.4", "0.961"]


def test_dollars_are_whole_and_zero_has_no_sign() -> None:
    shown = tables.dollars({"base": 442_736.7, "land": 522.1, "rest": -0.0004, "not": float("nan")})
    assert cells(shown) == ["442,737", "522", "0", ""]
    assert "US dollars" in shown


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
    assert '<td class="number">0.970</td><td class="verdict met"' in shown


def test_verdicts_keep_their_color_without_the_style_sheet() -> None:
    shown = tables.ratio_study(RATIOS)
    assert '<td class="verdict met" style="color: #005b8f">' in shown
    assert '<td class="verdict not-met" style="color: #b84e00; font-weight: 600">' in shown


def test_a_study_cites_the_limits_that_its_rows_were_held_to() -> None:
    table = "Standard of 1999, table"
    rows = [
        statistic("median_ratio", 0.97, verdict="met", standard="Standard of 1999"),
        statistic("cod", 9.0, stratum="a", verdict="met", standard=f"{table}: homes"),
        statistic("cod", 9.0, stratum="b", verdict="met", standard=f"{table}: land"),
    ]
    shown = tables.ratio_study(rows)
    assert f"Limits: Standard of 1999; {table}: homes / land." in shown
    assert "Limits" not in tables.ratio_study(RATIOS)


def test_a_cod_of_mixed_types_says_why_it_has_no_verdict() -> None:
    level = statistic("median_ratio", 0.97, verdict="met", standard="S")
    mixed = [level, statistic("cod", 9.0)]
    assert tables.MIXED in tables.ratio_study(mixed)
    judged = [level, statistic("cod", 9.0, verdict="met", standard="S")]
    assert "no limit" not in tables.ratio_study(judged)
    special = [row | {"grouping": "property_type", "stratum": "special_purpose"} for row in mixed]
    assert tables.NO_LIMIT in tables.ratio_study(special, grouping="property_type")


def test_a_verdict_stands_after_its_statistic_also_when_the_first_line_has_none() -> None:
    rows = [
        statistic("cod", 9.0, study="appraised"),
        statistic("cod", 9.0, study="model_holdout", verdict="met"),
        statistic("prb", 0.01, verdict="met"),
    ]
    heads = re.findall(r"<th[^>]*>([^<]*)</th>", tables.ratio_study(rows))
    assert heads[3:] == ["COD", "COD verdict", "PRB", "PRB verdict"]


def test_the_furthest_sales_are_furthest_from_the_median_ratio() -> None:
    ratios = {"low": 0.60, "a": 0.80, "b": 0.81, "c": 0.82, "high": 1.15}
    sales = [
        dict.fromkeys(tables.FURTHEST) | {"sale_id": name, "ratio": ratio}
        for name, ratio in ratios.items()
    ]
    shown = tables.furthest_from_level(sales, rows=2)
    assert re.findall(r"<tr><td>(\w+)</td>", shown) == ["high", "low"]
    assert cells(shown)[-1] == "-0.210"
    assert "Nothing to show" in tables.furthest_from_level([])


def test_the_style_sheet_asks_nothing_of_the_network() -> None:
    assert "url(" not in style_sheet()
    assert "@import" not in style_sheet()
    assert "@media print" in style_sheet()
