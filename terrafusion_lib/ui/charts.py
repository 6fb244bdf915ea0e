"""Charts drawn here and shown as SVG: no browser library, no outside address, prints well."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from terrafusion_lib.ui.html import Html, styled

BLUE = "#0072b2"
ORANGE = "#d55e00"
BAND = "#e3f0f8"


def as_svg(chart: alt.TopLevelMixin) -> Html:
    """A chart as inline SVG."""
    import vl_convert

    return styled(vl_convert.vegalite_to_svg(chart.to_dict()))


def rows_of(*rows: dict[str, Any]) -> alt.Data:
    """Rows as the data of a chart."""
    return alt.Data(values=list(rows))  # type: ignore[no-untyped-call]


def finished(chart: alt.LayerChart, title: str, width: int, height: int = 240) -> alt.LayerChart:
    """A chart with its title and size in the house's look."""
    styled_chart: alt.LayerChart = (
        chart.properties(width=width, height=height, title=title)
        .configure_view(stroke=None)
        .configure_axis(gridColor="#e4e7eb", labelColor="#52606d", titleColor="#52606d")
        .configure_title(anchor="start", color="#102a43", fontSize=13)
    )
    return styled_chart


def level_by_stratum(rows: Sequence[dict[str, Any]], *, width: int = 520) -> Html:
    """Median ratio with its interval by study and stratum, the standard's limits shaded.

    Parameters
    ----------
    rows : sequence of dict
        Rows of core.schema.RATIO_STATISTICS of one grouping.
    """
    drawn = [
        {name: row[name] for name in ("study", "stratum", "n", "estimate", "ci_low", "ci_high")}
        for row in rows
        if row["statistic"] == "median_ratio" and row["estimate"] is not None
    ]
    if not drawn:
        return styled('<p class="note">No stratum has enough sales.</p>')
    limits = next(
        (row for row in rows if row["statistic"] == "median_ratio" and row["limit_low"]), None
    )
    scale = alt.Scale(zero=False)
    base = alt.Chart(rows_of(*drawn)).encode(
        y=alt.Y("stratum:N", title=None),
        yOffset="study:N",
        color=alt.Color("study:N", scale=alt.Scale(range=[BLUE, ORANGE]), title=None),
    )
    spread = base.mark_rule().encode(
        x=alt.X("ci_low:Q", scale=scale, title="median ratio", axis=alt.Axis(tickCount=8)),
        x2="ci_high:Q",
    )
    points = base.mark_point(filled=True, size=40).encode(x=alt.X("estimate:Q", scale=scale))
    layers = [spread, points]
    if limits:
        ends = {"from": limits["limit_low"], "to": limits["limit_high"]}
        layers.insert(
            0, alt.Chart(rows_of(ends)).mark_rect(color=BAND).encode(x="from:Q", x2="to:Q")
        )
    chart = alt.LayerChart(layer=layers)
    strata = len({row["stratum"] for row in drawn})
    return as_svg(finished(chart, "Level of appraisal and its interval", width, 40 + 26 * strata))
