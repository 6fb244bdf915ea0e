"""Exports from the command line, over a county that has been run."""

import json
from pathlib import Path

import pyogrio
import pytest
from typer.testing import CliRunner

from terrafusion_lib.cli import app
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.settings import Settings

COUNTY = "demo_wa"

Finished = tuple[Settings, dict]


@pytest.fixture
def asked(finished_project: Finished, monkeypatch: pytest.MonkeyPatch):
    settings, _ = finished_project
    monkeypatch.setattr("terrafusion_lib.core.settings.get_settings", lambda: settings)

    def run(*arguments: str):
        return CliRunner().invoke(app, ["export", *arguments], catch_exceptions=True)

    return run


def test_an_estimate_counts_and_writes_nothing(asked, finished_project: Finished) -> None:
    settings, _ = finished_project
    folder = settings.county_data(COUNTY) / "exports"
    before = sorted(folder.rglob("*")) if folder.is_dir() else []
    done = asked("gis", COUNTY, "--estimate", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["records"]["parcels"] > 400
    assert (sorted(folder.rglob("*")) if folder.is_dir() else []) == before


def test_an_export_says_where_it_is_and_reads_back(asked, tmp_path: Path) -> None:
    counted = json.loads(asked("gis", COUNTY, "--estimate", "--json").stdout)["records"]["parcels"]
    arguments = ("--format", "flatgeobuf", "--crs", "EPSG:4326", "--to", str(tmp_path))
    done = asked("gis", COUNTY, *arguments)
    assert done.exit_code == 0, done.output
    (file,) = tmp_path.rglob("*.fgb")
    assert done.stdout.splitlines()[0] in str(file)
    found = pyogrio.read_info(file)
    assert found["features"] == counted
    assert found["crs"] == "EPSG:4326"
    assert "owner_name" not in found["fields"]


def test_personal_data_are_for_the_roles_that_may_see_them(asked) -> None:
    done = asked("gis", COUNTY, "--attributes", "property_id,owner_name", "--estimate")
    assert done.exit_code != 0
    assert "owner_name" in str(done.exception)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--bbox", "1,2", "--city", "Kennewick"), "one area"),
        (("--bbox", "west"), "is no box"),
    ],
)
def test_a_wrong_area_is_refused(asked, arguments: tuple[str, ...], says: str) -> None:
    done = asked("gis", COUNTY, "--estimate", *arguments)
    assert isinstance(done.exception, ConfigError)
    assert says in str(done.exception)


def test_the_formats_are_listed(asked) -> None:
    lines = asked("formats").stdout.splitlines()
    names = {line.split()[0] for line in lines}
    assert {"geopackage", "shapefile", "pmtiles", "file_geodatabase"} <= names
