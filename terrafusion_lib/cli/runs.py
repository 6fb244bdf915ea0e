"""``terrafusion runs``: the ledger."""

from typing import Annotated

import typer

from terrafusion_lib.cli.options import AsJson, console, print_json, settings

group = typer.Typer(help="Past runs.", no_args_is_help=True)


@group.command("list")
def runs_list(
    county: Annotated[str | None, typer.Argument(help="County id; default: every county")] = None,
    as_json: AsJson = False,
) -> None:
    """List past runs, newest first."""
    from terrafusion_lib.runs.ledger import list_runs
    from terrafusion_lib.runs.text import table

    rows = list_runs(settings(), county)
    if as_json:
        print_json(rows)
    else:
        columns = (
            "run_id",
            "county_id",
            "assessment_year",
            "status",
            "username",
            "started_at",
            "note",
        )
        console().print(table(rows, columns, title="Runs"))


@group.command("show")
def runs_show(
    run_id: Annotated[str, typer.Argument(help="Run id, or any unique part of it")],
    as_json: AsJson = False,
) -> None:
    """Show one run: rows, expectations, values, steps, and why it failed if it did."""
    from terrafusion_lib.runs.ledger import load_summary
    from terrafusion_lib.runs.text import show_run

    summary = load_summary(settings(), run_id)
    if as_json:
        print_json(summary)
    else:
        show_run(console(), summary)


@group.command("diff")
def runs_diff(one: str, other: str, as_json: AsJson = False) -> None:
    """Compare two runs: inputs, outputs, rows, figures."""
    from terrafusion_lib.runs.diff import diff_runs
    from terrafusion_lib.runs.ledger import load_summary
    from terrafusion_lib.runs.text import table

    rows = diff_runs(load_summary(settings(), one), load_summary(settings(), other))
    if as_json:
        print_json(rows)
    elif rows:
        console().print(table(rows, title=f"{one} compared with {other}"))
    else:
        print("Both runs used the same inputs and gave the same results.")
