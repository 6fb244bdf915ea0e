"""What README and docs tell people to type works on a fresh machine, or says why not.

The environment is made from requirements.lock alone, the project is a copy, and the demo county
is small. A command that is new in the documentation is run as it stands; where it cannot be, it
needs a line with the reason in `INSTEAD`.
"""

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from terrafusion_lib.analytics.store import open_analytics
from terrafusion_lib.core.errors import ConnectError
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.geometry.store import open_geometry
from terrafusion_lib.store.store import open_store
from tests.support.documented import (
    documented_commands,
    documented_settings,
    lacks_arguments,
    options_in_prose,
    options_of,
)
from tests.support.fresh import FreshProject, fresh_project
from tests.support.hub import free_ports
from tests.support.require import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
PARCELS = "800"
PLACEHOLDERS = {"<county>": "demo_wa", "<table>": "sales"}
COMMANDS = documented_commands()
BENCHMARKS = sorted(command for command in COMMANDS if command.startswith("python benchmarks/"))
SERVERS = ("make dashboard", "make hub", "make lab")
PAGES = {  # page that needs no login, and what it says
    "dashboard": ("/?county=demo_wa", "Demo County"),
    "lab": ("/api", "version"),
    "hub": ("/hub/login", "Sign in"),
}
RUN_NOTEBOOK = """python -c '
import sys, pathlib
from terrafusion_lib.runs.notebook_runner import run_notebook
name, target = sys.argv[1:]
run_notebook(pathlib.Path(name), pathlib.Path(target, name), folder=pathlib.Path())
'"""
"""As a run executes them: with sockets that two kernels starting at once do not share."""
OPTIONS_OF = {
    "README.md": ("run",),
    "docs/how-to/add-a-plugin.md": ("export gis", "valuation run"),
    "docs/how-to/run-the-main-job.md": ("run",),
    "docs/how-to/export-gis.md": ("export gis",),
}
"""Which commands' options a page speaks of."""
NOT_OURS = {"docs/decisions/0002-ploomber.md": {"--no-deps"}}


@dataclass(frozen=True)
class Instead:
    """Why a documented command is not run as it stands, and what is run in its place."""

    reason: str
    command: str = ""
    exit_code: int = 0
    says: str = ""
    typed: str = ""


