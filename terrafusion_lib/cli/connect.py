"""``terrafusion connect``: source systems."""

import typer

from terrafusion_lib.cli.options import (
    AsJson,
    County,
    console,
    county_config,
    print_json,
    require,
    settings,
)
from terrafusion_lib.core.commands import as_typed

group = typer.Typer(help="Source systems.", no_args_is_help=True)


@group.command("check")
def connect_check(county: County, as_json: AsJson = False) -> None:
    """Check the connection to the county's data, and say what is missing and what to install."""
    from terrafusion_lib.connectors.check import check_sources
    from terrafusion_lib.mappers.mapping import load_mapping
    from terrafusion_lib.runs.text import table

    config = county_config(county)
    require(county, "pipeline:run")
    items = check_sources(config, load_mapping(config.mapping).source_tables(), settings=settings())
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
        console().print(table(rows, ("check", "", "detail"), title=f"Sources of {county}"))
        for row in rows:  # below the table, because table cells would wrap a command
            if row["next"]:
                print(f"Next for {row['check']}: {row['next']}")
    if any(item.ok is False for item in items):
        raise typer.Exit(4)
