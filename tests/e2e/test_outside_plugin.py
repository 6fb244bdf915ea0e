"""A plugin that is installed and nothing else goes the whole way, and goes again."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from terrafusion_lib.core.settings import Settings
from tests.support.county import demo_project
from tests.support.require import ROOT

OUTSIDE = ROOT / "tests" / "support" / "outside_plugin"
COUNTY = "demo_wa"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return demo_project(tmp_path_factory.mktemp("outside"))


def terrafusion(settings: Settings, *arguments: str, installed: bool = True, rc: int = 0) -> str:
    """A command's output, with the plugin installed or not."""
    paths = [str(OUTSIDE)] if installed else []
    paths += [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    done = subprocess.run(
        [sys.executable, "-m", "terrafusion_lib.cli", *arguments],
        env=os.environ | settings.environment() | {"PYTHONPATH": os.pathsep.join(paths)},
        cwd=settings.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == rc, done.stdout + done.stderr
    return done.stdout if rc == 0 else done.stderr


def as_json(settings: Settings, *arguments: str, **more: Any) -> Any:
    return json.loads(terrafusion(settings, *arguments, "--json", **more))


def test_it_is_listed_planned_run_and_shown(project: Settings) -> None:
    listed = {row["plugin"]: row for row in as_json(project, "plugins", "list")}
    assert listed["parcel_counts"]["command"] == "parcel-counts run"
    assert "65_parcel_counts" in terrafusion(project, "plan", COUNTY)
    terrafusion(project, "run", COUNTY)
    (job,) = as_json(project, "jobs", "list", COUNTY, "--plugin", "parcel_counts")
    assert (job["status"], job["username"]) == ("COMPLETED", "ana")
    assert "reuse" in terrafusion(project, "plan", COUNTY).split("65_parcel_counts")[1][:60]
    rows = as_json(project, "jobs", "results", job["job_id"], "parcel_counts")
    assert len(rows) == job["types"] > 2
    roll = as_json(project, "parcel-counts", "run", COUNTY, "--estimate")
    assert sum(row["properties"] for row in rows) == roll["properties"]
    types = as_json(project, "parcel-counts", "types", COUNTY)
    assert [row["property_type"] for row in types] == [row["property_type"] for row in rows]


def test_its_parameters_are_flags_and_settings(project: Settings) -> None:
    assert "--at-least" in terrafusion(project, "parcel-counts", "run", "--help")
    every = as_json(project, "parcel-counts", "run", COUNTY)
    few = as_json(project, "parcel-counts", "run", COUNTY, "-m", "20")
    assert few["summary"]["types"] < every["summary"]["types"]
    job = as_json(project, "jobs", "show", few["job_id"])
    assert json.loads(job["parameters_json"]) == {"minimum": 20}
    again = as_json(project, "jobs", "replay", few["job_id"][:13])
    assert again["summary"] == few["summary"]
    refused = terrafusion(project, "parcel-counts", "run", COUNTY, "--at-least", "0", rc=2)
    assert "minimum" in refused


def test_who_has_no_role_for_it_is_refused(project: Settings) -> None:
    clerk = project.model_copy(update={"user": "cleo"})
    refused = terrafusion(Settings(**clerk.model_dump()), "parcel-counts", "run", COUNTY, rc=10)
    assert "parcel_counts:run" in refused


def test_its_own_migration_upgrades_what_is_stored(project: Settings, tmp_path: Path) -> None:
    """A database of its first version, with a row, gets the column of the second."""
    import importlib.util

    database = project.model_copy(update={"operational_url": f"sqlite:///{tmp_path / 'old.db'}"})
    old = Settings(**database.model_dump())
    terrafusion(old, "runs", "list", installed=False)
    engine = sa.create_engine(old.operational_url)
    path = OUTSIDE / "parcel_counts" / "migrations" / "0001_tables.py"
    spec = importlib.util.spec_from_file_location("first_version", path)
    assert spec is not None
    assert spec.loader is not None
    first = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(first)
    with engine.begin() as connection:
        from alembic.migration import MigrationContext
        from alembic.operations import Operations

        options = {"version_table": "alembic_version_parcel_counts"}
        context = MigrationContext.configure(connection, opts=options)
        with Operations.context(context):
            first.upgrade()
        connection.exec_driver_sql("CREATE TABLE alembic_version_parcel_counts (version_num TEXT)")
        connection.exec_driver_sql("INSERT INTO alembic_version_parcel_counts VALUES ('0001')")
        connection.exec_driver_sql("INSERT INTO parcel_counts VALUES ('r', 'c', 'residential', 7)")
    terrafusion(old, "runs", "list")
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT * FROM parcel_counts").all() == [
            ("r", "c", "residential", 7, None)
        ]
        version = connection.exec_driver_sql("SELECT * FROM alembic_version_parcel_counts")
        assert version.scalar() == "0002"


def test_it_is_removed_again_and_its_jobs_are_still_told(project: Settings) -> None:
    names = [row["plugin"] for row in as_json(project, "plugins", "list", installed=False)]
    assert "parcel_counts" not in names
    assert "65_parcel_counts" not in terrafusion(project, "plan", COUNTY, installed=False)
    jobs = as_json(project, "jobs", "list", COUNTY, installed=False)
    assert "parcel_counts" in {job["plugin"] for job in jobs}
    gone = next(job for job in jobs if job["plugin"] == "parcel_counts")
    refused = terrafusion(
        project, "jobs", "results", gone["job_id"], "parcel_counts", installed=False, rc=8
    )
    assert "no plugin" in refused
    terrafusion(project, "parcel-counts", "run", COUNTY, installed=False, rc=2)
