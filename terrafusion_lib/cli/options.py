"""Shared parts of the commands: common arguments, settings and output."""

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from terrafusion_lib.core.county import CountyConfig
    from terrafusion_lib.core.settings import Settings

asked: dict[str, str] = {}
"""The county named in the command, for messages that say ``<county>``."""


def _remember(county: str) -> str:
    asked["county"] = county
    return county


County = Annotated[str, typer.Argument(help="County id, such as benton_wa", callback=_remember)]
Year = Annotated[int | None, typer.Option(help="Assessment year; default from county.yaml")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON")]
DEMO_COUNTY = "demo_wa"


def print_json(data: object) -> None:
    """Print data as indented JSON, dates and paths as text."""
    import json

    print(json.dumps(data, indent=2, default=str))


def print_rows(rows: Iterable[Mapping[str, Any]], *, as_json: bool, title: str = "") -> None:
    """Print rows as a table, or as JSON."""
    listed = [dict(row) for row in rows]
    if as_json:
        print_json(listed)
        return
    from terrafusion_lib.runs.text import table

    console().print(table(listed, title=title))


def settings() -> "Settings":
    """The settings of this process."""
    from terrafusion_lib.core.settings import get_settings

    return get_settings()


def county_config(county_id: str) -> "CountyConfig":
    """A county's configuration."""
    from terrafusion_lib.core.county import load_county

    return load_county(county_id, settings())


def console() -> "Console":
    """Console for tables: the terminal's width, or 120 columns in a file."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else 120, highlight=False)


def require(county_id: str, permission: str) -> None:
    """Refuse a user without the permission."""
    from terrafusion_lib.access import decide

    decide.require(settings(), county_id, permission)
