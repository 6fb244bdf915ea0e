"""The command line: ``terrafusion <noun> <verb>``.

Heavy modules are imported by the command that needs them, so that ``--help`` answers at once.
"""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from terrafusion_lib.cli_export import export
from terrafusion_lib.cli_options import AsJson, County, Year, asked, print_json
from terrafusion_lib.core.commands import activation, as_typed, program

if TYPE_CHECKING:
    from rich.console import Console

    from terrafusion_lib.core.county import CountyConfig
    from terrafusion_lib.core.settings import Settings
    from terrafusion_lib.runs.runner import RunOptions

app = typer.Typer(
    help="TerraFusion: from a county's legacy CAMA to validated data, values and ratio studies.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
demo = typer.Typer(help="The synthetic demo county.", no_args_is_help=True)
connect = typer.Typer(help="Source systems.", no_args_is_help=True)
mapping = typer.Typer(help="From raw tables to canonical tables.", no_args_is_help=True)
runs = typer.Typer(help="Runs that were made.", no_args_is_help=True)
users = typer.Typer(help="Users and roles of a county.", no_args_is_help=True)
notebooks = typer.Typer(help="The notebooks of this project.", no_args_is_help=True)
for name, group in (
    ("demo", demo),
    ("connect", connect),
    ("mapping", mapping),
    ("runs", runs),
    ("users", users),
    ("notebooks", notebooks),
    ("export", export),
):
    app.add_typer(group, name=name)

First = Annotated[str | None, typer.Option("--from", help="First step to run, such as 30_validate")]
Last = Annotated[str | None, typer.Option("--to", help="Last step to run")]
Force = Annotated[
    list[str] | None, typer.Option("--force", help="Step to run anyway (repeatable), or all")
]
ReuseRaw = Annotated[
    bool, typer.Option("--reuse-raw", help="Keep the newest raw layer; do not ask the source")
]
DEMO_COUNTY = "demo_wa"
NEXT = """Next:
  terrafusion plan <county>         what another run would do, and why
  terrafusion runs list <county>    the ledger
  terrafusion dashboard             this run in the browser
  terrafusion lab                   JupyterLab on the notebooks
  terrafusion hub                   both, with users and roles"""


def _settings() -> "Settings":
    from terrafusion_lib.core.settings import get_settings

    return get_settings()


def _county(county_id: str) -> "CountyConfig":
    from terrafusion_lib.core.county import load_county

    return load_county(county_id, _settings())


def _require(county_id: str, permission: str) -> None:
    from terrafusion_lib.access.decide import require

    require(_settings(), county_id, permission)


def _console() -> "Console":
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 120, highlight=False)


def _options(
    year: int | None, first: str | None, last: str | None, force: list[str] | None, **more: Any
) -> "RunOptions":
    from terrafusion_lib.runs.runner import RunOptions

    return RunOptions(year=year, first=first, last=last, force=tuple(force or ()), **more)


@app.command()
def plan(
    county: County,
    year: Year = None,
    first: First = None,
    last: Last = None,
    force: Force = None,
    reuse_raw: ReuseRaw = False,
) -> None:
    """Say for each step whether it will run or its stored product serves, and why."""
    from terrafusion_lib.runs.text import show_plan

    options = _options(year, first, last, force, reuse_raw=reuse_raw)
    show_plan(_console(), options.plan(_county(county), _settings()))


@app.command()
def run(
    county: County,
    year: Year = None,
    first: First = None,
    last: Last = None,
    force: Force = None,
    reuse_raw: ReuseRaw = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the last failed run, its id and options")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan only")] = False,
    note: Annotated[str, typer.Option(help="Why this run, for the ledger")] = "",
) -> None:
    """Run the main job: connect, map, validate, load, value, report."""
    if dry_run:
        plan(county, year, first, last, force, reuse_raw)
        return
    options = _options(year, first, last, force, reuse_raw=reuse_raw, note=note)
    _run(county, options, resume=resume)


def _run(county: str, options: "RunOptions", *, resume: bool = False) -> None:
    from terrafusion_lib.runs.runner import run_county
    from terrafusion_lib.runs.text import show_plan, show_run

    console = _console()
    summary = run_county(
        county,
        options,
        _settings(),
        resume=resume,
        show_plan=lambda planned, run_id: show_plan(console, planned, run_id),
    )
    show_run(console, summary)
    folder = _settings().county_data(county) / "runs" / summary["run_id"]
    print(f"\nNotebooks of this run: {folder}")
    if report := summary["products"].get("70_report"):
        print(f"Values and ratio study: {report}")
    print(as_typed(NEXT, county=county))
    if activate := activation():
        print(f"After '{activate}' in your shell, terrafusion alone will do.")


