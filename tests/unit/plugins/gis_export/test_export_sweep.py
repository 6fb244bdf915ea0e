"""What a sweep removes, and above all what it never touches."""

import json
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from terrafusion_lib.core.errors import AccessDeniedError, TerraFusionError
from terrafusion_lib.core.progress import silent
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.jobs import sweep as sweeping
from terrafusion_lib.jobs.destination import FolderDestination, ObjectDestination
from terrafusion_lib.jobs.lease import JobCancelledError
from terrafusion_lib.jobs.marker import MARKER, marker_text, own_files
from terrafusion_lib.jobs.request import cancel
from terrafusion_lib.plugins.gis_export.errors import ExportError
from tests.support.gis_county import COUNTY, export_gis, jobs_of, store_county
from tests.support.refused import refused

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PAST = json.dumps({"expires_at": "2020-01-01T00:00:00+00:00"})


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return store_county(tmp_path_factory.mktemp("gis"))


def export(settings: Settings, *, days: int = 0, to: Path | None = None, **more: Any) -> Any:
    return export_gis(
        COUNTY,
        {"attributes": ("year_built",)},
        settings=settings,
        progress=more.get("progress", silent),
        destination=str(to) if to else None,
        clock=lambda: NOW + timedelta(days=days),
    )


def jobs(settings: Settings) -> dict[str, dict[str, Any]]:
    return {job["job_id"]: job for job in jobs_of(settings)}


def exports_of(settings: Settings) -> Path:
    return settings.county_data(COUNTY) / "exports"


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*")
            if path.is_file()}  # fmt: skip


def others(folder: Path) -> None:
    """Folders that are none of ours, in every disguise."""
    odd = {
        "photos": {"house.jpg": "x"},
        "expired": {"metadata.json": PAST, "data.gpkg": "x"},
        "list": {"metadata.json": "[1, 2]"},
        "broken": {"metadata.json": "{"},
        "naive": {"metadata.json": json.dumps({"expires_at": "2020-01-01T00:00:00"})},
        ".hidden.tmp": {"a": "x"},
        ".job.host.1.staged": {"a": "x"},
        ".no-number.staged": {"a": "x"},
        "marked": {MARKER: marker_text("marked", ["a"]).decode(), "a": "x", "metadata.json": PAST},
    }
    for name, contents in odd.items():
        (folder / name).mkdir(parents=True)
        for file, text in contents.items():
            (folder / name / file).write_text(text)
    (folder / "loose.txt").write_text("x")


@pytest.mark.parametrize("named", [True, False])
def test_what_others_keep_in_the_folder_is_never_touched(
    settings: Settings, tmp_path: Path, named: bool
) -> None:
    project = store_county(tmp_path / "project")
    folder = tmp_path / "office" if named else exports_of(project)
    others(folder)
    before = files(folder)
    for days in (0, 30):
        export(project, days=days, to=folder if named else None)
    after = files(folder)
    assert {name: after.get(name) for name in before} == before


def test_an_object_store_keeps_what_others_put_there(tmp_path: Path) -> None:
    import fsspec

    others(tmp_path)
    before = files(tmp_path)
    place = ObjectDestination(fsspec.filesystem("file"), str(tmp_path), f"file://{tmp_path}")
    assert sweeping.sweep(place, {}, NOW) == []
    ended = {"photos": False, "expired": True, "list": True, "broken": True, "naive": True}
    assert sweeping.sweep(place, ended, NOW) == [], "jobs of ours without our mark in the folder"
    assert files(tmp_path) == before
    assert sweeping.sweep(place, {"marked": True}, NOW) == ["marked"]


def test_an_export_to_a_named_place_never_expires(settings: Settings, tmp_path: Path) -> None:
    made = export(settings, to=tmp_path)
    assert "expires_at" not in made.metadata
    export(settings, days=400, to=tmp_path)
    assert (tmp_path / made.job_id / "grid_wa_2026.gpkg").is_file()


def test_files_that_a_person_added_outlive_an_expired_export(settings: Settings) -> None:
    old = export(settings)
    folder = Path(old.location)
    (folder / "notes.txt").write_text("mine")
    export(settings, days=8)
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


def test_a_mark_cannot_lead_out_of_its_folder() -> None:
    text = marker_text("job", ["../other/a", "a", "..", "b\\c", ""])
    assert own_files(text, "job") == ["a"]
    assert own_files(text, "another") is None
    assert own_files(b"[1]", "job") is None
    assert own_files(None, "job") is None


