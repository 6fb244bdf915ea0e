"""Cards and charts: headline figures with their verdict in words, pictures as plain SVG."""

import re

from terrafusion_lib.ui import cards, charts
from tests.support.drawings import legend_room, plot_left, wide
from tests.support.stored_run import RATIOS, SUMMARY, statistic


def levels(grouping: str, *strata: str) -> str:
    rows = [
        statistic("median_ratio", 0.95, grouping=grouping, stratum=stratum, study=study)
        for stratum in strata
        for study in ("appraised", "model_holdout")
    ]
    return str(charts.level_by_stratum(rows))


def test_the_head_says_county_year_run_and_age_of_the_data() -> None:
    shown = cards.run_head(SUMMARY)
    assert "Demo &lt;County&gt; · assessment year 2026" in shown
    assert SUMMARY["run_id"] in shown
    assert "data as of 2025-12-31" in shown


def test_rows_are_summed_over_tables_also_where_nothing_was_loaded() -> None:
    shown = cards.run_cards(SUMMARY)
    assert ">1,097<" in shown
    assert "of 1,205 read" in shown
    assert "150 of 172" in shown


def test_a_run_without_validation_still_has_its_cards() -> None:
    assert "0 of 0" in cards.run_cards(SUMMARY | {"expectations": {}})


def test_a_verdict_is_color_and_words() -> None:
    shown = cards.ratio_cards(RATIOS, "appraised")
    assert 'class="card met"' in shown
    assert "met · 0.948 to 0.980, n 40" in shown
    assert 'class="card not-met"' in shown
    assert "not met · n 40" in shown
    assert not re.search('class="card[ "]', cards.ratio_cards(RATIOS, "no_such_study"))


def test_a_statistic_without_estimate_shows_a_dash() -> None:
    rows = [statistic("cod", None, n=1, verdict="too few")]
    assert '<div class="value">–</div>' in cards.ratio_cards(rows, "appraised")


def test_a_chart_is_svg_with_the_band_and_no_outside_address() -> None:
    shown = charts.level_by_stratum(RATIOS[:2])
    assert "<svg" in shown
    assert charts.BAND in shown
    assert "median ratio" in shown
    assert "<script" not in shown
    outside = set(re.findall(r'https?://[^"\s)]+', shown))
    assert all(address.startswith("http://www.w3.org/") for address in outside)  # XML namespaces


def test_a_chart_of_a_study_without_standard_has_no_band() -> None:
    shown = charts.level_by_stratum([statistic("median_ratio", 0.95)])
    assert "<svg" in shown
    assert charts.BAND not in shown


def test_names_of_studies_and_types_are_words_with_room() -> None:
    drawn = levels("property_type", "manufactured_home")
    assert ">manufactured home<" in drawn
    assert ">model holdout<" in drawn
    assert legend_room(drawn) > 16 + wide("model holdout", 10)
    assert plot_left(drawn) > wide("manufactured home", 10)


def test_a_countys_own_codes_stay_as_typed() -> None:
    assert ">N_12<" in levels("neighborhood_code", "N_12")


def test_the_axis_says_what_the_strata_are() -> None:
    assert ">value decile, 01 lowest<" in levels("value_decile", "01", "02")
    assert ">neighborhood code<" in levels("neighborhood_code", "121001")
    assert ">overall<" not in levels("overall", "all")


def test_figures_of_a_card_have_the_decimals_of_their_statistic() -> None:
    rows = [statistic("cod", 4.688, ci_low=4.0, ci_high=11.25, verdict="met")]
    shown = cards.ratio_cards(rows, "appraised")
    assert '<div class="value">4.7</div>' in shown
    assert "4.0 to 11.2" in shown


def test_a_chart_of_nothing_is_a_sentence() -> None:
    shown = charts.level_by_stratum([statistic("median_ratio", None)])
    assert "<svg" not in shown
    assert "No stratum has enough sales" in shown


def test_a_chart_is_the_same_every_time() -> None:
    assert charts.level_by_stratum(RATIOS[:2]) == charts.level_by_stratum(RATIOS[:2])