@demo.command("generate")
def demo_generate(
    parcels: Annotated[
        int, typer.Option(min=300, help="Active parcels; Benton has 80,000")
    ] = 20_000,
    year: Annotated[int, typer.Option(help="Appraisal year")] = 2026,
    seed: Annotated[int, typer.Option(help="The same seed gives the same county")] = 20_260_101,
) -> None:
    """Generate the demo county's PACS database, parcel layer and truth file."""
    from terrafusion_lib.core.progress import LineProgress
    from terrafusion_lib.demo.generate import generate

    folder = _settings().county_data(DEMO_COUNTY)
    report = generate(folder, parcels=parcels, year=year, seed=seed, progress=LineProgress())
    print(report)


@demo.command("run")
def demo_run(
    parcels: Annotated[
        int, typer.Option(min=300, help="Active parcels; Benton has 80,000")
    ] = 20_000,
) -> None:
    """Generate the demo county when it is not there in that size, then run the main job."""
    from terrafusion_lib.demo.generate import generated_parcels

    _require(DEMO_COUNTY, "pipeline:run")
    if generated_parcels(_settings().county_data(DEMO_COUNTY)) != parcels:
        demo_generate(parcels)
    _run(DEMO_COUNTY, _options(None, None, None, None, note="demo"))


@connect.command("check")
def connect_check(county: County, as_json: AsJson = False) -> None:
    """Say exactly what is missing between here and the county's data, and what to install."""
    from terrafusion_lib.connectors.check import check_sources
    from terrafusion_lib.mappers.mapping import load_mapping
    from terrafusion_lib.runs.text import table

    config = _county(county)
    _require(county, "pipeline:run")
    items = check_sources(
        config, load_mapping(config.mapping).source_tables(), settings=_settings()
    )
    marks = {True: "ok", False: "MISSING", None: "-"}
    rows = [
        {
            "check": item.name,
            "": marks[item.ok],
            "detail": item.detail,
            "next": as_typed(item.hint, county=county),
        }
        for item in items
    ]
    if as_json:
        print_json(rows)
    else:
        _console().print(table(rows, ("check", "", "detail"), title=f"Sources of {county}"))
        for row in rows:  # below the table, whose cells would break a command in two
            if row["next"]:
                print(f"Next for {row['check']}: {row['next']}")
    if any(item.ok is False for item in items):
        raise typer.Exit(4)


@mapping.command("coverage")
def mapping_coverage(county: County, as_json: AsJson = False) -> None:
    """Columns of the source that are not read and codes that are not known, with suggestions."""
    from terrafusion_lib.pipelines.mapping_review import unmapped_codes, unmapped_columns
    from terrafusion_lib.runs.text import table

    config, settings = _county(county), _settings()
    codes, columns = unmapped_codes(config, settings), unmapped_columns(config, settings)
    if as_json:
        print_json({"codes": codes, "columns": columns})
        return
    console = _console()
    console.print(table(columns, title=f"Columns of {county} that the mapping does not read"))
    console.print(table(codes, title="Codes that no value map lists"))


@mapping.command("preview")
def mapping_preview(
    county: County,
    table_name: Annotated[str, typer.Argument(help="Canonical table, such as sales")],
    rows: Annotated[int, typer.Option(help="Rows to show", min=1)] = 3,
    as_json: AsJson = False,
) -> None:
    """Rows of a canonical table as last mapped, one column to a line; personal data by role."""
    from terrafusion_lib.pipelines.mapping_review import preview
    from terrafusion_lib.runs.text import facts

    found = preview(_county(county), _settings(), table_name, rows=rows)
    if as_json:
        print_json(found)
        return
    for number, row in enumerate(found, 1):
        _console().print(facts(f"{table_name}, row {number}", row))


@runs.command("list")
def runs_list(
    county: Annotated[str | None, typer.Argument(help="County id; default every county")] = None,
    as_json: AsJson = False,
) -> None:
    """Runs of the ledger, newest first."""
    from terrafusion_lib.runs.ledger import list_runs
    from terrafusion_lib.runs.text import table

    rows = list_runs(_settings(), county)
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
        _console().print(table(rows, columns, title="Runs"))


@runs.command("show")
def runs_show(
    run_id: Annotated[str, typer.Argument(help="Run id, or any part of it that is unique")],
    as_json: AsJson = False,
) -> None:
    """One run: rows, expectations, values, steps, and why it failed when it did."""
    from terrafusion_lib.runs.ledger import load_summary
    from terrafusion_lib.runs.text import show_run

    summary = load_summary(_settings(), run_id)
    if as_json:
        print_json(summary)
    else:
        show_run(_console(), summary)


