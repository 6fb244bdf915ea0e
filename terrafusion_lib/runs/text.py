"""Plans, runs and tables as text for the terminal."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from terrafusion_lib.core.commands import as_typed
from terrafusion_lib.core.numbers import decimals, figure, is_number
from terrafusion_lib.pipelines.plan import Plan
from terrafusion_lib.pipelines.steps import steps

TABLE_COLUMNS = ("table", "read", "filtered", "quarantined", "loaded")
CHANGE_COLUMNS = ("table", "rule", "change", "reason")


def table(
    rows: Iterable[Mapping[str, Any]], columns: Sequence[str] = (), *, title: str = ""
) -> Table:
    """A rich table of dictionaries; numbers are right-aligned with equal decimals per column."""
    listed = list(rows)
    names = list(columns or (listed[0] if listed else ()))
    shown = Table(title=title or None, title_justify="left", header_style="bold")
    held = {name: [row.get(name) for row in listed] for name in names}
    for name in names:
        numeric = any(is_number(value) for value in held[name])
        shown.add_column(name.replace("_", " "), justify="right" if numeric else "left")
    places = {name: decimals(name, held[name]) for name in names}
    for row in listed:
        shown.add_row(*(escape(cell(row.get(name), name, places[name])) for name in names))
    return shown


def cell(value: Any, name: str = "", places: int | None = None) -> str:
    """One value of the column `name` as text; empty for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return figure(name, value, places) if is_number(value) else str(value)


def show_jobs(console: Console, jobs: Iterable[Mapping[str, Any]], *, title: str) -> None:
    """Each job in two lines: id, plugin, status, user, time; then its result or the reason."""
    console.print(f"[bold]{title}[/bold]")
    for job in jobs:
        line = f"{job['job_id']}  {job['plugin']}  {job['status']}  {job['username']}  "
        console.print(f"{line}{job['created_at']:%Y-%m-%d %H:%M:%S}", soft_wrap=True, markup=False)
        details = [str(job.get(name) or "") for name in ("result_location", "reason_code")]
        details.append(as_typed(str(job.get("message") or "")))
        records, size = job.get("result_record_count"), job.get("result_file_size_kb")
        details += [f"{records:,} records"] if records is not None else []
        details += [f"{size / 1024:,.1f} MB"] if size is not None else []
        if any(details):
            text = "  ".join(filter(None, details))
            console.print(f"    {text}", soft_wrap=True, markup=False)


def show_plan(console: Console, plan: Plan, run_id: str = "") -> None:
    """Every step: run or reuse, and why."""
    title = f"{plan.county_id} {plan.assessment_year}" + (f", run {run_id}" if run_id else "")
    known = steps()
    rows = [
        {"step": step.name, "does": known[step.name].title, "plan": step.action, "why": step.reason}
        for step in plan.steps.values()
    ]
    console.print(table(rows, title=title))


def show_run(console: Console, run: Mapping[str, Any]) -> None:
    """A run's summary: rows by table, expectations, valuation, steps."""
    console.print(
        f"[bold]{run['county_name']} {run['assessment_year']}[/bold]  run {run['run_id']}  "
        f"{run['status']}  by {run['username']}, {run['started_at']} to {run['finished_at']}"
    )
    if run.get("message"):
        message = as_typed(run["message"], county=run.get("county_id"))
        console.print(message, style="red", markup=False, soft_wrap=True)
    if run.get("files"):
        console.print(table(map(_file_row, run["files"]), title="Files"))
    console.print(table(run["tables"], TABLE_COLUMNS, title="Rows"))
    console.print(facts("Expectations", run["expectations"]))
    if run.get("changed_rules"):
        changed = table(run["changed_rules"], CHANGE_COLUMNS, title="Rules that the county changed")
        console.print(changed)
    console.print(facts("Values and ratio study", run["valuation"]))
    steps = [
        {key: row[key] for key in ("step", "status", "reason", "seconds")} for row in run["steps"]
    ]
    console.print(table(steps, title="Steps"))


def _file_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Reasons with their counts on one line."""
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in row["reasons"].items())
    return dict(row) | {"reasons": reasons}


def facts(title: str, values: Mapping[str, Any]) -> Table:
    """Names and values, nested mappings joined on one line."""
    rows = [
        {
            "item": name.replace("_", " "),
            "value": ", ".join(f"{key} {cell(item, key)}" for key, item in value.items())
            if isinstance(value, Mapping)
            else cell(value, name),
        }
        for name, value in values.items()
    ]
    return table(rows, title=title)
