"""Plugin commands, built from their parameters, and ``terrafusion plugins``.

Every field of a plugin's `Params` is a flag: its name with dashes, its description as help. Values
not given come from the county's configuration, then from the parameter's default.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from terrafusion_lib.cli.flags import Flags
from terrafusion_lib.cli.options import AsJson, County, Year, print_json, print_rows, settings
from terrafusion_lib.plugins.api import Action, Plugin

if TYPE_CHECKING:
    from terrafusion_lib.jobs.execute import FinishedJob

group = typer.Typer(help="Installed plugins.", no_args_is_help=True)
Destination = Annotated[
    str | None,
    typer.Option(
        "--to",
        help="Folder or URL, where exports never expire; default: the county's exports folder",
    ),
]
Estimate = Annotated[bool, typer.Option("--estimate", help="Only count; write nothing")]


@group.command("list")
def plugins_list(as_json: AsJson = False) -> None:
    """List the plugins with their commands, permissions and result tables."""
    from terrafusion_lib.core.declared import declared_plugins
    from terrafusion_lib.plugins.registry import plugin_names

    known = declared_plugins()
    rows = [
        {
            "plugin": name,
            "command": " ".join(known[name].verb_of()),
            "does": known[name].title,
            "needs": ", ".join(known[name].permissions),
            "tables": len(known[name].tables),
        }
        if name in known
        else {"plugin": name, "does": "cannot be loaded: see the warning"}
        for name in plugin_names()
    ]
    print_rows(rows, as_json=as_json, title="Plugins")


def add_plugins(app: typer.Typer) -> None:
    """Add a noun for each plugin, with its command and its other actions.

    Two plugins may share a noun. If the platform already has the noun, the plugin's name is used
    instead.
    """
    from terrafusion_lib.core.declared import declared_plugins

    taken = {item.name for item in app.registered_groups}
    nouns: dict[str, typer.Typer] = {}
    for plugin in declared_plugins().values():
        noun, verb = plugin.verb_of()
        if noun in taken:
            noun = plugin.name.replace("_", "-")
        if noun not in nouns:
            nouns[noun] = typer.Typer(help=f"{plugin.title}.", no_args_is_help=True)
            app.add_typer(nouns[noun], name=noun)
        nouns[noun].command(verb, help=f"{plugin.title}.")(_run_command(plugin))
        for action in plugin.actions:
            nouns[noun].command(action.name, help=f"{action.title}.")(
                _action_command(plugin, action)
            )


def show_job(job: "FinishedJob", *, as_json: bool) -> None:
    """A job's results: location, figures and files."""
    if as_json:
        rows = {name: table.num_rows for name, table in job.result.tables.items()}
        details = {"job_id": job.job_id, "rows": rows, "summary": job.result.summary}
        print_json(details | job.metadata)
        return
    print(f"job {job.job_id}")
    if job.location:
        print(job.location)
    for name, value in job.result.summary.items():
        print(f"{name.replace('_', ' '):24} {_figure(value)}")
    for note in job.result.notes:
        print(f"  {note}")
    for item in job.metadata.get("files", ()):
        print(f"  {item['name']}  {int(item['bytes']):,} bytes  sha256 {item['sha256'][:16]}…")
    if job.result.tables:
        print(f"Rows: terrafusion jobs results {job.job_id[:8]}")


def _figure(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _run_command(plugin: Plugin) -> Callable[..., None]:
    flags = Flags(plugin.Params)
    publishes = bool(plugin.published_in)
    estimates = type(plugin).estimate is not Plugin.estimate

    def run(county: str, year: int | None = None, as_json: bool = False, **given: Any) -> None:
        destination, only_count = given.pop("to", None), given.pop("estimate", False)
        options = flags.options(given)
        if only_count:
            from terrafusion_lib.jobs.request import estimate

            counted = estimate(plugin.name, county, options, settings=settings(), year=year)
            print_json(counted) if as_json else _show_estimate(counted)
            return
        from terrafusion_lib.jobs.execute import run_job

        job = run_job(
            plugin.name, county, options, settings=settings(), year=year, destination=destination
        )
        show_job(job, as_json=as_json)

    more: dict[str, tuple[Any, Any]] = {}
    more |= {"to": (Destination, None)} if publishes else {}
    more |= {"estimate": (Estimate, False)} if estimates else {}
    return _signed(run, flags, {"county": County}, more | _usual())


def _action_command(plugin: Plugin, action: Action) -> Callable[..., None]:
    flags = Flags(action.Params)

    def run(
        county: str | None = None, year: int | None = None, as_json: bool = False, **given: Any
    ) -> None:
        from terrafusion_lib.core.progress import LineProgress
        from terrafusion_lib.jobs.actions import act

        answer = act(
            plugin.name,
            action.name,
            county,
            flags.options(given),
            settings=settings(),
            year=year,
            progress=LineProgress(),
        )
        if isinstance(answer, Mapping):
            answer = [answer]
        print_rows(answer, as_json=as_json)

    usual = _usual() if action.needs_county else {"as_json": (AsJson, False)}
    return _signed(run, flags, {"county": County} if action.needs_county else {}, usual)


def _usual() -> dict[str, tuple[Any, Any]]:
    return {"year": (Year, None), "as_json": (AsJson, False)}


def _signed(
    function: Callable[..., None],
    flags: Flags,
    arguments: Mapping[str, Any],
    more: Mapping[str, tuple[Any, Any]],
) -> Callable[..., None]:
    """The function whose signature typer turns into the command."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter(name, keyword, annotation=annotation)
        for name, annotation in arguments.items()
    ]
    parameters += flags.parameters()
    parameters += [
        inspect.Parameter(name, keyword, annotation=annotation, default=default)
        for name, (annotation, default) in more.items()
    ]
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    function.__annotations__ = {item.name: item.annotation for item in parameters}
    return function


def _show_estimate(counted: Mapping[str, Any]) -> None:
    for name, value in counted.items():
        if isinstance(value, Mapping):
            for item, count in value.items():
                for label, number in count.items() if isinstance(count, Mapping) else ():
                    print(f"{item:24} {name.replace('_', ' ')}: {_figure(number)} {label}")
                if not isinstance(count, Mapping):
                    print(f"{item:24} {_figure(count)} {name.replace('_', ' ')}")
        elif name == "bytes":
            print(f"about {value / 2**20:,.1f} MB")
        else:
            print(f"{name.replace('_', ' '):24} {_figure(value)}")
