"""``terrafusion notebooks``: the notebooks of this project."""

from typing import Annotated

import typer

from terrafusion_lib.cli.options import settings

group = typer.Typer(help="This project's notebooks.", no_args_is_help=True)


@group.command("refresh")
def notebooks_refresh(
    only: Annotated[
        list[str] | None, typer.Argument(help="Names without .ipynb; default: all")
    ] = None,
) -> None:
    """Run the notebooks on the small demo county and keep their outputs in the files."""
    from terrafusion_lib.demo.reference_notebooks import refresh

    for path in refresh(settings(), only or ()):
        print(path)
