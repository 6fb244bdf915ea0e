"""The county's promoted run: the one that dashboards and exports show."""

import json
from pathlib import Path
from typing import Any

from terrafusion_lib.core.files import write_text
from terrafusion_lib.core.settings import Settings

POINTER = "CURRENT"
RUN_FILE = "run.json"


def run_folder(settings: Settings, county_id: str, run_id: str) -> Path:
    """Folder of a promoted run."""
    return settings.county_data(county_id) / "runs" / run_id


def current_run(settings: Settings, county_id: str) -> Path | None:
    """Folder of the county's last promoted run; None before the first."""
    pointer = settings.county_data(county_id) / POINTER
    if not pointer.is_file():
        return None
    return run_folder(settings, county_id, pointer.read_text(encoding="utf-8").strip())


def point_at(settings: Settings, county_id: str, run_id: str) -> None:
    """Promote a run."""
    write_text(settings.county_data(county_id) / POINTER, run_id + "\n")


def run_summary(folder: Path | None) -> dict[str, Any] | None:
    """The summary of a run; None if it has none."""
    if folder is None or not (folder / RUN_FILE).is_file():
        return None
    summary: dict[str, Any] = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
    return summary


def current_results(settings: Settings, county_id: str, year: int) -> str | None:
    """Run that produced the results of the county's promoted run. None before the first, or if the
    promoted run is for another year.
    """
    summary = run_summary(current_run(settings, county_id))
    if summary is None or summary.get("assessment_year", year) != year:
        return None
    run_id: str | None = summary["results_run_id"]
    return run_id
