"""Every door asks: who has no role gets nowhere, and a door that nobody listed fails here.

A command, a function that notebooks call, a dashboard or a service of the hub must refuse a person
without a role, or stand in a list with the reason why it need not.
"""

import ast
import inspect
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import typer
from tornado.web import HTTPError
from traitlets.config import Config
from typer.testing import CliRunner

from terrafusion_lib.access.roles import ROLES
from terrafusion_lib.cli import app
from terrafusion_lib.core.county import load_county
from terrafusion_lib.core.errors import AccessDeniedError
from terrafusion_lib.core.progress import silent
from terrafusion_lib.core.settings import Settings, get_settings
from terrafusion_lib.hub import config, dashboard
from terrafusion_lib.jobs import records
from terrafusion_lib.jobs.execute import run_job
from terrafusion_lib.pipelines.step import Step
from terrafusion_lib.runs.runner import RunOptions, run_county
from terrafusion_lib.store.decisions import REFUSED
from terrafusion_lib.store.store import open_store
from terrafusion_lib.ui.dashboards import RunDashboard
from tests.support.county import project
from tests.support.require import ROOT

COUNTY, RUN, JOB = "demo_wa", "20260101-000000-calm-alder", "job-1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)

OPEN_COMMANDS = {
    "counties": "names of counties, which stand in the project's folders",
    "plugins list": "what the program can do",
    "export formats": "what the program can write",
    "export layers": "what the program can write",
    "demo generate": "writes invented data",
    "notebooks refresh": "works on invented data in a folder of its own",
    "runs list": "lists the counties that the person may view; see the test of it",
    "dashboard": "serves a page that asks for whoever works on this machine",
    "lab": "serves notebooks, which ask",
    "hub": "serves a page that asks for a password",
}
ARGUMENTS = {
    "county": COUNTY, "table_name": "sales", "username": "ada", "run_id": RUN, "one": RUN,
    "other": RUN, "job": JOB,
}  # fmt: skip