@pytest.mark.parametrize("text", [b"[]", b"{", b"", b"\xff", b'{"expires_at": 3}', b"{}", None])
def test_metadata_that_cannot_be_read_have_not_expired(text: bytes | None) -> None:
    assert not sweeping.expired(text, NOW)


def test_a_time_without_zone_is_utc() -> None:
    assert sweeping.expired(b'{"expires_at": "2026-03-02T11:59:59"}', NOW)
    assert not sweeping.expired(b'{"expires_at": "2026-03-02T12:00:01"}', NOW)


def test_a_sweep_that_fails_does_not_fail_the_export(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: FolderDestination) -> set[str]:
        raise OSError("disk on fire")

    monkeypatch.setattr(FolderDestination, "exports", broken)
    made = export(settings)
    assert jobs(settings)[made.job_id]["status"] == "COMPLETED"


def in_child(work: Callable[..., Any], *arguments: Any) -> int:
    """Run in a process of its own; its exit code."""
    import multiprocessing

    child = multiprocessing.get_context("spawn").Process(target=work, args=arguments)
    child.start()
    child.join(60)
    return child.exitcode or 0


def killed_at(settings: Settings, where: str) -> None:
    """An export whose process is killed while it plans, or just after it became visible."""

    def kill(*_: Any, **__: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if where == "plan":
        from terrafusion_lib.plugins.gis_export import engine

        engine.make_plan = kill  # type: ignore[assignment]
    else:
        publish = FolderDestination.publish

        def then_kill(self: FolderDestination, staged: Path, job_id: str) -> str:
            publish(self, staged, job_id)
            kill()
            return ""

        FolderDestination.publish = then_kill  # type: ignore[method-assign]
    export(settings)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["plan", "publish"])
def test_the_next_export_closes_a_job_whose_process_is_gone(settings: Settings, where: str) -> None:
    before = set(jobs(settings))
    assert in_child(killed_at, settings, where) == -signal.SIGKILL
    (killed,) = set(jobs(settings)) - before
    assert jobs(settings)[killed]["status"] == "RUNNING"
    export(settings)
    job = jobs(settings)[killed]
    assert (job["status"], job["reason_code"]) == ("FAILED", "worker_lost")
    assert not [path for path in exports_of(settings).iterdir() if killed in path.name]


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_export_cancelled_while_it_is_published_is_withdrawn(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    publish = FolderDestination.publish
    seen: list[str] = []

    def cancelling(self: FolderDestination, staged: Path, job_id: str) -> str:
        seen.append(job_id)
        if when == "before":
            assert cancel(job_id, settings=settings)
        location = publish(self, staged, job_id)
        if when == "after":
            assert cancel(job_id, settings=settings)
        return location

    monkeypatch.setattr(FolderDestination, "publish", cancelling)
    with pytest.raises(JobCancelledError):
        export(settings)
    assert jobs(settings)[seen[0]]["status"] == "CANCELLED"
    assert not (exports_of(settings) / seen[0]).exists()


def test_who_may_not_export_is_refused(settings: Settings) -> None:
    listed = len(jobs(settings))
    supervisor = settings.model_copy(update={"user": "sue"})
    with pytest.raises(AccessDeniedError) as refused:
        export_gis(COUNTY, {}, settings=supervisor)
    assert refused.value.permission == "gis_export:run"
    assert len(jobs(settings)) == listed


@pytest.mark.parametrize("year", [2019, 2030])
def test_a_year_that_is_not_loaded_is_refused(settings: Settings, year: int) -> None:
    with refused(ExportError, county=COUNTY, reason_code="year_not_loaded", next="--year 2026"):
        export_gis(COUNTY, {}, settings=settings, year=year, progress=silent)


def test_values_of_another_year_are_not_exported(tmp_path: Path) -> None:
    project = store_county(tmp_path)
    run = next(project.county_data(COUNTY).glob("runs/*/run.json"))
    run.write_text(json.dumps(json.loads(run.read_text()) | {"assessment_year": 2025}))
    with pytest.raises(TerraFusionError) as failure:
        export_gis(COUNTY, {"layers": ("ratio_deviations",)}, settings=project, progress=silent)
    assert failure.value.reason_code == "no_results"  # type: ignore[attr-defined]
