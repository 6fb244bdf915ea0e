"""What the commands share: their usual arguments, and JSON as an answer."""

from typing import Annotated

import typer

asked: dict[str, str] = {}
"""The county that the command names, for messages that say ``<county>``."""


def _remember(county: str) -> str:
    asked["county"] = county
    return county


County = Annotated[str, typer.Argument(help="County id, such as benton_wa", callback=_remember)]
Year = Annotated[int | None, typer.Option(help="Assessment year; default the county's own")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON")]


def print_json(data: object) -> None:
    """Print data as indented JSON, dates and paths as text."""
    import json

    print(json.dumps(data, indent=2, default=str))
