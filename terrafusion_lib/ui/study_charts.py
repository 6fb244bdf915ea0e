"""Standard charts of a ratio study and a model, as SVG."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np

from terrafusion_lib.ui.charts import BAND, BLUE, GRAY, ORANGE, as_svg, finished, rows_of
from terrafusion_lib.ui.html import Html, styled

Rows = Sequence[Mapping[str, Any]]
RATIO_RANGE = (0.4, 1.6)
LEVEL = (0.90, 1.10)
"""Acceptable level of appraisal, IAAO Standard on Ratio Studies (2013), table 2-3."""
BIN = 0.05
MOST_POINTS = 4_000
MAP_HEIGHT = 420
MAP_RANGE = 0.3
MAP_INK = 40_000
"""Square pixels of all points of a map together, within the smallest and largest point."""
HALF_YEARS = alt.Axis(format="%b %Y", tickCount=alt.TimeIntervalStep(interval="month", step=6))


def ratio_histogram(sales: Rows, *, width: int = 520) -> Html:
    """Distribution of ratios with the acceptable level shaded and the median marked.

    Parameters
    ----------
    sales : sequence of mapping
        Rows of ``core.schema.SALE_RATIOS`` of one study. Ratios beyond 0.4 and 1.6 are counted in
        the outermost bars.
    """
    ratios = np.array([row["ratio"] for row in sales], dtype=np.float64)
    if not ratios.size:
        return _nothing()
    edges = np.arange(RATIO_RANGE[0], RATIO_RANGE[1] + BIN / 2, BIN)
    counts, _ = np.histogram(np.clip(ratios, edges[0], edges[-1] - 1e-9), edges)
    bars = [
        {"from": float(edges[i]), "to": float(edges[i + 1]), "sales": int(count), "none": 0}
        for i, count in enumerate(counts)
    ]
    chart = alt.LayerChart(
        layer=[
            _band(),
            alt.Chart(rows_of(*bars))
            .mark_bar(color=BLUE, opacity=0.8)
            .encode(
                x=alt.X("from:Q", title="ratio", scale=alt.Scale(domain=RATIO_RANGE, zero=False)),
                x2="to:Q",
                y=alt.Y("sales:Q", title="sales"),
                y2="none:Q",
            ),
            _rule("x", float(np.median(ratios))),
        ]
    )
    title = f"{ratios.size:,} sales, median ratio {np.median(ratios):.3f}"
    notes = _beyond(ratios, "counted in the outermost bars")
    return as_svg(finished(chart, title, width, notes=notes))


def ratio_against_price(sales: Rows, prb: float | None, *, width: int = 520) -> Html:
    """Ratio against price, with the line of the price-related bias.

    Parameters
    ----------
    prb : float or None
        Price-related bias of the same sales; no line without it. At most 4,000 sales are drawn,
        evenly over the prices.
    """
    if not sales:
        return _nothing()
    shown = _evenly(sales)
    points = [
        {"price": row["adjusted_price"], "ratio": float(np.clip(row["ratio"], *RATIO_RANGE))}
        for row in shown
    ]
    price = _price_axis([point["price"] for point in points])
    layers = [
        alt.Chart(rows_of({"from": LEVEL[0], "to": LEVEL[1]}))
        .mark_rect(color=BAND)
        .encode(y="from:Q", y2="to:Q"),
        alt.Chart(rows_of(*points))
        .mark_circle(size=20, opacity=0.5, color=BLUE)
        .encode(x=price, y=alt.Y("ratio:Q", title="ratio", scale=alt.Scale(zero=False))),
    ]
    if prb is not None:
        line = alt.Chart(rows_of(*_prb_line(sales, prb)))
        layers.append(line.mark_line(color=ORANGE, strokeWidth=2).encode(x=price, y="ratio:Q"))
    said = "" if prb is None else f": {100 * prb:+.1f} % for each doubling of value (PRB)"
    notes = _beyond([row["ratio"] for row in shown], "drawn at the edge")
    if len(shown) < len(sales):
        notes.insert(0, f"{len(shown):,} of {len(sales):,} sales drawn, evenly over the prices")
    chart = alt.LayerChart(layer=layers)
    return as_svg(finished(chart, f"Ratio against price{said}", width, notes=notes))


def _evenly(sales: Rows) -> Rows:
    """At most `MOST_POINTS` sales, evenly over the prices."""
    ordered = sorted(sales, key=lambda row: (row["adjusted_price"], row["sale_id"]))
    return ordered[:: -(-len(ordered) // MOST_POINTS)]


def _beyond(ratios: Sequence[float] | np.ndarray, where: str) -> list[str]:
    """A note about ratios outside the chart; empty if none."""
    low, high = RATIO_RANGE
    below, above = (int(np.sum(side)) for side in (np.less(ratios, low), np.greater(ratios, high)))
    counts = [f"{below:,} below {low}"] * (below > 0) + [f"{above:,} above {high}"] * (above > 0)
    return [f"{' and '.join(counts)}, {where}"] if counts else []


def _price_axis(prices: Sequence[float]) -> alt.X:
    ends = [min(prices) / 1.1, max(prices) * 1.1]
    return alt.X(
        "price:Q",
        scale=alt.Scale(type="log", domain=ends, nice=False),
        axis=alt.Axis(values=_round_prices(*ends), format="$,~s"),
        title="price (log scale)",
    )


def _round_prices(low: float, high: float) -> list[float]:
    """Prices of 1, 2 and 5 times powers of ten between two limits."""
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    prices = [first * 10.0**decade for decade in decades for first in (1, 2, 5)]
    return [price for price in prices if low <= price <= high]


def _prb_line(sales: Rows, prb: float) -> list[dict[str, float]]:
    prices = np.array([row["adjusted_price"] for row in sales], dtype=np.float64)
    median = float(np.median([row["ratio"] for row in sales]))
    ends = np.quantile(prices, [0.01, 0.99])
    doublings = np.log2(ends / np.median(prices))
    return [
        {"price": float(price), "ratio": median * (1 + prb * float(doubling))}
        for price, doubling in zip(ends, doublings, strict=True)
    ]


def ratio_map(places: Rows, *, width: int = 520) -> Html:
    """Map of values above (orange) and below (blue) prices.

    Parameters
    ----------
    places : sequence of mapping
        ``longitude``, ``latitude`` in degrees and ``ratio``.
    """
    known = [row for row in places if row["latitude"] is not None and row["ratio"] is not None]
    if not known:
        return _nothing()
    points = _placed(known)
    flat = alt.Scale(zero=False, nice=False)
    size = float(np.clip(MAP_INK / len(points), 16, 40))
    marks = alt.Chart(rows_of(*points)).mark_circle(
        size=size, opacity=0.9, stroke=GRAY, strokeWidth=0.4
    )
    chart = alt.LayerChart(
        layer=[
            marks.encode(
                x=alt.X("east:Q", scale=flat, axis=None),
                y=alt.Y("north:Q", scale=flat, axis=None),
                color=_off_median(),
            )
        ]
    )
    title = "Ratios by location"
    notes = ["orange: ratio above the median; blue: below"]
    return as_svg(finished(chart, title, width, _map_height(points, width), notes=notes))


def _placed(known: Rows) -> list[dict[str, float]]:
    middle = float(np.median([row["ratio"] for row in known]))
    return [
        {
            "east": row["longitude"],
            "north": row["latitude"],
            "off": float(np.clip(row["ratio"] / middle - 1, -MAP_RANGE, MAP_RANGE)),
        }
        for row in known
    ]


def _off_median() -> alt.Color:
    """Blue below, gray at, orange above the median; blended without pink."""
    return alt.Color(
        "off:Q",
        title="off median",
        scale=alt.Scale(
            domain=[-MAP_RANGE, 0, MAP_RANGE], range=[BLUE, "#e4e7eb", ORANGE], interpolate="rgb"
        ),
        legend=alt.Legend(
            format="+.0%",
            values=[-MAP_RANGE, -MAP_RANGE / 2, 0, MAP_RANGE / 2, MAP_RANGE],
            labelExpr="datum.value ? format(datum.value, '+.0%') : '0%'",
        ),
    )


def _map_height(points: Sequence[Mapping[str, float]], width: int) -> int:
    """Height at which a mile north equals a mile east, within the page's limits."""
    squeeze = float(np.cos(np.radians(np.median([point["north"] for point in points]))))
    spread = np.ptp([point["east"] for point in points]) * squeeze
    height = width * float(np.ptp([point["north"] for point in points]) / max(spread, 1e-9))
    return int(np.clip(height, 160, MAP_HEIGHT))


