"""Exports from the command line, over a county that has been run."""

import json
import re
from pathlib import Path

import pyogrio
import pytest
from typer.testing import CliRunner

from terrafusion_lib.cli import app
from terrafusion_lib.core.errors import AccessDeniedError, ConfigError
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.plugins.gis_export.errors import ExportError
from terrafusion_lib.plugins.gis_export.params import GisExportParams
from terrafusion_lib.plugins.gis_export.select.layers import LAYERS

COUNTY = "demo_wa"

Finished = tuple[Settings, dict]


@pytest.fixture
def asked(finished_project: Finished, monkeypatch: pytest.MonkeyPatch):
    """Runs a command as `by`; as the account of the operating system when that is None."""
    settings, _ = finished_project
    monkeypatch.delenv("TERRAFUSION_USER", raising=False)  # a run hands its settings on

    def run(*arguments: str, by: str | None = "ana", noun: str = "export"):
        given = settings.model_dump(exclude={"user"}) | ({"user": by} if by else {})
        project = Settings(**given)
        monkeypatch.setattr("terrafusion_lib.core.settings.get_settings", lambda: project)
        return CliRunner().invoke(app, [noun, *arguments], catch_exceptions=True)

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
    assert done.stdout.splitlines()[1] in str(file)
    found = pyogrio.read_info(file)
    assert found["features"] == counted
    assert found["crs"] == "EPSG:4326"
    assert "owner_name" not in found["fields"]


def test_an_estimate_is_told_to_people(asked) -> None:
    done = asked("gis", COUNTY, "--estimate", "--layers", "parcels,sales")
    assert done.exit_code == 0, done.output
    assert re.search(r"^parcels +\d+ records$", done.stdout, re.MULTILINE)
    assert re.search(r"left out: \d+ properties without a parcel shape", done.stdout)
    assert "about " in done.stdout


def test_an_export_tells_what_was_left_out(asked, tmp_path: Path) -> None:
    done = asked("gis", COUNTY, "--format", "csv_wkt", "--to", str(tmp_path))
    assert done.exit_code == 0, done.output
    assert re.search(r"left out: \d+ properties without a parcel shape", done.stdout)


def test_personal_data_are_for_the_roles_that_may_see_them(asked) -> None:
    arguments = ("gis", COUNTY, "--attributes", "property_id,owner_name", "--estimate")
    for by in ("ana", None):
        done = asked(*arguments, by=by)
        assert isinstance(done.exception, AccessDeniedError)
        assert done.exception.permission == "reporting:view_sensitive"
    assert asked(*arguments, by="ada").exit_code == 0


@pytest.mark.parametrize("estimate", [True, False])
@pytest.mark.parametrize(
    ("by", "says"),
    [("cleo", "gis_export:run"), ("sam", "gis_export:run"), ("mallory", "not a user")],
)
def test_who_has_no_role_for_it_cannot_export(asked, by: str, says: str, estimate: bool) -> None:
    done = asked("gis", COUNTY, *(["--estimate"] if estimate else []), by=by)
    assert isinstance(done.exception, AccessDeniedError)
    assert says in str(done.exception)


def test_the_account_of_the_machine_may_export(asked) -> None:
    assert asked("gis", COUNTY, "--estimate", by=None).exit_code == 0


def test_a_year_that_is_not_loaded_is_refused(asked) -> None:
    done = asked("gis", COUNTY, "--estimate", "--year", "2030")
    assert isinstance(done.exception, ExportError)
    assert done.exception.reason_code == "year_not_loaded"


def test_jobs_tell_where_the_result_lies(asked, tmp_path: Path) -> None:
    asked("gis", COUNTY, "--format", "geoparquet", "--to", str(tmp_path))
    asked("gis", COUNTY, "--format", "dgn")
    lines = asked("list", COUNTY, noun="jobs").stdout.splitlines()
    (folder,) = tmp_path.iterdir()
    (at,) = [number for number, line in enumerate(lines) if line.startswith(folder.name)]
    assert "COMPLETED  ana" in lines[at]
    assert re.search(rf"{re.escape(str(folder))}  \d+ records  \d+\.\d MB$", lines[at + 1])
    assert "unknown_format" in "".join(lines)


def test_every_parameter_has_a_flag(asked, tmp_path: Path) -> None:
    told = asked("gis", "--help").stdout
    for name in GisExportParams.model_fields:
        assert f"--{name.replace('_', '-').removeprefix('export-')}" in told
    renamed = asked(
        "gis", COUNTY, "--format", "csv_wkt", "--attributes", "parcel_number,year_built",
        "--rename", "year_built=built", "--max-records", "100000", "--to", str(tmp_path),
    )  # fmt: skip
    assert renamed.exit_code == 0, renamed.output
    (file,) = tmp_path.rglob("*.csv")
    assert '"built"' in file.read_text(encoding="utf-8-sig").splitlines()[0]
    assert isinstance(asked("gis", COUNTY, "--max-records", "5").exception, ExportError)


def test_zooms_are_in_order(asked) -> None:
    done = asked("gis", COUNTY, "--estimate", "--min-zoom", "9", "--max-zoom", "8")
    assert isinstance(done.exception, ConfigError)
    done = asked("gis", COUNTY, "--estimate", "--min-zoom", "9", "--max-zoom", "14")
    assert done.exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--bbox", "-119.4,46.1,-119.2,46.3", "--city", "Kennewick"), "one area of interest"),
        (("--bbox", "west"), "is not a box"),
    ],
)
def test_a_wrong_area_is_refused(asked, arguments: tuple[str, ...], says: str) -> None:
    done = asked("gis", COUNTY, "--estimate", *arguments)
    assert isinstance(done.exception, ConfigError)
    assert says in str(done.exception)


def test_the_formats_are_listed(asked) -> None:
    names = {row["format"] for row in json.loads(asked("formats", "--json").stdout)}
    assert {"geopackage", "shapefile", "pmtiles", "file_geodatabase"} <= names


def test_the_layers_are_listed_with_their_meanings(asked) -> None:
    rows = {row["layer"]: row for row in json.loads(asked("layers", "--json").stdout)}
    assert {name: row["meaning"] for name, row in rows.items()} == {
        name: layer.meaning for name, layer in LAYERS.items()
    }
    assert "owner_name" in rows["parcels"]["personal"]
    assert "owner_name" in asked("layers").stdout
