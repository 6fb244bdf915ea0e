"""``terrafusion jobs``: plugin jobs and their results."""

from typing import Annotated

import typer

from terrafusion_lib.cli.options import (
    AsJson,
    County,
    console,
    print_json,
    print_rows,
    settings,
)

group = typer.Typer(help="Plugin jobs and their results.", no_args_is_help=True)
JobId = Annotated[str, typer.Argument(help="Job id, or the start of one")]


@group.command("list")
def jobs_list(
    county: County,
    plugin: Annotated[str | None, typer.Option(help="Only jobs of this plugin")] = None,
    as_json: AsJson = False,
) -> None:
    """List a county's jobs, newest first, with the location of the result or why there is none."""
    from terrafusion_lib.jobs.request import list_jobs
    from terrafusion_lib.runs.text import show_jobs

    rows = list_jobs(county, plugin, settings=settings())
    if as_json:
        print_json(rows)
    else:
        show_jobs(console(), rows, title=f"Jobs of {county}")


@group.command("show")
def jobs_show(job: JobId, as_json: AsJson = False) -> None:
    """Show one job: the request, who made it, when, and how it ended."""
    from terrafusion_lib.jobs.request import find_job
    from terrafusion_lib.runs.text import facts

    row = find_job(job, settings=settings())
    if as_json:
        print_json(row)
        return
    shown = {name: value for name, value in row.items() if value not in (None, "", "{}")}
    console().print(facts(f"Job {row['job_id']}", shown))


@group.command("results")
def jobs_results(
    job: JobId,
    table: Annotated[
        str | None, typer.Argument(help="Result table; without it, lists the tables")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="Maximum rows to print")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the result tables of a completed job, or show the rows of one."""
    from terrafusion_lib.jobs.results import job_results, stored_tables

    results = job_results(job, settings=settings())
    if table is None:
        print_rows(stored_tables(results), as_json=as_json, title="Result tables")
        return
    held = results.results.table(table)
    print_rows(held.slice(0, rows).to_pylist(), as_json=as_json, title=table)
    if not as_json and held.num_rows > rows:
        print(f"{held.num_rows:,} rows; --rows {held.num_rows} prints all")


@group.command("cancel")
def jobs_cancel(job: JobId) -> None:
    """Cancel a waiting or running job; nothing from it is published."""
    from terrafusion_lib.jobs.request import cancel, find_job

    row = find_job(job, settings=settings())
    if cancel(row["job_id"], settings=settings()):
        print(f"{row['job_id']} is cancelled.")
    else:
        print(f"{row['job_id']} has already ended: {row['status']}")
        raise typer.Exit(1)


@group.command("replay")
def jobs_replay(job: JobId, as_json: AsJson = False) -> None:
    """Run a job's request again as a new job."""
    from terrafusion_lib.cli.plugins import show_job
    from terrafusion_lib.jobs.execute import execute
    from terrafusion_lib.jobs.request import replay

    again = replay(job, settings=settings(), mine=True)
    show_job(execute(again, settings=settings()), as_json=as_json)


@group.command("execute")
def jobs_execute(job: JobId, as_json: AsJson = False) -> None:
    """Run a waiting (PENDING) job in this process."""
    from terrafusion_lib.cli.plugins import show_job
    from terrafusion_lib.jobs.execute import execute
    from terrafusion_lib.jobs.request import find_job

    row = find_job(job, settings=settings())
    show_job(execute(row["job_id"], settings=settings()), as_json=as_json)
