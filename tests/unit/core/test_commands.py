"""What a message tells to type works in the shell that shows it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from terrafusion_lib.core import commands
from terrafusion_lib.core.commands import activation, as_typed, program
from tests.support.require import ROOT


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a virtual environment that the PATH does not lead to, as after make demo."""
    scripts = tmp_path / ".venv" / "bin"
    scripts.mkdir(parents=True)
    for name in ("terrafusion", "pip", "python"):
        (scripts / name).write_text("#!/bin/sh\n")
        (scripts / name).chmod(0o755)
    monkeypatch.setattr(commands.sysconfig, "get_path", lambda _name: str(scripts))
    monkeypatch.setattr(commands.sys, "executable", str(scripts / "python"))
    monkeypatch.setattr(commands.sys, "prefix", str(tmp_path / ".venv"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_command_is_written_by_its_path_where_no_environment_is_active(
    environment: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert as_typed("Next: terrafusion plan demo_wa.") == (
        "Next: .venv/bin/terrafusion plan demo_wa."
    )
    assert as_typed('pip install "s3fs"') == '.venv/bin/pip install "s3fs"'
    assert activation() == ". .venv/bin/activate"
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert program("terrafusion") == f"{environment}/.venv/bin/terrafusion"
    assert program("terrafusion", folder=environment) == ".venv/bin/terrafusion"


def test_a_command_is_plain_where_the_path_leads_to_it(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{environment}/.venv/bin:/usr/bin")
    assert as_typed("terrafusion plan demo_wa") == "terrafusion plan demo_wa"
    assert activation() is None


def test_another_terrafusion_on_the_path_is_not_taken_for_this_one(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = environment / "other"
    other.mkdir()
    (other / "terrafusion").write_text("#!/bin/sh\n")
    (other / "terrafusion").chmod(0o755)
    monkeypatch.setenv("PATH", f"{other}:/usr/bin")
    assert program("terrafusion") == ".venv/bin/terrafusion"


def test_a_program_without_a_script_is_called_as_a_module(environment: Path) -> None:
    assert as_typed("keyring set pacs loader") == ".venv/bin/python -m keyring set pacs loader"
    (environment / ".venv/bin/terrafusion").unlink()
    assert program("terrafusion") == ".venv/bin/python -m terrafusion_lib.cli"


def test_a_folder_with_a_space_is_quoted(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands.sysconfig, "get_path", lambda _name: str(environment / "my tools"))
    (environment / ".venv/bin").rename(environment / "my tools")
    assert as_typed("terrafusion run x") == "'my tools/terrafusion' run x"


def test_the_county_takes_its_place_and_names_that_are_no_command_stay(environment: Path) -> None:
    typed = as_typed("terrafusion run <county> --to load", county="demo_wa")
    assert typed == ".venv/bin/terrafusion run demo_wa --to load"
    for text in (
        "Database terrafusion does not exist",
        "/srv/terrafusion run",
        "host:5432/terrafusion run",
        "terrafusion: run",
    ):
        assert as_typed(text) == text


def test_every_command_of_the_command_line_is_known_to_messages() -> None:
    from terrafusion_lib.cli import app

    group = typer.main.get_command(app)
    assert sorted(group.commands) == list(commands.command_nouns())


def test_every_hint_that_names_our_command_names_one_that_exists() -> None:
    from terrafusion_lib.cli import app

    group = typer.main.get_command(app)
    found = 0
    for path in (ROOT / "terrafusion_lib").rglob("*.py"):
        for line in path.read_text().splitlines():
            for words in re.findall(r"[\"'; ]terrafusion ([a-z-]+(?: [a-z-]+)?)", line):
                noun, _, verb = words.partition(" ")
                if noun not in commands.command_nouns():
                    continue
                known = getattr(group.commands[noun], "commands", None)
                assert known is None or not verb or verb in known, f"{path.name}: {line.strip()}"
                found += 1
    assert found > 30


def test_what_an_error_prints_can_be_typed_in_that_folder(tmp_path: Path) -> None:
    """The next command of a real error, typed as printed, starts and says something of its own."""
    environment = {**os.environ, "PATH": "/usr/bin:/bin", "TERRAFUSION_ROOT": str(ROOT)}
    environment |= {"TERRAFUSION_DATA_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "terrafusion_lib.cli", "mapping", "coverage", "demo_wa"]
    failed = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    printed = re.search(r"Next: (.*)\.\n", failed.stderr)
    assert printed, failed.stderr
    assert " run demo_wa" in printed[1]
    typed = subprocess.run(
        f"{printed[1]} --dry-run", shell=True, cwd=ROOT, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "command not found" not in typed.stderr
    assert "demo generate" in typed.stderr, typed.stderr
