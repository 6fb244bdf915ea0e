"""The connection check on the command line: what to do stands whole below the table."""

import pytest
from typer.testing import CliRunner

from terrafusion_lib.cli import app
from terrafusion_lib.connectors.protocol import CheckItem
from terrafusion_lib.core.commands import program
from terrafusion_lib.core.packages import install_command


def test_the_next_commands_stand_whole_below_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    install = install_command("mssql-python-odbc")
    items = [
        CheckItem("pacs: driver", False, "No ODBC driver", f"apt-get install x, or {install}"),
        CheckItem("pacs: login", False, "refused", "terrafusion connect check <county>"),
        CheckItem("pacs: table sale", True, "all 12 columns"),
    ]
    monkeypatch.setattr(
        "terrafusion_lib.connectors.check.check_sources", lambda *_args, **_options: items
    )
    done = CliRunner().invoke(app, ["connect", "check", "demo_wa"])
    lines = done.stdout.splitlines()
    assert done.exit_code == 4
    driver = f'{program("pip")} install "mssql-python-odbc"'
    assert f"Next for pacs: driver: apt-get install x, or {driver}" in lines
    assert f"Next for pacs: login: {program('terrafusion')} connect check demo_wa" in lines
