"""The run summary dashboard: a promoted run on one page, with filters for ratio study and map."""

from typing import Any

import ipywidgets as widgets
import pyarrow as pa
import pyarrow.compute as pc

from terrafusion_lib.access.decide import counties_with
from terrafusion_lib.access.grants import VIEW_DASHBOARDS
from terrafusion_lib.core.county import list_counties
from terrafusion_lib.core.settings import Settings, get_settings
from terrafusion_lib.ui import cards, charts, maps, tables
from terrafusion_lib.ui.errors import error_box
from terrafusion_lib.ui.html import Html, style_sheet, styled
from terrafusion_lib.ui.results import RunView, load_run

ALL = "all"
STUDIES = {
    "appraised": "Assessor's values on the roll",
    "model_holdout": "Model values on holdout sales",
}
MEASURES = {
    "estimated_value": "Estimated market value, US dollars",
    "change": "Estimate relative to the roll, share",
    "confidence_score": "Confidence, 0 to 1",
}
CENTERS = {"change": 0.0}
"""Measures with diverging colors, and their center."""
GROUPINGS = {
    "overall": "all sales",
    "property_type": "property type",
    "neighborhood_code": "neighborhood",
}
ROW_COLUMNS = ("table", "read", "filtered", "quarantined", "loaded")
HOVER = ("parcel_number", "situs_address", "property_type", "neighborhood_code", "estimated_value")


class RunDashboard:
    """Parts of the page: `head`, `ratio_study`, `map`, `rows`; each displays itself in a cell. An
    error becomes a message in its place, never a traceback.

    Parameters
    ----------
    county : str
        County id; empty: the first with a finished run.
    user : str, optional
        The viewer, if not the settings' user: the user logged in to the hub.
    """

    def __init__(
        self, county: str, user: str | None = None, settings: Settings | None = None
    ) -> None:
        settings = settings or get_settings()
        self._settings = settings.model_copy(update={"user": user}) if user else settings
        self._view: RunView | None = None
        try:
            self._view = load_run(self._settings, county or self._first_county())
        except Exception as error:  # noqa: BLE001 - the boundary between the code and the person
            self._error = error_box(error)

    def _first_county(self) -> str:
        """The first county that the user may see and that has a run, otherwise the first county."""
        choices = counties_with(self._settings, VIEW_DASHBOARDS)
        finished = [
            name for name in choices if (self._settings.county_data(name) / "CURRENT").is_file()
        ]
        return (finished or choices or list_counties(self._settings) or [""])[0]

    @property
    def head(self) -> Html:
        """The run and its headline figures."""
        if self._view is None:
            return style_sheet() + self._error
        run = self._view.summary
        shown = style_sheet() + cards.run_head(run) + cards.run_cards(run)
        for study, title in STUDIES.items():
            if any(row["study"] == study for row in self._view.ratios):
                shown = shown + styled(f"<h2>{title}</h2>")
                shown = shown + cards.ratio_cards(self._view.ratios, study)
        return Html(shown)

    @property
    def ratio_study(self) -> widgets.Widget | None:
        """The ratio study by a chosen grouping, with a chart of levels by stratum."""
        if self._view is None:
            return None
        view = self._view
        grouping = widgets.Dropdown(
            options=[(label, name) for name, label in GROUPINGS.items()], description="group by"
        )
        shown = widgets.HTML()

        def update(_change: Any = None) -> None:
            rows = [row for row in view.ratios if row["grouping"] == grouping.value]
            table = tables.ratio_study(rows, grouping=grouping.value)
            shown.value = table + charts.level_by_stratum(rows)

        grouping.observe(update, "value")
        update()
        return widgets.VBox([_title("Ratio study"), grouping, shown])

    @property
    def map(self) -> widgets.Widget | None:
        """Parcels of a chosen type and neighborhood, colored by a chosen measure."""
        if self._view is None:
            return None
        view = self._view
        measure = widgets.Dropdown(
            options=[(label, name) for name, label in MEASURES.items()], description="color by"
        )
        filters = {
            column: widgets.Dropdown(options=[ALL, *view.choices(column)], description=label)
            for column, label in (("property_type", "type"), ("neighborhood_code", "hood"))
        }
        shown = widgets.VBox()

        def update(_change: Any = None) -> None:
            parcels = _filtered(view.parcels, {name: box.value for name, box in filters.items()})
            title = f"{MEASURES[measure.value]} · {parcels.num_rows:,} parcels"
            column, center = measure.value, CENTERS.get(measure.value)
            legend = maps.legend(parcels, column=column, title=title, center=center)
            parts = [widgets.HTML(legend)]
            if parcels.num_rows:
                parts.append(maps.parcel_map(parcels, column=column, center=center, hover=HOVER))
            shown.children = parts

        for box in (measure, *filters.values()):
            box.observe(update, "value")
        update()
        return widgets.VBox([_title("Parcels"), widgets.HBox([measure, *filters.values()]), shown])

    @property
    def rows(self) -> Html | None:
        """Rows by table and the steps of the run."""
        if self._view is None:
            return None
        run = self._view.summary
        steps = [
            {name: step[name] for name in ("step", "status", "reason", "seconds")}
            for step in run["steps"]
        ]
        return Html(
            styled("<h2>Rows: read = filtered + quarantined + loaded</h2>")
            + tables.show(run["tables"], ROW_COLUMNS)
            + styled("<h2>Steps</h2>")
            + tables.show(steps)
        )


def _title(text: str) -> widgets.HTML:
    """A part's heading; includes the style, for parts shown alone in a notebook."""
    return widgets.HTML(style_sheet() + styled(f"<h2>{text}</h2>"))


def _filtered(parcels: pa.Table, chosen: dict[str, str]) -> pa.Table:
    for column, value in chosen.items():
        if value != ALL:
            parcels = parcels.filter(pc.equal(parcels[column], value))
    return parcels
