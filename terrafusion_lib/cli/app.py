"""The command line: ``terrafusion <noun> <verb>``.

Heavy modules are imported by the command that needs them, so that ``--help`` answers at once.
"""

import sys

import typer

from terrafusion_lib.cli import (
    connect,
    demo,
    jobs,
    mapping,
    notebooks,
    plugins,
    run,
    runs,
    serve,
    users,
)
from terrafusion_lib.cli.options import asked, county_config, settings
from terrafusion_lib.core.commands import as_typed, program

app = typer.Typer(
    help="TerraFusion turns a county's legacy CAMA data into validated data, values and ratio "
    "studies.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command()(run.plan)
app.command()(run.run)
for name, noun in (
    ("demo", demo),
    ("connect", connect),
    ("mapping", mapping),
    ("runs", runs),
    ("jobs", jobs),
    ("plugins", plugins),
    ("users", users),
    ("notebooks", notebooks),
):
    app.add_typer(noun.group, name=name)
plugins.add_plugins(app)
app.command()(serve.dashboard)
app.command()(serve.lab)
app.command()(serve.hub)


@app.command()
def counties() -> None:
    """The configured counties."""
    from terrafusion_lib.core.county import list_counties

    for county_id in list_counties(settings()):
        print(f"{county_id:14} {county_config(county_id).name}")


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
