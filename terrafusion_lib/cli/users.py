"""``terrafusion users``: users and roles of a county."""

from typing import Annotated

import typer

from terrafusion_lib.cli.options import County, console, settings

group = typer.Typer(help="Users and roles of a county.", no_args_is_help=True)


@group.command("set-password")
def users_set_password(county: County, username: Annotated[str, typer.Argument()]) -> None:
    """Set a user's password; asks for it twice and stores only a hash."""
    from terrafusion_lib.access.accounts import set_password

    def ask() -> str:
        return str(typer.prompt("New password", hide_input=True, confirmation_prompt=True))

    set_password(county, username, ask, settings())
    print(f"{username} can log in with the new password.")


@group.command("list")
def users_list(county: County) -> None:
    """List a county's users, their roles, and who can log in."""
    from terrafusion_lib.access.accounts import list_accounts
    from terrafusion_lib.runs.text import table

    console().print(table(list_accounts(county, settings()), title=f"Users of {county}"))
