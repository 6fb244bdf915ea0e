"""Charts rendered here and shown as SVG: no browser library, no outside address, prints well."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from terrafusion_lib.ui.html import Html, styled
from terrafusion_lib.ui.tables import heading

BLUE = "#0072b2"
ORANGE = "#d55e00"
BAND = "#e3f0f8"
GRAY = "#52606d"
LABEL_PIXELS = 260
MARGIN = {"left": 8, "top": 5, "right": 40, "bottom": 5}
"""Margin for browser fonts that are wider than measured here."""
DECILES = "value decile, 01 lowest"


def as_svg(chart: alt.TopLevelMixin) -> Html:
    """A chart as inline SVG."""
    import vl_convert

    return styled(vl_convert.vegalite_to_svg(chart.to_dict()))


def rows_of(*rows: dict[str, Any]) -> alt.Data:
    """Rows as chart data."""
    return alt.Data(values=list(rows))  # type: ignore[no-untyped-call]


def finished(
    chart: alt.LayerChart, title: str, width: int, height: int = 240, *, notes: Sequence[str] = ()
) -> alt.LayerChart:
    """A chart with title, notes below the title, and size, in the common style."""
    below = list(notes) or alt.Undefined
    said = alt.TitleParams(title, subtitle=below, subtitleColor=GRAY)
    styled_chart: alt.LayerChart = (
        chart.properties(width=width, height=height, title=said, padding=MARGIN)
        .configure_view(stroke=None)
        .configure_axis(
            gridColor="#e4e7eb", labelColor=GRAY, titleColor=GRAY, labelLimit=LABEL_PIXELS
        )
        .configure_legend(
            labelColor=GRAY, titleColor=GRAY, labelLimit=LABEL_PIXELS, titleLimit=LABEL_PIXELS
        )
        .configure_title(anchor="start", color="#102a43", fontSize=13)
    )
    return styled_chart


def level_by_stratum(rows: Sequence[dict[str, Any]], *, width: int = 520) -> Html:
    """Median ratio with confidence interval by study and stratum; the standard's limits are shaded.

    Parameters
    ----------
    rows : sequence of dict
        Rows of core.schema.RATIO_STATISTICS of one grouping.
    """
    drawn = [_level(row) for row in rows if _has_level(row)]
    if not drawn:
        return styled('<p class="note">No stratum has enough sales.</p>')
    scale = alt.Scale(zero=False)
    base = alt.Chart(rows_of(*drawn)).encode(
        y=_strata_axis(rows[0]["grouping"], [row["stratum"] for row in drawn]),
        yOffset="study:N",
        color=alt.Color("study:N", scale=alt.Scale(range=[BLUE, ORANGE]), title=None),
    )
    spread = base.mark_rule().encode(
        x=alt.X("ci_low:Q", scale=scale, title="median ratio", axis=alt.Axis(tickCount=8)),
        x2="ci_high:Q",
    )
    points = base.mark_point(filled=True, size=40).encode(x=alt.X("estimate:Q", scale=scale))
    chart = alt.LayerChart(layer=[*_limits(rows), spread, points])
    strata = len({row["stratum"] for row in drawn})
    return as_svg(
        finished(chart, "Level of appraisal with confidence interval", width, 40 + 26 * strata)
    )


def _has_level(row: dict[str, Any]) -> bool:
    return row["statistic"] == "median_ratio" and row["estimate"] is not None


def _level(row: dict[str, Any]) -> dict[str, Any]:
    """Chart data of a row; a county's own codes are unchanged."""
    typed = row["grouping"] == "property_type"
    stratum = heading(row["stratum"]) if typed else row["stratum"]
    figures = {name: row[name] for name in ("estimate", "ci_low", "ci_high")}
    return {"study": heading(row["study"]), "stratum": stratum} | figures


def _strata_axis(grouping: str, strata: Sequence[str]) -> alt.Y:
    """The axis of strata; the title is clear of the labels and omitted for all sales together."""
    titles = {"overall": None, "value_decile": DECILES}
    apart = 6 + 1.5 * max(map(len, strata))
    return alt.Y(
        "stratum:N",
        title=titles.get(grouping, heading(grouping)),
        axis=alt.Axis(titlePadding=apart),
    )


def _limits(rows: Sequence[dict[str, Any]]) -> list[alt.Chart]:
    """The standard's limits for the level as a band, if the rows have any."""
    for row in rows:
        if row["statistic"] == "median_ratio" and row["limit_low"]:
            ends = rows_of({"from": row["limit_low"], "to": row["limit_high"]})
            return [alt.Chart(ends).mark_rect(color=BAND).encode(x="from:Q", x2="to:Q")]
    return []