MODULES_OF_NOTEBOOKS = (
    "terrafusion_lib.jobs.",
    "terrafusion_lib.pipelines.",
    "terrafusion_lib.results.",
    "terrafusion_lib.runs.",
)
ALSO_CALLED = (
    "terrafusion_lib.jobs.actions",
    "terrafusion_lib.jobs.results",
    "terrafusion_lib.pipelines.mapping_review",
    "terrafusion_lib.runs.ledger",
    "terrafusion_lib.runs.runner",
)
"""Modules that no committed notebook imports, but that one may."""
NEEDS = {
    "act": "valuation:run",
    "cancel": "gis_export:run",
    "estimate": "gis_export:run",
    "find_job": "gis_export:view",
    "job_results": "gis_export:view",
    "latest_results": "valuation:view",
    "list_jobs": "pipeline:view",
    "load_summary": "pipeline:view",
    "open_step": "pipeline:run",
    "preview": "pipeline:view",
    "replay": "gis_export:view",
    "run_county": "pipeline:run",
    "run_job": "gis_export:run",
    "submit": "gis_export:run",
    "unmapped_codes": "pipeline:view",
    "unmapped_columns": "pipeline:run",
}
"""What each function asks for."""
OPEN_FUNCTIONS = {
    "execute": "runs a job that somebody who may has submitted",
    "find_action": "what the program can do",
    "promoted_results": "the dashboard that calls it asks",
    "stored_tables": "of results that somebody who may has opened",
    "new_run_id": "makes a word",
    "list_runs": "lists the counties that the person may view; see the test of it",
}
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))
DASHBOARDS = sorted((ROOT / "dashboards").glob("*.ipynb"))
OPEN_SERVICES = {"idle-culler": "ends idle servers and shows nothing"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The project, with a run and a job in its ledger."""
    settings = project(tmp_path_factory.mktemp("doors"))
    settings.data_path.mkdir()
    with open_store(settings.operational_database_url) as store:
        store.migrate()
        store.start_run(
            RUN, county_id=COUNTY, assessment_year=2026, username="ana", note="", parameters={},
            versions={}, code_fingerprint="c", input_fingerprint="i", started_at=NOW,
        )  # fmt: skip
        with store.writing("test") as connection:
            records.create(
                connection, job_id=JOB, plugin="gis_export", county_id=COUNTY, username="ana",
                assessment_year=2026, run_id=JOB, parameters={}, request={}, worker=None, own={},
                now=NOW,
            )  # fmt: skip
    return settings


@pytest.fixture(params=["cleo", "mallory"])
def stranger(
    request: pytest.FixtureRequest, place: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """Somebody whose role grants nothing here (a clerk), or who is no user of any county."""
    for name, value in (place.environment() | {"TERRAFUSION_USER": request.param}).items():
        monkeypatch.setenv(name, value)
    get_settings.cache_clear()
    yield get_settings()
    get_settings.cache_clear()


def _commands(group: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in getattr(group, "commands", {}).items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


COMMANDS = dict(_commands(typer.main.get_command(app)))


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - OPEN_COMMANDS))
def test_a_command_refuses_who_has_no_role(stranger: Settings, name: str) -> None:
    needed = [item for item in COMMANDS[name].params if item.required]
    given = [ARGUMENTS[item.name] for item in needed if item.param_type_name == "argument"]
    options = [item.opts[0] for item in needed if item.param_type_name == "option"]
    flags = [word for option in options for word in (option, "1")]
    done = CliRunner().invoke(app, [*name.split(), *given, *flags])
    assert isinstance(done.exception, AccessDeniedError), done.output
    assert done.exception.county == COUNTY
    assert stranger.user in str(done.exception)


def test_an_open_command_is_a_command_and_names_no_county_that_it_must() -> None:
    assert OPEN_COMMANDS.keys() <= COMMANDS.keys()
    for name in OPEN_COMMANDS:
        assert not any(item.name == "county" and item.required for item in COMMANDS[name].params)


def test_a_demo_run_that_is_refused_generates_nothing(stranger: Settings) -> None:
    done = CliRunner().invoke(app, ["demo", "run", "--parcels", "300"])
    assert isinstance(done.exception, AccessDeniedError)
    assert not stranger.county_data(COUNTY).exists()


def test_a_list_of_runs_leaves_out_counties_without_a_role(stranger: Settings) -> None:
    done = CliRunner().invoke(app, ["runs", "list", "--json"])
    assert (done.exit_code, json.loads(done.stdout)) == (0, [])
    assert isinstance(
        CliRunner().invoke(app, ["runs", "list", COUNTY]).exception, AccessDeniedError
    )


def export(county_id: str, options: dict[str, Any], **more: Any) -> object:
    return run_job("gis_export", county_id, options, progress=silent, **more)


def _imported_by(path: Path) -> set[str]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    source = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return {
        node.module
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and node.module
    }


def _functions_of_notebooks() -> dict[str, Callable[..., Any]]:
    """Public functions of what notebooks import, which reads or writes a county's data."""
    imported = {name for path in [*NOTEBOOKS, *DASHBOARDS] for name in _imported_by(path)}
    modules = {name for name in imported if name.startswith(MODULES_OF_NOTEBOOKS)}
    found: dict[str, Callable[..., Any]] = {}
    for name in sorted(modules.union(ALSO_CALLED)):
        found |= dict(_public(import_module(name)))
    return found


def _public(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    exported = getattr(module, "__all__", None)
    for name, item in inspect.getmembers(module, inspect.isfunction):
        own = item.__module__ == module.__name__ or name in (exported or ())
        if own and not name.startswith("_"):
            yield name, item


FUNCTIONS = _functions_of_notebooks()


def _takes_a_step(function: Callable[..., Any]) -> bool:
    """Whether it works on a step, which nobody has but from `open_step`."""
    first = next(iter(inspect.signature(function).parameters.values()), None)
    return first is not None and first.annotation in (Step, "Step")


ASKING = sorted(
    name
    for name, function in FUNCTIONS.items()
    if not _takes_a_step(function) and name not in OPEN_FUNCTIONS
)


@pytest.mark.parametrize("name", ASKING)
def test_a_function_of_notebooks_refuses_who_has_no_role(stranger: Settings, name: str) -> None:
    values: dict[str, Any] = {
        "county": COUNTY, "county_id": COUNTY, "settings": stranger,
        "name": "tune" if name == "act" else "20_map",
        "job_id": JOB, "text": RUN, "table": "sales", "rows": 1, "options": RunOptions(),
        "plugin_name": "valuation" if name == "act" else "gis_export",
    }  # fmt: skip
    given = {}
    for parameter in inspect.signature(FUNCTIONS[name]).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            continue
        if name == "act" and parameter.name == "county_id":
            given["county_id"] = COUNTY
        if parameter.name == "settings" or parameter.default is parameter.empty:
            given[parameter.name] = values[parameter.name]
        if "CountyConfig" in str(parameter.annotation):
            given[parameter.name] = load_county(COUNTY, stranger)
    with pytest.raises(AccessDeniedError) as refused:
        FUNCTIONS[name](**given)
    assert refused.value.permission == NEEDS[name]


def test_the_doors_that_are_known_are_among_those_that_are_tried() -> None:
    assert NEEDS.keys() <= set(ASKING)
    assert OPEN_FUNCTIONS.keys() <= FUNCTIONS.keys()
    assert sum(_takes_a_step(function) for function in FUNCTIONS.values()) > 7


def test_a_plan_from_python_is_asked_too(stranger: Settings) -> None:
    with pytest.raises(AccessDeniedError):
        RunOptions().plan(load_county(COUNTY, stranger), stranger)


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)
def test_a_dashboard_shows_who_has_no_role_a_sentence_only(stranger: Settings, path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    known: dict[str, Any] = {}
    exec(code[0], known)
    known |= {"county": COUNTY, "user": stranger.user}
    for source in code[1:]:
        exec(source, known)
    (shown,) = (item for item in known.values() if isinstance(item, RunDashboard))
    assert "dashboard:view" in shown.head
    assert shown.ratio_study is shown.map is shown.rows is None


@pytest.mark.parametrize("county", [COUNTY, ""])
def test_the_hubs_dashboard_refuses_who_has_no_role(
    stranger: Settings, monkeypatch: pytest.MonkeyPatch, county: str
) -> None:
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/services/dashboard/")
    handler = SimpleNamespace(
        current_user=SimpleNamespace(name=stranger.user), get_argument=lambda _, default: county
    )
    with pytest.raises(HTTPError) as refused:
        dashboard.choose_county(handler, SimpleNamespace(cells=[]), "")
    assert refused.value.status_code == 403


def test_every_service_and_right_of_the_hub_is_for_groups_whose_role_grants_it(
    place: Settings,
) -> None:
    told = Config()
    config.configure(told, place)
    services = {service["name"] for service in told.JupyterHub.services}
    assert services == {config.DASHBOARD, *OPEN_SERVICES}
    needs = {"dashboard-viewer": "dashboard:view", "lab": "pipeline:run"}
    given = {role["name"]: role for role in told.JupyterHub.load_roles}
    assert given.keys() == {"user", *needs, *OPEN_SERVICES}
    for name, permission in needs.items():
        able = {role for role in ROLES if permission in ROLES[role]}
        assert {group.partition(":")[2] for group in given[name]["groups"]} == able
    assert given["user"]["scopes"] == ["read:users:name!user"]


def test_a_jupyterlab_works_for_the_user_who_logged_in(place: Settings) -> None:
    told = Config()
    config.configure(told, place)
    spawner = SimpleNamespace(user=SimpleNamespace(name="sam"))
    assert told.Spawner.environment["TERRAFUSION_USER"](spawner) == "sam"


@pytest.mark.parametrize(("door", "options"), [(run_county, RunOptions()), (export, {})])
def test_the_audit_log_says_who_was_refused_what(
    stranger: Settings, door: Callable[..., Any], options: Any
) -> None:
    with pytest.raises(AccessDeniedError) as refused:
        door(COUNTY, options, settings=stranger)
    with open_store(stranger.operational_database_url) as store, store.engine.connect() as reading:
        entry = reading.exec_driver_sql(
            "SELECT username, action, county_id, detail_json FROM audit_log ORDER BY entry DESC"
        ).first()
    assert entry is not None
    assert (entry.username, entry.action, entry.county_id) == (stranger.user, REFUSED, COUNTY)
    assert json.loads(entry.detail_json)["permission"] == refused.value.permission