@runs.command("diff")
def runs_diff(one: str, other: str, as_json: AsJson = False) -> None:
    """What differs between two runs: inputs, outputs, rows, figures."""
    from terrafusion_lib.runs.diff import diff_runs
    from terrafusion_lib.runs.ledger import load_summary
    from terrafusion_lib.runs.text import table

    rows = diff_runs(load_summary(_settings(), one), load_summary(_settings(), other))
    if as_json:
        print_json(rows)
    elif rows:
        _console().print(table(rows, title=f"{one} against {other}"))
    else:
        print("The two runs rest on the same inputs and gave the same result.")


@runs.command("jobs")
def runs_jobs(county: County, as_json: AsJson = False) -> None:
    """Jobs of plugins in a county, newest first: where the result lies, or why there is none."""
    from terrafusion_lib.runs.ledger import list_jobs
    from terrafusion_lib.runs.text import show_jobs

    rows = list_jobs(_settings(), county)
    if as_json:
        print_json(rows)
    else:
        show_jobs(_console(), rows, title=f"Jobs of {county}")


@users.command("set-password")
def users_set_password(county: County, username: Annotated[str, typer.Argument()]) -> None:
    """Set a user's password; asked for twice, kept as a hash only."""
    from terrafusion_lib.access.accounts import set_password

    def ask() -> str:
        return str(typer.prompt("New password", hide_input=True, confirmation_prompt=True))

    set_password(county, username, ask, _settings())
    print(f"{username} can log in with the new password.")


@users.command("list")
def users_list(county: County) -> None:
    """Users of a county, their roles, and who can log in."""
    from terrafusion_lib.access.accounts import list_accounts
    from terrafusion_lib.runs.text import table

    _console().print(table(list_accounts(county, _settings()), title=f"Users of {county}"))


@notebooks.command("refresh")
def notebooks_refresh(
    only: Annotated[
        list[str] | None, typer.Argument(help="Names without .ipynb; default all")
    ] = None,
) -> None:
    """Run the notebooks on the small demo county and keep their outputs in the files."""
    from terrafusion_lib.demo.reference_notebooks import refresh

    for path in refresh(_settings(), only or ()):
        print(path)


@app.command()
def tune(
    county: County,
    market: Annotated[str, typer.Option(help="Market, such as residential")] = "residential",
    trials: Annotated[int, typer.Option(min=1, help="Settings to try, the county's first")] = 20,
    year: Year = None,
) -> None:
    """Look for the settings of boosted trees that value unseen sales best; goes on if stopped."""
    from terrafusion_lib.core.progress import LineProgress
    from terrafusion_lib.pipelines.tuning import tune_trees

    made = tune_trees(county, year, market=market, trials=trials, progress=LineProgress())
    for trial in made[:5]:
        print(
            f"mean error {100 * trial.error:.3f} %  COD {trial.cod:.3f}  "
            f"{trial.trees} trees, {trial.weight:.0%} of what they add: {trial.settings}"
        )
    if made[0].weight == 0:
        print("trees add nothing here: the comparables alone value unseen sales best")
        return
    print("in county.yaml, under plugins.valuation:\n  trees:")
    for name, value in made[0].settings.model_dump().items():
        print(f"    {name}: {value:g}")


@app.command()
def dashboard(
    port: Annotated[
        int, typer.Option(help="Port on this machine", envvar="TERRAFUSION_DASHBOARD_PORT")
    ] = 8866,
) -> None:
    """Serve the dashboard to this machine only (terrafusion hub serves it with logins)."""
    from terrafusion_lib.hub.dashboard import serve

    print(f"http://127.0.0.1:{port}/?county={DEMO_COUNTY}")
    serve(_settings(), port=port)


@app.command()
def lab() -> None:
    """JupyterLab on the notebooks, for this machine only."""
    from terrafusion_lib.hub.lab import serve

    serve(_settings())


@app.command()
def hub() -> None:
    """JupyterHub with the counties' users, and the dashboard as a service."""
    from terrafusion_lib.hub.config import serve

    serve(_settings())


@app.command()
def counties() -> None:
    """The configured counties."""
    from terrafusion_lib.core.county import list_counties

    for county_id in list_counties(_settings()):
        print(f"{county_id:14} {_county(county_id).name}")


def main() -> None:
    """Entry point: errors of TerraFusion become one sentence and an exit code."""
    try:
        app(prog_name=program("terrafusion"))
    except Exception as error:
        from terrafusion_lib.core.errors import TerraFusionError

        if not isinstance(error, TerraFusionError):
            raise
        county = error.county or asked.get("county")
        print(f"terrafusion: {as_typed(str(error), county=county)}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
