"""Reading the run ledger and the summaries of runs."""

import json
from typing import Any

from terrafusion_lib.access.decide import counties_with, require
from terrafusion_lib.access.grants import VIEW_RUNS
from terrafusion_lib.core.errors import RunError
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.results.current import RUN_FILE
from terrafusion_lib.store.store import open_store


def list_runs(settings: Settings, county_id: str | None = None) -> list[dict[str, Any]]:
    """Runs, newest first: of one county if given, otherwise of all counties the user may view.

    Raises
    ------
    AccessDeniedError
        The user may not view the county's runs.
    """
    if county_id:
        require(settings, county_id, VIEW_RUNS)
    viewed = {county_id} if county_id else set(counties_with(settings, VIEW_RUNS))
    return [run for run in _runs(settings, county_id) if run["county_id"] in viewed]


def load_summary(settings: Settings, text: str) -> dict[str, Any]:
    """The stored summary of the run whose id contains `text`.

    Raises
    ------
    AccessDeniedError
        The user may not view that county's runs.
    RunError
        No run or several match, or the run did not finish.
    """
    runs, viewed = _runs(settings), counties_with(settings, VIEW_RUNS)
    matching = [run for run in runs if text in run["run_id"] and run["county_id"] in viewed]
    exact = [run for run in runs if run["run_id"] == text] or matching
    if len(exact) != 1:
        raise RunError(
            f"{len(matching) or 'No'} runs match {text!r}",
            examples=[run["run_id"] for run in matching],
            hint="terrafusion runs list",
        )
    run = exact[0]
    require(settings, run["county_id"], VIEW_RUNS)
    base = settings.county_data(run["county_id"])
    for folder in ("runs", "staging"):
        path = base / folder / run["run_id"] / RUN_FILE
        if path.is_file():
            data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return data
    raise RunError(
        f"Run {run['run_id']} ended without a summary: {run['status']}",
        county=run["county_id"],
        hint=f"terrafusion run {run['county_id']} --resume",
    )


def _runs(settings: Settings, county_id: str | None = None) -> list[dict[str, Any]]:
    with open_store(settings.operational_database_url) as store:
        store.migrate()
        return store.list_runs(county_id)
