"""Pictures of ratio studies: what they must show can be read from their SVG."""

import re
from datetime import date

import pytest

from terrafusion_lib.ui import charts, study_charts
from tests.support.drawings import legend_room, wide


@pytest.fixture
def sales() -> list[dict[str, object]]:
    return [
        {
            "sale_id": f"S{number:03d}",
            "ratio": 0.8 + 0.004 * number,
            "adjusted_price": 200_000.0 + 5_000 * number,
            "latitude": 46.2 + 0.001 * number,
            "longitude": -119.3 + 0.0005 * number,
        }
        for number in range(100)
    ]


def test_the_histogram_says_how_many_and_where_the_median_lies(sales) -> None:
    drawn = study_charts.ratio_histogram(sales)
    assert "100 sales, median ratio 0.998" in drawn
    heights = [float(found) for found in re.findall(r"sales: (\d+)", drawn)]
    assert sum(heights) == 100


def test_ratios_beyond_the_picture_are_counted_in_its_last_bars(sales) -> None:
    wild = [*sales, {**sales[0], "ratio": 7.0}, {**sales[0], "ratio": 0.01}]
    heights = re.findall(r"sales: (\d+)", study_charts.ratio_histogram(wild))
    assert sum(map(int, heights)) == 102


@pytest.mark.parametrize(
    ("draw", "where"),
    [
        (study_charts.ratio_histogram, "counted in the outermost bars"),
        (lambda rows: study_charts.ratio_against_price(rows, None), "drawn at the edge"),
    ],
)
def test_a_picture_says_how_many_ratios_lie_beyond_it(sales, draw, where: str) -> None:
    wild = [*sales, *({**sales[0], "ratio": ratio} for ratio in (0.01, 7.0, 8.0))]
    assert f"1 below 0.4 and 2 above 1.6, {where}" in draw(wild)
    assert f"2 above 1.6, {where}" in draw([row for row in wild if row["ratio"] > 0.4])
    assert where not in draw(sales)


def test_a_picture_says_when_it_leaves_sales_out(sales) -> None:
    many = sales * 41
    assert "2,050 of 4,100 sales drawn" in study_charts.ratio_against_price(many, None)


def test_the_bias_is_said_in_words(sales) -> None:
    drawn = study_charts.ratio_against_price(sales, -0.031)
    assert "-3.1 % for each doubling of value (PRB)" in drawn
    assert "PRB" not in study_charts.ratio_against_price(sales, None)


def test_prices_on_the_axis_are_round_and_within_the_sales(sales) -> None:
    drawn = study_charts.ratio_against_price(sales, None)
    assert re.findall(r">(\$[\d.]+[kM])<", drawn) == ["$200k", "$500k"]


def test_a_map_needs_places(sales) -> None:
    assert "Ratios by location" in study_charts.ratio_map(sales)
    nowhere = [{**row, "latitude": None} for row in sales]
    assert "Nothing to draw" in study_charts.ratio_map(nowhere)


def test_a_map_is_orange_above_and_blue_below_and_never_pink(sales) -> None:
    points = re.findall(r'fill="rgb\((\d+), (\d+), (\d+)\)" stroke=', _drawn_map(sales))
    assert len(points) == 100
    for red, green, blue in (map(int, point) for point in points):
        assert green + 1 >= min(red, blue)  # pink has less green than red and blue


def test_points_of_a_map_have_an_outline_and_its_legend_room_for_the_words(sales) -> None:
    drawn = _drawn_map(sales)
    assert drawn.count(f'stroke="{charts.GRAY}" stroke-width="0.4"') >= 100
    assert legend_room(drawn) > wide("off median", 11)
    assert ">0%<" in drawn


def _drawn_map(sales) -> str:
    return str(study_charts.ratio_map(sales))


def test_importance_puts_the_largest_first() -> None:
    rows = [{"size": 50_000.0, "view": -1_000.0, "land": None}] * 3
    drawn = study_charts.importance(rows, ("view", "land", "size"))
    names = re.findall(r">(size|view|land)<", drawn)
    assert names == ["size", "view", "land"]


def test_the_index_draws_only_the_areas_asked_for() -> None:
    rows = [
        {"area": area, "month": date(2025, month, 1), "price_level": 1.0, "low": 0.9, "high": 1.1}
        for area in ("north", "south")
        for month in (1, 2, 3)
    ]
    drawn = study_charts.market_index(rows, ["north"])
    assert "north" in drawn
    assert "south" not in drawn
    assert "Nothing to draw" in study_charts.market_index(rows, [])


@pytest.mark.parametrize("draw", [study_charts.ratio_histogram, study_charts.ratio_map])
def test_nothing_is_said_to_be_nothing(draw) -> None:
    assert "Nothing to draw" in draw([])