COPY = "cp -R county_configs ../$$; TERRAFUSION_CONFIG_DIR=../$$"
"""A copy of the configuration for one command (named after its shell)."""
JOB = (
    "$(terrafusion export gis demo_wa --json"
    " | python -c 'import json, sys; print(json.load(sys.stdin)[\"job_id\"])')"
)
"""An export made for one command."""
OF_A_JOB = {
    "show <job>": (0, "gis_export"),
    "results <job>": (0, "gis_export_layers"),
    "results <job> gis_export_layers --rows 50": (0, "parcels"),
    "replay <job>": (0, "estimated bytes"),
    "cancel <job>": (1, "has already ended"),
    "execute <job>": (9, "cannot be run"),
}
INSTEAD = {
    **{
        f"terrafusion jobs {command}": Instead(
            "job ids differ", f"terrafusion jobs {command.replace('<job>', JOB)}", code, says
        )
        for command, (code, says) in OF_A_JOB.items()
    },
    "make demo": Instead("run once, before all others"),
    "make demo PARCELS=80000": Instead("three minutes", "make -n demo PARCELS=80000"),
    "make test": Instead("this suite", "make -n test"),
    "make test-fast": Instead("a part of this suite", "make -n test-fast"),
    "make env-test": Instead("asks the network for the tests' packages", "make -n env-test"),
    ".venv/bin/python -m pytest tests/unit/stats/test_ratio_point_statistics.py": Instead(
        "needs the tests' packages; a part of this suite"
    ),
    '.venv/bin/python -m pytest tests/unit -k "comparables and not grid" -x': Instead(
        "needs the tests' packages; a part of this suite"
    ),
    "make lint": Instead("needs the tests' packages; CI runs it", "make -n lint"),
    "make lock": Instead("asks the network for every package", "make -n lock"),
    "pip install terrafusion": Instead("the page says that it is not to be typed"),
    "TERRAFUSION_DATA=<folder> terrafusion run king_wa": Instead(
        "test_king_county runs it where the file is",
        "TERRAFUSION_DATA=. terrafusion run king_wa", 4, "kc_house_data.csv",
    ),
    "terrafusion run prairie_tx": Instead(
        "test_counties_of_other_states runs it; its files may not be there yet",
        "terrafusion demo files prairie_tx && terrafusion run prairie_tx --dry-run",
        says="10_connect",
    ),
    "terrafusion connect check benton_wa": Instead(
        "no SQL Server here: it says what is missing",
        "terrafusion connect check benton_wa", 4, "PACS_DB_HOST_BENTON_WA_SOURCE",
    ),
    "terrafusion export gis demo_wa --format pmtiles --layers parcels --to s3://assessor/tiles": (
        Instead(
            "s3fs is an extra: the error says how to install it",
            "terrafusion export gis demo_wa --to s3://assessor/tiles", 3,
            '(extra object-store), which is not installed. Next: pip install "s3fs',
        )
    ),
    "terrafusion valuation tune demo_wa": Instead(
        "a county this small has too few sales for trees",
        "terrafusion valuation tune demo_wa", 8, "too few for trees",
    ),
    "terrafusion valuation tune <county> --market residential --trials 20": Instead(
        "a county this small has too few sales for trees",
        "terrafusion valuation tune demo_wa --market residential --trials 20", 8,
        "too few for trees",
    ),
    "terrafusion run <county> --resume": Instead(
        "no run has failed", "terrafusion run demo_wa --resume", 9, "no failed run to resume",
    ),
    "terrafusion users set-password benton_wa benton_it": Instead(
        "asks for the password twice; a copy, for it ends what the keyboard alone may do",
        f"{COPY} terrafusion users set-password benton_wa benton_it",
        says="can log in", typed="correct horse battery\n" * 2,
    ),
    "TERRAFUSION_USER=benton_it terrafusion users set-password benton_wa benton_supervisor": (
        Instead(
            "asks for the password twice; a copy, as before",
            f"{COPY} TERRAFUSION_USER=benton_it "
            "terrafusion users set-password benton_wa benton_supervisor",
            says="can log in", typed="correct horse battery\n" * 2,
        )
    ),
    "terrafusion notebooks refresh": Instead(
        "minutes: runs every notebook, as a test here does", "terrafusion notebooks refresh --help"
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> FreshProject:
    folder = tmp_path_factory.mktemp("fresh") / "terrafusion"
    folder.mkdir()
    return fresh_project(folder)


@pytest.fixture(scope="module")
def demo(project: FreshProject) -> str:
    """What ``make demo`` prints."""
    done = project.run("make demo", active=False, PARCELS=PARCELS)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_what_the_demo_prints_works_as_printed(project: FreshProject, demo: str) -> None:
    for place in re.findall(
        r"^(?:Notebooks of this run|Values and ratio study): (.*)$", demo, re.MULTILINE
    ):
        assert Path(place).is_dir()
    printed = re.findall(r"^  (\S+terrafusion .*?)  ", demo.partition("Next:")[2], re.MULTILINE)
    assert len(printed) == 5
    for command in printed:
        if command.split()[1] in ("dashboard", "lab", "hub"):
            serve(project, command)
        else:
            done = project.run(command, active=False)
            assert done.returncode == 0, done.stderr
    (activate,) = re.findall(r"After '(.*)' in your shell", demo)
    done = project.run(f"{activate} && terrafusion --help", active=False)
    assert done.returncode == 0, done.stderr


def test_the_next_command_of_an_error_works_as_printed(project: FreshProject, demo: str) -> None:
    done = project.run(".venv/bin/terrafusion mapping coverage king_wa", active=False)
    (printed,) = re.findall(r"Next: (.*)\.$", done.stderr)
    again = project.run(f"{printed} --dry-run", active=False)
    assert "not found" not in again.stderr
    assert "TERRAFUSION_DATA" in again.stderr


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - set(BENCHMARKS) - set(SERVERS)))
def test_a_documented_command_works(command: str, project: FreshProject, demo: str) -> None:
    asked = INSTEAD.get(command, Instead("", _filled(command, demo)))
    if command.startswith("terrafusion ") and command not in INSTEAD and lacks_arguments(command):
        asked = Instead("only named, without what it needs", f"{command} --help")
    if not asked.command:
        pytest.skip(asked.reason)
    done = project.run(asked.command, typed=asked.typed)
    told = f"{COMMANDS[command]}: {asked.command}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    assert done.returncode == asked.exit_code, told
    assert asked.says in done.stdout + done.stderr, told
    assert "Traceback" not in done.stderr, told


