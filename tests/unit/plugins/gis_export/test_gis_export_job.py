"""The job of an export: what it leaves when it succeeds, fails, is cancelled or killed."""

import errno
import json
import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest

from terrafusion_lib.core.errors import ConfigError, TerraFusionError
from terrafusion_lib.core.files import file_hash
from terrafusion_lib.core.progress import silent
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.jobs import lease, publish
from terrafusion_lib.jobs.marker import MARKER
from terrafusion_lib.jobs.request import cancel
from terrafusion_lib.plugins.gis_export.format import FORMATS
from terrafusion_lib.plugins.gis_export.params import GisExportParams
from terrafusion_lib.plugins.gis_export.select.records import UNLINKED
from terrafusion_lib.plugins.write_errors import PublishError
from terrafusion_lib.store.store import open_store
from tests.support.gis_county import (
    COUNT,
    COUNTY,
    RUN,
    estimate_gis_export,
    export_gis,
    jobs_of,
    store_county,
)

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return store_county(tmp_path_factory.mktemp("gis"))


@pytest.fixture
def settings(project: Settings) -> Iterator[Settings]:
    """The project, with an exports folder that is empty before and looked at after each test."""
    yield project
    exports = exports_of(project)
    for path in exports.glob("*"):
        assert not path.name.startswith("."), f"{path.name} was left behind"


def exports_of(settings: Settings) -> Path:
    return settings.county_data(COUNTY) / "exports"


def visible(settings: Settings) -> set[str]:
    return {path.name for path in exports_of(settings).glob("*")}


def export(settings: Settings, **options: Any) -> Any:
    return export_gis(
        COUNTY, options, settings=settings, progress=silent, clock=lambda: datetime.now(UTC)
    )


def test_an_export_is_a_job_with_place_size_and_count(settings: Settings) -> None:
    made = export(settings, layers=("parcels", "sales"))
    job = jobs_of(settings)[-1]
    assert (job["job_id"], job["status"], job["progress"]) == (made.job_id, "COMPLETED", 1.0)
    assert job["result_location"] == job["result_file_location"] == made.location
    assert job["result_record_count"] == made.records == COUNT - 1 + 12
    assert job["result_file_size_kb"] == pytest.approx(
        (Path(made.location) / "grid_wa_2026.gpkg").stat().st_size / 1024
    )
    assert json.loads(job["layers_json"]) == ["parcels", "sales"]
    assert json.loads(job["area_of_interest_json"]) == {}
    with open_store(settings.operational_database_url) as store:
        layers = store.read_results("gis_export_layers", county_id=COUNTY, run_id=made.job_id)
    assert layers["records"].to_pylist() == [COUNT - 1, 12]
    frame = gpd.read_file(Path(made.location) / "grid_wa_2026.gpkg", layer="parcels")
    assert frame["estimated_value"].notna().sum() == COUNT - 2


def test_metadata_lie_beside_the_files(settings: Settings) -> None:
    made = export(settings, export_format="flatgeobuf", crs="EPSG:4326")
    found = json.loads((Path(made.location) / "metadata.json").read_text())
    assert found == json.loads(json.dumps(made.metadata))
    assert found["export_id"] == made.job_id
    assert found["results_run_id"] == RUN
    assert found["load_fingerprint"] == "load-1"
    assert found["source_versions"] == ["pacs_oltp@2026/0"]
    assert found["crs"]["code"] == "EPSG:4326"
    assert "RCW 42.56.070" in found["license"]
    assert found["personal_data"] == []
    (layer,) = found["layers"]
    assert layer["shapes_of_no_property"] == ["unlinked"]
    assert (layer["records"], layer["key"]) == (COUNT - 1, ["geometry_id"])
    assert layer["left_out"] == {"properties without a parcel shape": 1, UNLINKED: 1}
    types = {item["name"]: item["type"] for item in layer["fields"]}
    assert (types["year_built"], types["last_sale_date"]) == ("int32", "date32[day]")
    names = {item["name"] for item in found["files"]}
    assert names == {f"grid_wa_2026_parcels{end}" for end in (".fgb", ".qml", ".sld")}
    for item in found["files"]:
        path = Path(made.location) / item["name"]
        assert (item["bytes"], item["sha256"]) == (path.stat().st_size, file_hash(path))


def test_every_export_is_in_the_audit_log(settings: Settings) -> None:
    assessor = settings.model_copy(update={"user": "ada"})
    made = export_gis(COUNTY, {"attributes": ("owner_name",)}, settings=assessor, progress=silent)
    with open_store(settings.operational_database_url) as store, store.engine.connect() as database:
        entry, decision = database.exec_driver_sql(
            "SELECT username, action, detail_json FROM audit_log ORDER BY entry DESC LIMIT 2"
        ).all()
    assert [row.action for row in (entry, decision)] == ["gis_export:run", "access:granted"]
    assert entry.username == decision.username == "ada"
    detail = json.loads(entry.detail_json)
    assert (detail["job_id"], detail["personal_data"]) == (made.job_id, ["owner_name"])


