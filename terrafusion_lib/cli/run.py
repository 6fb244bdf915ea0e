"""``terrafusion run`` and ``plan``: the main job of a county."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from terrafusion_lib.cli.options import County, Year, console, county_config, settings
from terrafusion_lib.core.commands import activation, as_typed

if TYPE_CHECKING:
    from terrafusion_lib.runs.runner import RunOptions

First = Annotated[str | None, typer.Option("--from", help="First step to run, such as 30_validate")]
Last = Annotated[str | None, typer.Option("--to", help="Last step to run")]
Force = Annotated[
    list[str] | None, typer.Option("--force", help="Step to run anyway (repeatable), or all")
]
ReuseRaw = Annotated[
    bool, typer.Option("--reuse-raw", help="Use the newest raw layer without contacting the source")
]

NEXT = """Next:
  terrafusion plan <county>         what the next run would do, and why
  terrafusion runs list <county>    past runs
  terrafusion dashboard             this run in the browser
  terrafusion lab                   JupyterLab with the notebooks
  terrafusion hub                   both, with users and roles"""


def options(
    year: int | None, first: str | None, last: str | None, force: list[str] | None, **more: Any
) -> "RunOptions":
    """The options of a run."""
    from terrafusion_lib.runs.runner import RunOptions

    return RunOptions(year=year, first=first, last=last, force=tuple(force or ()), **more)


def plan(
    county: County,
    year: Year = None,
    first: First = None,
    last: Last = None,
    force: Force = None,
    reuse_raw: ReuseRaw = False,
) -> None:
    """Show for each step whether it will run or reuse its stored product, and why."""
    from terrafusion_lib.runs.text import show_plan

    chosen = options(year, first, last, force, reuse_raw=reuse_raw)
    show_plan(console(), chosen.plan(county_config(county), settings()))


def run(
    county: County,
    year: Year = None,
    first: First = None,
    last: Last = None,
    force: Force = None,
    reuse_raw: ReuseRaw = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume the last failed run with its id and options")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show the plan")] = False,
    note: Annotated[str, typer.Option(help="A note for the ledger")] = "",
) -> None:
    """Run the main job: connect, map, validate, load, value, report."""
    if dry_run:
        plan(county, year, first, last, force, reuse_raw)
        return
    chosen = options(year, first, last, force, reuse_raw=reuse_raw, note=note)
    run_and_show(county, chosen, resume=resume)


def run_and_show(county: str, asked: "RunOptions", *, resume: bool = False) -> None:
    """Run the main job, show its summary, and say what to do next."""
    from terrafusion_lib.runs.runner import run_county
    from terrafusion_lib.runs.text import show_plan, show_run

    screen = console()
    summary = run_county(
        county,
        asked,
        settings(),
        resume=resume,
        show_plan=lambda planned, run_id: show_plan(screen, planned, run_id),
    )
    show_run(screen, summary)
    folder = settings().county_data(county) / "runs" / summary["run_id"]
    print(f"\nNotebooks of this run: {folder}")
    if report := summary["products"].get("70_report"):
        print(f"Values and ratio study: {report}")
    print(as_typed(NEXT, county=county))
    if activate := activation():
        print(f"After '{activate}' in your shell, you can type just terrafusion.")
