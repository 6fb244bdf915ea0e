"""A database that an earlier version filled is carried over: nothing is lost, all is read.

``golden/store/before_0006.json`` holds the rows of a database that the version before revision
0006 made by its own code (commit 336ff58): a load, a promoted run, its values, two exports.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command

from terrafusion_lib.core.errors import RunError
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.jobs.destination import place_name
from terrafusion_lib.jobs.publish import place_of
from terrafusion_lib.jobs.request import find_job, list_jobs, replay
from terrafusion_lib.jobs.results import job_results
from terrafusion_lib.store import audit
from terrafusion_lib.store.migrate import PLATFORM
from terrafusion_lib.store.store import Store, open_store
from tests.support.require import ROOT
from tests.support.users_project import add_county

ROWS = json.loads((ROOT / "tests/golden/store/before_0006.json").read_text(encoding="utf-8"))
COUNTY, RUN = "demo_wa", "20260203-040506-calm-alder"
VALUATION, EXPORT, FAILED = (f"{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}"
                             for digit in "123")  # fmt: skip


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A project whose database is as that version left it."""
    url = f"sqlite:///{tmp_path / 'operational.db'}"
    if request.param == "postgresql":
        url = str(request.getfixturevalue("postgres_url"))
    add_county(tmp_path, COUNTY, {"username": "ana", "roles": ["analyst"]})
    with open_store(url) as store:
        fill(store)
    return Settings(root=tmp_path, data_dir=tmp_path / "data", operational_url=url, user="ana")


def fill(store: Store) -> None:
    with store.engine.connect().execution_options(immediate=True) as connection:
        config = PLATFORM.config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
        known = sa.MetaData()
        known.reflect(connection)
        for table in known.sorted_tables:
            for row in ROWS.get(table.name, ()):
                values = {name: typed(table.c[name].type, value) for name, value in row.items()}
                connection.execute(table.insert().values(values))
        connection.commit()


def typed(kind: sa.types.TypeEngine[Any], value: Any) -> Any:
    """SQLite's text and numbers as the column's own type."""
    if isinstance(kind, sa.DateTime):
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if isinstance(kind, sa.Date):
        return date.fromisoformat(value)
    return bool(value) if isinstance(kind, sa.Boolean) else value


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with open_store(settings.operational_database_url) as opened:
        opened.migrate()
        yield opened


def test_no_row_is_lost(store: Store) -> None:
    with store.engine.connect() as connection:
        for name, rows in ROWS.items():
            count = connection.execute(sa.select(sa.func.count()).select_from(sa.text(name)))
            assert count.scalar() == len(rows), name
        assert audit.broken_entries(connection) == []


def test_tables_are_read_with_their_new_names(store: Store) -> None:
    keys = {"county_id": COUNTY, "run_id": RUN}
    ratios = store.read_results("sale_ratios", **keys).to_pylist()
    assert [(row["study"], row["studied_value"]) for row in ratios] == [
        ("appraised", 300_001.0),
        ("model_holdout", 305_000.0),
    ]
    assert store.read_results("ratio_statistics", **keys)["study"].to_pylist() == ["appraised"]
    models = store.read_results("model_leaderboard", **keys)["model"].to_pylist()
    assert models == ["appraised", "ensemble"]
    methods = store.read_results("valuations", **keys)["valuation_method"].to_pylist()
    assert methods == ["comparable_sales", "trended_appraised_value"]
    roll = store.read("properties_operational", county_id=COUNTY)
    assert roll["assessed_value"].to_pylist() == [290_001.0, 290_002.0, 290_003.0]
    assert store.last_load_fingerprint(COUNTY) == "load-1"
    assert store.list_runs(COUNTY)[0]["status"] == "COMPLETED"


@pytest.mark.usefixtures("store")
def test_jobs_are_told_and_their_requests_stand_apart(settings: Settings) -> None:
    jobs = {job["job_id"]: job for job in list_jobs(COUNTY, settings=settings)}
    assert {name: job["status"] for name, job in jobs.items()} == {
        VALUATION: "COMPLETED",
        EXPORT: "COMPLETED",
        FAILED: "FAILED",
    }
    export = find_job(EXPORT, settings=settings)
    parameters = json.loads(export["parameters_json"])
    assert not {"destination", "process"} & parameters.keys()
    assert parameters["layers"] == ["parcels"]
    assert json.loads(export["worker_json"])["host"] == "old-machine"
    assert place_of(export, settings) == place_name("/srv/exports"), "sweeps know it still"
    layers = job_results(EXPORT, settings=settings).results.table("gis_export_layers")
    assert layers["records"].to_pylist() == [3]
    values = job_results(VALUATION, settings=settings).results.table("valuations")
    assert values.num_rows == 2, "under the run that the job belonged to"
    with pytest.raises(RunError):
        replay(EXPORT, settings=settings)


def test_what_that_version_reads_is_what_this_one_writes_again(store: Store) -> None:
    """Upgrading twice changes nothing."""
    before = store.read_results("sale_ratios", county_id=COUNTY, run_id=RUN)
    store.migrate()
    assert store.read_results("sale_ratios", county_id=COUNTY, run_id=RUN).equals(before)
