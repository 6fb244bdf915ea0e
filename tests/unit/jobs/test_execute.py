"""A job ends whole or not at all, is run once, and is kept alive while it computes."""

import threading
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from terrafusion_lib.core.errors import LoadError, RunError
from terrafusion_lib.core.processes import this_process
from terrafusion_lib.core.progress import silent
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.jobs import execute as executing
from terrafusion_lib.jobs import lease
from terrafusion_lib.jobs.execute import StepOutput, execute, run_job
from terrafusion_lib.jobs.lease import JobCancelledError
from terrafusion_lib.jobs.request import cancel, find_job, submit
from terrafusion_lib.jobs.results import job_results
from terrafusion_lib.plugins.api import PluginContext, PluginResult
from terrafusion_lib.plugins.gis_export.plugin import GisExportPlugin
from terrafusion_lib.store.store import open_store
from tests.support.stored_market import store_market
from tests.support.synthetic_market import COUNTY

PLUGIN = "gis_export"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return store_market(tmp_path_factory.mktemp("market"))


def stored(settings: Settings, run_id: str) -> int:
    with open_store(settings.operational_database_url) as store:
        return store.read_results("gis_export_layers", county_id=COUNTY, run_id=run_id).num_rows


def published(settings: Settings) -> set[str]:
    return {path.name for path in (settings.county_data(COUNTY) / "exports").glob("*")}


def changed_run(monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Let the plugin do something else beside, or instead."""
    run = GisExportPlugin.run

    def instead(self: GisExportPlugin, context: PluginContext, params: Any) -> PluginResult:
        result = run(self, context, params)
        return change(context, result) or result

    monkeypatch.setattr(GisExportPlugin, "run", instead)


def test_a_file_that_cannot_be_written_leaves_no_row_and_no_file(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    changed_run(monkeypatch, lambda _, made: PluginResult(made.tables, made.summary, {"x": full}))
    before = published(settings)
    job_id = submit(PLUGIN, COUNTY, settings=settings)
    with pytest.raises(Exception, match="No space left"):
        execute(job_id, settings=settings, progress=silent)
    job = find_job(job_id, settings=settings)
    assert (job["status"], job["reason_code"]) == ("FAILED", "disk_full")
    assert stored(settings, job_id) == 0
    assert published(settings) == before


def test_a_step_writes_its_files_before_its_job_is_completed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = []
    complete = executing.records.complete

    def looking(*given: Any, **more: Any) -> bool:
        seen.append(sorted(path.name for path in tmp_path.iterdir()))
        return complete(*given, **more)

    monkeypatch.setattr(executing.records, "complete", looking)
    output = StepOutput(tmp_path, tmp_path / "final", "fingerprint-1")
    job = run_job(PLUGIN, COUNTY, settings=settings, output=output, progress=silent, run_id="run-7")
    assert "gis_export_layers.parquet" in seen[0]
    assert {path.name for path in tmp_path.iterdir()} == set(seen[0])
    told = find_job(job.job_id, settings=settings)
    assert (told["result_location"], told["input_fingerprint"]) == (
        str(tmp_path / "final"),
        "fingerprint-1",
    )
    assert stored(settings, "run-7") == 1


def test_files_are_withdrawn_when_the_database_refuses_the_results(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All tables and the job's end are one transaction: the first table is taken back too."""
    put = executing.put_results

    def refusing(connection: Any, name: str, table: Any, **keys: Any) -> int:
        put(connection, name, table, **keys)
        raise LoadError("The operational database refused")

    monkeypatch.setattr(executing, "put_results", refusing)
    before = published(settings)
    job_id = submit(PLUGIN, COUNTY, settings=settings)
    with pytest.raises(LoadError):
        execute(job_id, settings=settings, progress=silent)
    assert find_job(job_id, settings=settings)["status"] == "FAILED"
    assert stored(settings, job_id) == 0
    assert published(settings) == before


def test_a_job_is_run_once(settings: Settings) -> None:
    job_id = submit(PLUGIN, COUNTY, settings=settings)
    execute(job_id, settings=settings, progress=silent)
    with pytest.raises(RunError):
        execute(job_id, settings=settings, progress=silent)
    assert find_job(job_id, settings=settings)["status"] == "COMPLETED"


def test_a_job_that_was_cancelled_while_it_waited_is_not_run(settings: Settings) -> None:
    job_id = submit(PLUGIN, COUNTY, settings=settings)
    assert cancel(job_id, settings=settings)
    with pytest.raises(RunError):
        execute(job_id, settings=settings, progress=silent)
    with pytest.raises(RunError):
        job_results(job_id, settings=settings)
    assert not cancel(job_id, settings=settings)


def test_a_computation_without_progress_keeps_its_lease(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.05)
    beats: list[datetime] = []

    def compute(context: PluginContext, _: PluginResult) -> None:
        for _ in range(3):
            time.sleep(0.3)
            beats.append(find_job(context.run_id, settings=settings)["heartbeat_at"])

    changed_run(monkeypatch, compute)
    run_job(PLUGIN, COUNTY, settings=settings, progress=silent)
    assert beats[0] < beats[1] < beats[2]


def test_a_cancel_stops_a_running_job_at_its_next_sign_of_progress(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.05)

    def compute(context: PluginContext, _: PluginResult) -> None:
        cancel(context.run_id, settings=settings)
        for number in range(100):
            time.sleep(0.05)
            context.progress("compute", number, 100)

    changed_run(monkeypatch, compute)
    job_id = submit(PLUGIN, COUNTY, settings=settings)
    with pytest.raises(JobCancelledError):
        execute(job_id, settings=settings, progress=silent)
    job = find_job(job_id, settings=settings)
    assert (job["status"], job["reason_code"]) == ("CANCELLED", "cancelled")
    assert stored(settings, job_id) == 0
    assert threading.active_count() < 20, "the heart stopped"


def test_what_was_asked_stands_apart_from_who_runs_it(settings: Settings, tmp_path: Path) -> None:
    job_id = submit(
        PLUGIN, COUNTY, {"crs": "EPSG:4326"}, settings=settings, destination=str(tmp_path)
    )
    waiting = find_job(job_id, settings=settings)
    execute(job_id, settings=settings, progress=silent)
    done = find_job(job_id[:13], settings=settings)
    assert waiting["worker_json"] is None
    assert f'"pid": {this_process()["pid"]}' in done["worker_json"]
    for name in ("parameters_json", "request_json"):
        assert waiting[name] == done[name]
    assert "destination" not in done["parameters_json"]
    assert str(tmp_path) in done["request_json"]