def test_an_estimate_writes_nothing(settings: Settings) -> None:
    before, listed = visible(settings), len(jobs_of(settings))
    found = estimate_gis_export(COUNTY, {"layers": ("parcels", "sales")}, settings=settings)
    assert found["records"] == {"parcels": COUNT - 1, "sales": 12}
    assert found["left_out"]["parcels"] == {"properties without a parcel shape": 1, UNLINKED: 1}
    assert 10_000 < found["bytes"] < 1_000_000
    assert visible(settings) == before
    assert len(jobs_of(settings)) == listed


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"export_format": "FAIL_FORMAT_SIM"}, "simulated_format_failure"),
        ({"export_format": "dgn"}, "unknown_format"),
        ({"bbox": (0.0, 0.0, 0.1, 0.1)}, "area_empty"),
    ],
)
def test_a_refused_export_fails_its_job(
    settings: Settings, options: dict[str, Any], reason: str
) -> None:
    before = visible(settings)
    with pytest.raises(TerraFusionError):
        export(settings, **options)
    job = jobs_of(settings)[-1]
    assert (job["status"], job["reason_code"]) == ("FAILED", reason)
    assert job["message"]
    assert visible(settings) == before


def test_parameters_that_are_no_parameters_make_no_job(settings: Settings) -> None:
    listed = len(jobs_of(settings))
    with pytest.raises(ConfigError, match="did you mean layers"):
        export(settings, layer="parcels")
    assert len(jobs_of(settings)) == listed


