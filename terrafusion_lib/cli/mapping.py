"""``terrafusion mapping``: from raw tables to canonical tables."""

from typing import Annotated

import typer

from terrafusion_lib.cli.options import AsJson, County, console, county_config, print_json, settings

group = typer.Typer(help="The mapping from raw to canonical tables.", no_args_is_help=True)


@group.command("coverage")
def mapping_coverage(county: County, as_json: AsJson = False) -> None:
    """List source columns that are not read and codes that are not mapped, with suggestions."""
    from terrafusion_lib.pipelines.mapping_review import unmapped_codes, unmapped_columns
    from terrafusion_lib.runs.text import table

    config = county_config(county)
    codes, columns = unmapped_codes(config, settings()), unmapped_columns(config, settings())
    if as_json:
        print_json({"codes": codes, "columns": columns})
        return
    console().print(table(columns, title=f"Columns of {county} that the mapping does not read"))
    console().print(table(codes, title="Codes missing from the value maps"))


@group.command("preview")
def mapping_preview(
    county: County,
    table_name: Annotated[str, typer.Argument(help="Canonical table, such as sales")],
    rows: Annotated[int, typer.Option(help="Rows to show", min=1)] = 3,
    as_json: AsJson = False,
) -> None:
    """Show rows of a canonical table as last mapped; personal data depend on your role."""
    from terrafusion_lib.pipelines.mapping_review import preview
    from terrafusion_lib.runs.text import facts

    listed = preview(county_config(county), settings(), table_name, rows=rows)
    if as_json:
        print_json(listed)
        return
    for number, row in enumerate(listed, 1):
        console().print(facts(f"{table_name}, row {number}", row))
