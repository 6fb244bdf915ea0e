"""Finding connectors and opening a county's sources."""

import subprocess
import sys
from pathlib import Path

import pytest

from terrafusion_lib.connectors.registry import (
    CONNECTORS,
    load_connector,
    open_connector,
    open_source,
)
from terrafusion_lib.core.county import CountyConfig, SourceConfig
from terrafusion_lib.core.errors import ConfigError, PluginError
from terrafusion_lib.core.settings import Settings
from tests.support.outside import add_outside


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(root=tmp_path, data_dir=tmp_path / "data")


def test_built_in_connectors_are_named_after_their_files() -> None:
    assert {"file", "sql_server"} <= set(CONNECTORS.names())


def test_listing_connectors_imports_none_of_them() -> None:
    code = (
        "import sys; from terrafusion_lib.connectors.registry import CONNECTORS;"
        "CONNECTORS.sources();"
        "print([m for m in sys.modules if m.endswith('_connector') or m == 'pyodbc'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_package_adds_a_connector_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    add_outside(monkeypatch, CONNECTORS, "tyler", "json:JSONDecoder")
    assert load_connector("tyler").__name__ == "JSONDecoder"


def test_two_connectors_of_one_name_are_refused_naming_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_outside(monkeypatch, CONNECTORS, "file", "other_package:Files")
    with pytest.raises(PluginError, match="Two connectors are named file") as caught:
        CONNECTORS.sources()
    assert "file_connector" in str(caught.value)
    assert "other_package:Files" in str(caught.value)


def test_an_unknown_connector_is_refused_with_the_nearest(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="did you mean sql_server"):
        open_connector(SourceConfig(connector="sqlserver"), settings=settings, folder=settings.root)


def test_an_unknown_option_is_refused_with_the_nearest(settings: Settings) -> None:
    source = SourceConfig(connector="sql_server", options={"host": "h", "databse": "d"})
    with pytest.raises(ConfigError, match="unknown key databse; did you mean database"):
        open_connector(source, settings=settings, folder=settings.root / "benton_wa")


def test_placeholders_are_filled_and_relative_paths_begin_at_the_county(
    settings: Settings,
) -> None:
    folder = settings.root / "county"
    (settings.data_path / "demo").mkdir(parents=True)
    (folder / "files").mkdir(parents=True)
    opened = [
        open_connector(
            SourceConfig(connector="file", options={"path": path}),
            settings=settings,
            folder=folder,
        )
        for path in ("{data_dir}/demo", "files")
    ]
    assert [item.path for item in opened] == [settings.data_path / "demo", folder / "files"]


def test_secrets_are_resolved_when_used_not_when_opened(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SourceConfig(connector="file", options={"path": "env:SALES_FOLDER"})
    connector = open_connector(source, settings=settings, folder=settings.root)
    [item] = connector.check()
    assert (item.ok, item.detail) == (
        False,
        "The path of the file source is not set: env:SALES_FOLDER is empty",
    )
    monkeypatch.setenv("SALES_FOLDER", str(settings.root))
    assert connector.check()[0].ok


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"host": "h", "database": "d", "password": "hunter2"}, "use a reference such as env:"),
        ({"host": "h"}, "set host and database, or url"),
        ({"url": "postgresql://x/y"}, "url must begin with sqlite:///"),
        ({"host": "h", "database": "d", "application_intent": "Write"}, "application_intent"),
    ],
)
def test_wrong_sql_server_options_say_what_to_write(
    settings: Settings, options: dict[str, str], message: str
) -> None:
    source = SourceConfig(connector="sql_server", options=options)
    with pytest.raises(ConfigError, match=message) as caught:
        open_connector(source, settings=settings, folder=settings.root)
    assert "hunter2" not in str(caught.value)


def test_a_source_that_the_county_does_not_name_is_refused(settings: Settings) -> None:
    county = CountyConfig(
        county_id="x_wa",
        name="X",
        assessment_year=2026,
        sources={"pacs": SourceConfig(connector="file", options={"path": "."})},
        mapping=Path("m.yaml"),
    )
    with pytest.raises(ConfigError, match="did you mean pacs"):
        open_source(county, "pacss", settings)