def test_a_shapefile_of_more_than_two_gigabytes_is_stopped(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two gigabytes stand for the limit; a test that writes them would take minutes."""
    monkeypatch.setattr("terrafusion_lib.plugins.gis_export.formats.shapefile.LARGEST_FILE", 10_000)
    with pytest.raises(TerraFusionError, match="two gigabytes"):
        export(settings, export_format="shapefile")
    assert jobs_of(settings)[-1]["reason_code"] == "file_too_large"


def test_too_little_space_is_noticed_before_writing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(publish.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(TerraFusionError, match="are free"):
        export(settings)
    assert jobs_of(settings)[-1]["reason_code"] == "disk_full"


def test_a_folder_that_cannot_be_written(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "a file").touch()
    with pytest.raises(TerraFusionError, match="could not be written"):
        export_gis(
            COUNTY, {}, settings=settings, progress=silent, destination=str(tmp_path / "a file")
        )
    assert jobs_of(settings)[-1]["reason_code"] == "unwritable"


def test_a_folder_that_cannot_be_made_is_named(settings: Settings) -> None:
    with pytest.raises(PublishError) as failure:
        export_gis(COUNTY, {}, settings=settings, progress=silent, destination="/proc/nope")
    assert "/proc/nope could not be written" in str(failure.value)
    assert ".staged" not in str(failure.value)
    assert jobs_of(settings)[-1]["reason_code"] == "unwritable"


def test_another_folder_takes_the_export(settings: Settings, tmp_path: Path) -> None:
    made = export_gis(
        COUNTY, {}, settings=settings, progress=silent, destination=str(tmp_path / "office")
    )
    assert Path(made.location) == tmp_path / "office" / made.job_id
    assert {path.name for path in Path(made.location).iterdir()} == {
        "grid_wa_2026.gpkg",
        "metadata.json",
        MARKER,
    }


def in_child(work: Callable[..., Any], *arguments: Any) -> multiprocessing.Process:
    child = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    child.start()
    return child  # type: ignore[return-value]


def export_on_a_full_disk(settings: Settings, name: str, most: int = 20_000) -> None:
    """No file may grow beyond `most` bytes: to a program that is a disk that is full."""
    from terrafusion_lib.plugins.gis_export import plan

    with open_store(settings.operational_database_url):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    write = plan.ExportPlan.files

    def limited(self: plan.ExportPlan) -> Any:
        def under_limit(function: Any) -> Any:
            def run(path: Path) -> None:
                whole = resource.getrlimit(resource.RLIMIT_FSIZE)
                resource.setrlimit(resource.RLIMIT_FSIZE, (most, whole[1]))
                try:
                    function(path)
                finally:
                    resource.setrlimit(resource.RLIMIT_FSIZE, whole)

            return run

        return {name: under_limit(function) for name, function in write(self).items()}

    plan.ExportPlan.files = limited  # type: ignore[method-assign]
    export(settings, export_format=name)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMATS.names())
def test_a_full_disk_leaves_nothing(settings: Settings, name: str) -> None:
    before = visible(settings)
    child = in_child(export_on_a_full_disk, settings, name)
    child.join(120)
    assert child.exitcode == 1
    job = jobs_of(settings)[-1]
    assert (job["export_format"], job["status"]) == (name, "FAILED")
    assert job["reason_code"] in ("disk_full", "write_failed"), job["message"]
    assert visible(settings) == before


@pytest.mark.slow
def test_a_shapefile_whose_table_is_cut_short_is_not_published(settings: Settings) -> None:
    """The .shp (24 kB) has room, the .dbf (about 100 kB) has not, and GDAL does not tell."""
    before = visible(settings)
    child = in_child(export_on_a_full_disk, settings, "shapefile", 40_000)
    child.join(120)
    assert child.exitcode == 1
    job = jobs_of(settings)[-1]
    assert (job["status"], job["reason_code"]) == ("FAILED", "disk_full")
    assert visible(settings) == before


def export_slowly(settings: Settings) -> None:
    """An export that stays within its first layer until it is stopped."""

    def wait(task: str, done: int, total: int | None) -> None:
        time.sleep(1)

    from terrafusion_lib.plugins.gis_export.write import export_layer

    export_layer.BATCH_RECORDS = 2
    lease.BEAT_SECONDS = 0.1
    export_gis(COUNTY, {}, settings=settings, progress=wait)


def running_job(settings: Settings) -> dict[str, Any]:
    """The newest job, once it writes."""
    for _ in range(200):
        job = jobs_of(settings)[-1]
        if job["status"] == "RUNNING" and list(exports_of(settings).glob(".*.staged/*.gpkg")):
            return job
        time.sleep(0.1)
    raise AssertionError("the export did not begin to write")


@pytest.mark.slow
def test_a_killed_export_is_not_seen_and_the_next_one_clears_it(settings: Settings) -> None:
    before = visible(settings)
    child = in_child(export_slowly, settings)
    killed = running_job(settings)
    os.kill(child.pid or 0, signal.SIGKILL)
    child.join()
    left = [path for path in exports_of(settings).glob("*") if path.name not in before]
    assert [path.name.startswith(f".{killed['job_id']}.") for path in left] == [True]
    made = export(settings)
    assert visible(settings) == before | {made.job_id}
    ended = next(job for job in jobs_of(settings) if job["job_id"] == killed["job_id"])
    assert (ended["status"], ended["reason_code"]) == ("FAILED", "worker_lost")


@pytest.mark.slow
def test_a_cancelled_export_stops_and_leaves_nothing(settings: Settings) -> None:
    before = visible(settings)
    child = in_child(export_slowly, settings)
    job = running_job(settings)
    assert cancel(job["job_id"], settings=settings)
    child.join(60)
    assert child.exitcode == 1
    assert jobs_of(settings)[-1]["status"] == "CANCELLED"
    assert visible(settings) == before
    assert not cancel(job["job_id"], settings=settings), "it had ended before"


def test_an_interrupted_export_is_cancelled(settings: Settings) -> None:
    def interrupt(task: str, done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    before = visible(settings)
    with pytest.raises(KeyboardInterrupt):
        export_gis(COUNTY, {}, settings=settings, progress=interrupt)
    job = jobs_of(settings)[-1]
    assert (job["status"], job["reason_code"]) == ("CANCELLED", "cancelled")
    assert visible(settings) == before


def test_a_job_tells_how_far_it_is(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.01)
    monkeypatch.setattr("terrafusion_lib.plugins.gis_export.write.export_layer.BATCH_RECORDS", 40)
    seen = []

    def look(task: str, done: int, total: int | None) -> None:
        if task == "export parcels":
            time.sleep(0.3)  # some beats
            seen.append((done, total, jobs_of(settings)[-1]["progress"]))

    export_gis(COUNTY, {}, settings=settings, progress=look)
    assert [(done, total) for done, total, _ in seen] == [
        (0, 119), (40, 119), (80, 119), (119, 119)
    ]  # fmt: skip
    shares = [share for _, _, share in seen]
    assert shares == sorted(shares)
    assert 0.5 < shares[-1] < 1, "computing is one half, writing the other"


def test_exports_expire(settings: Settings) -> None:
    def at(days: int) -> Any:
        return export_gis(
            COUNTY,
            {"attributes": ("year_built",)},
            settings=settings,
            progress=silent,
            clock=lambda: NOW + timedelta(days=days),
        )

    old = at(0)
    assert old.metadata["expires_at"] == "2026-03-09T12:00:00+00:00"
    kept = at(6)
    assert old.job_id in visible(settings)
    newest = at(7)
    assert old.job_id not in visible(settings)
    assert {kept.job_id, newest.job_id} <= visible(settings)


def test_exports_may_be_kept_for_ever(settings: Settings) -> None:
    keeping = settings.model_copy(update={"exports_days": 0})
    assert export(keeping).metadata["expires_at"] is None


def test_errors_of_the_system_are_told_apart(tmp_path: Path) -> None:
    from terrafusion_lib.plugins.write_errors import write_error

    for number, code in (
        (errno.ENOSPC, "disk_full"),
        (errno.EACCES, "unwritable"),
        (errno.EROFS, "unwritable"),
        (errno.EIO, "write_failed"),
    ):
        error = write_error(OSError(number, os.strerror(number)), tmp_path / "x.gpkg")
        assert error.reason_code == code


def test_the_countys_configuration_gives_defaults(settings: Settings) -> None:
    path = settings.county_configs_path / COUNTY / "county.yaml"
    text = path.read_text()
    path.write_text(text + "plugins: {gis_export: {export_format: csv_wkt, max_records: 500}}\n")
    try:
        made = export(settings, attributes=("year_built",))
    finally:
        path.write_text(text)
    assert made.metadata["format"] == "csv_wkt"
    assert GisExportParams().export_format == "geopackage"