@pytest.mark.parametrize("command", SERVERS)
def test_a_documented_server_answers(command: str, project: FreshProject, demo: str) -> None:
    assert command in COMMANDS
    serve(project, command)


def test_every_notebook_runs(project: FreshProject, demo: str, tmp_path: Path) -> None:
    """The steps one after the other, as people open them, and beside them those to explore."""
    steps = sorted((project.folder / "notebooks").glob("*.ipynb"))
    others = sorted((project.folder / "notebooks" / "explore").glob("*.ipynb"))
    others += sorted((project.folder / "dashboards").glob("*.ipynb"))
    assert len(steps) > 7
    assert len(others) > 4

    def run_all(paths: list[Path]) -> list[str]:
        failed = []
        for path in paths:
            done = project.run(f"cd {path.parent} && {RUN_NOTEBOOK} {path.name} {tmp_path}")
            failed += [f"{path.name}: {done.stderr[-3000:]}"] if done.returncode else []
        return failed

    with ThreadPoolExecutor(2) as pool:
        assert [text for failed in pool.map(run_all, (steps, others)) for text in failed] == []


def test_every_documented_benchmark_starts_and_knows_its_options() -> None:
    """They take minutes and the tests' packages (make bench), so their help is asked for."""

    def fault(command: str) -> str:
        script, *words = command.split()[1:]
        asks = "argparse" in (ROOT / script).read_text()
        load = f"import runpy; runpy.run_path({script!r}, run_name='{'__main__' if asks else 'x'}')"
        path = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'benchmarks'}"}
        done = subprocess.run(
            [sys.executable, "-c", load, "--help"],
            cwd=ROOT, env=path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        lost = [word for word in words if word.startswith("--") and word not in done.stdout]
        return f"{command}: {lost or done.stderr[-1000:]}" if done.returncode or lost else ""

    with ThreadPoolExecutor(2) as pool:
        assert [text for text in pool.map(fault, BENCHMARKS) if text] == []


def test_every_option_named_in_prose_exists() -> None:
    for page, options in options_in_prose().items():
        known = NOT_OURS.get(page, set())
        known = known.union(*map(options_of, OPTIONS_OF.get(page, ())))
        assert options <= known, f"{page}: {sorted(options - known)}"


def test_no_exception_outlives_its_command() -> None:
    assert set(INSTEAD) <= set(COMMANDS)
    assert set(OPTIONS_OF) | set(NOT_OURS) <= set(options_in_prose())


@pytest.mark.parametrize(("setting", "url"), documented_settings())
def test_a_documented_url_is_understood(
    setting: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in re.findall(r"env:(\w+)", url):
        monkeypatch.setenv(name, "x")
    opened = {
        "TERRAFUSION_OPERATIONAL_URL": lambda: open_store(url),
        "TERRAFUSION_GEOMETRY_URL": lambda: open_geometry(Settings(geometry_url=url)),
        "TERRAFUSION_ANALYTICS_URL": lambda: open_analytics(Settings(analytics_url=url)),
    }[setting]
    try:
        opened().close()
    except ConnectError as error:  # ClickHouse is called at once, and the host is made up
        assert "did not respond" in str(error)


def serve(project: FreshProject, command: str) -> None:
    """Start a documented server on free ports and look at a page of it."""
    port = free_ports(4)
    names = ("TERRAFUSION_DASHBOARD_PORT", "JUPYTER_PORT", "TERRAFUSION_HUB_PORT")
    address, says = PAGES[command.split()[1]]
    page = project.serve(
        command,
        f"http://127.0.0.1:{port}{address}",
        active=False,
        **dict.fromkeys(names, str(port)),
    )
    assert says in page, page[:2000]


def _filled(command: str, demo: str) -> str:
    """The command with its placeholders filled."""
    for name, value in PLACEHOLDERS.items():
        command = command.replace(name, value)
    run = re.findall(r"Notebooks of this run: .*/(\S+)", demo)
    return command.replace("<run>", run[0] if run else "<run>")