def importance(explanations: Rows, lines: Sequence[str], *, width: int = 420) -> Html:
    """Mean size of each explanation line, US dollars, largest first."""
    if not explanations:
        return _nothing()
    bars = [
        {
            "line": line,
            "dollars": float(np.mean([abs(row[line] or 0.0) for row in explanations])),
        }
        for line in lines
    ]
    chart = alt.LayerChart(
        layer=[
            alt.Chart(rows_of(*bars))
            .mark_bar(color=BLUE)
            .encode(
                x=alt.X("dollars:Q", title="mean size, US dollars"),
                y=alt.Y("line:N", sort="-x", title=None),
            )
        ]
    )
    title = f"What drives the values of {len(explanations):,} properties"
    return as_svg(finished(chart, title, width, 20 * len(bars)))


def market_index(rows: Rows, areas: Sequence[str], *, width: int = 520) -> Html:
    """Price level by month with its interval, 1 at the valuation date.

    Parameters
    ----------
    rows : sequence of mapping
        Rows of ``core.schema.MARKET_INDEX`` of one market.
    areas : sequence of str
        Areas to draw.
    """
    drawn = [
        {"area": row["area"], "month": row["month"].isoformat()}
        | {name: row[name] for name in ("price_level", "low", "high")}
        for row in rows
        if row["area"] in set(areas)
    ]
    if not drawn:
        return _nothing()
    base = alt.Chart(rows_of(*drawn)).encode(
        x=alt.X("month:T", title=None, axis=HALF_YEARS), color=alt.Color("area:N", title=None)
    )
    scale = alt.Scale(zero=False)
    chart = alt.LayerChart(
        layer=[
            base.mark_area(opacity=0.15).encode(
                y=alt.Y("low:Q", scale=scale, title="price level"), y2="high:Q"
            ),
            base.mark_line().encode(y=alt.Y("price_level:Q", scale=scale)),
        ]
    )
    return as_svg(finished(chart, "Market index, 1 at the valuation date", width))


def _band() -> alt.Chart:
    ends = rows_of({"from": LEVEL[0], "to": LEVEL[1]})
    chart: alt.Chart = alt.Chart(ends).mark_rect(color=BAND).encode(x="from:Q", x2="to:Q")
    return chart


def _rule(axis: str, value: float) -> alt.Chart:
    chart: alt.Chart = (
        alt.Chart(rows_of({"at": value}))
        .mark_rule(color=ORANGE, strokeWidth=2)
        .encode(**{axis: "at:Q"})
    )
    return chart


def _nothing() -> Html:
    return styled('<p class="note">Nothing to draw.</p>')
