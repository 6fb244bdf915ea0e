"""One GIS export at work: staged where nobody sees it, published whole, noted on its job."""

import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from terrafusion_lib.core.county import CountyConfig
from terrafusion_lib.core.errors import LoadError
from terrafusion_lib.core.files import write_json
from terrafusion_lib.core.progress import Progress
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.pipelines.fingerprints import engine_versions
from terrafusion_lib.plugins.base import PluginContext, PluginRunError
from terrafusion_lib.plugins.gis_export import destination as places
from terrafusion_lib.plugins.gis_export.errors import DISK_FULL, ExportError, write_error
from terrafusion_lib.plugins.gis_export.metadata import METADATA, describe, file_list
from terrafusion_lib.plugins.gis_export.params import GisExportParams
from terrafusion_lib.plugins.gis_export.plan import TABLE, ExportPlan, make_plan
from terrafusion_lib.store.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

BEAT_SECONDS = 2.0


class JobCancelledError(PluginRunError):
    """Somebody cancelled the job while it ran."""


@dataclass(frozen=True)
class Export:
    """A published export: its job, its place, and the metadata beside it."""

    job_id: str
    location: str
    metadata: dict[str, Any]

    @property
    def records(self) -> int:
        return int(self.metadata["records"])

    @property
    def size_kb(self) -> float:
        return sum(int(item["bytes"]) for item in self.metadata["files"]) / 1024


@dataclass(frozen=True)
class Reader:
    """Reads the county's tables for the plugin."""

    store: Store
    county_id: str
    results_run_id: str | None

    def canonical(self, table: str, columns: Sequence[str] | None = None) -> "pa.Table":
        return self.store.read(table, county_id=self.county_id, columns=columns)

    def results(self, table: str, columns: Sequence[str] | None = None) -> "pa.Table":
        run_id = self.results_run_id or ""
        return self.store.read_results(
            table, county_id=self.county_id, run_id=run_id, columns=columns
        )

    def context(
        self,
        county: CountyConfig,
        run_id: str,
        permissions: Iterable[str],
        year: int | None,
        **more: Any,
    ) -> PluginContext:
        chosen = year or county.assessment_year
        return PluginContext(
            county_id=self.county_id,
            assessment_year=chosen,
            valuation_date=date(chosen, 1, 1),
            run_id=run_id,
            read=self.canonical,
            results=self.results if self.results_run_id else None,
            crs=county.crs,
            permissions=frozenset(permissions),
            **more,
        )


@dataclass
class ExportJob:
    """One export at work."""

    job_id: str
    county: CountyConfig
    params: GisExportParams
    settings: Settings
    store: Store
    clock: Callable[[], datetime]
    place: places.Destination
    results_run_id: str | None

    @property
    def root(self) -> Path:
        """Where exports are staged."""
        if isinstance(self.place, places.FolderDestination):
            return self.place.root
        return self.settings.county_data(self.county.county_id) / "exports"

    def context(
        self, permissions: Iterable[str], year: int | None, progress: Progress
    ) -> PluginContext:
        reader = Reader(self.store, self.county.county_id, self.results_run_id)
        return reader.context(self.county, self.job_id, permissions, year, progress=progress)

    def clear(self) -> None:
        """Remove what expired, and what killed exports left; their jobs are failed."""
        listed = self.store.list_jobs(self.county.county_id)
        running = {job["job_id"] for job in listed if job["status"] in ("PENDING", "RUNNING")}
        for job_id, folder in places.abandoned(self.root).items():
            if job_id in running:
                self.store.end_job(
                    job_id,
                    "FAILED",
                    now=self.clock(),
                    reason_code="process_killed",
                    message="Its process ended without a word",
                )
            shutil.rmtree(folder, ignore_errors=True)
            running.discard(job_id)
        self.place.clear(self.clock(), running.__contains__)

    def run(self, context: PluginContext, watch: "Watch") -> Export:
        """Plan, write into a folder that nobody sees, note it, publish."""
        plan = make_plan(context, self.params)
        watch.records = plan.records
        staged = places.staging_folder(self.root, self.job_id)
        try:
            self._write(plan, staged)
            metadata = self._describe(plan, staged)
            watch.beat(1.0)
            self._note(plan, metadata)
            location = self.place.publish(staged, self.job_id)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        return Export(self.job_id, location, metadata)

    def _note(self, plan: ExportPlan, metadata: dict[str, Any]) -> None:
        """Keep the counts, and who exports what, before anybody can see it."""
        county_id = self.county.county_id
        self.store.save_results(TABLE, plan.table(), county_id=county_id, run_id=self.job_id)
        self.store.audit(
            "gis_export:run",
            username=self.settings.user,
            county_id=county_id,
            at=self.clock(),
            job_id=self.job_id,
            layers=list(self.params.layers),
            records=plan.records,
            personal_data=metadata["personal_data"],
        )

    def _write(self, plan: ExportPlan, staged: Path) -> None:
        try:
            staged.mkdir(parents=True)
            free = shutil.disk_usage(staged).free
        except OSError as error:
            raise write_error(error, staged) from error
        if free < plan.estimated_bytes:
            raise ExportError(
                f"The export needs about {plan.estimated_bytes / 1e6:,.0f} MB, "
                f"and {free / 1e6:,.0f} MB are free",
                reason_code=DISK_FULL,
                county=self.county.county_id,
                hint="free space, or ask for a smaller area or fewer layers",
            )
        for name, write in plan.files().items():
            try:
                write(staged / name)
            except OSError as error:
                raise write_error(error, staged / name) from error

    def _describe(self, plan: ExportPlan, staged: Path) -> dict[str, Any]:
        """Write the metadata beside the files; returns them."""
        now = self.clock()
        days = self.settings.exports_days
        facts = {
            "county_name": self.county.name,
            "created_at": now.isoformat(timespec="seconds"),
            "expires_at": (now + timedelta(days=days)).isoformat(timespec="seconds")
            if days
            else None,
            "results_run_id": self.results_run_id,
            "load_fingerprint": self.store.last_load_fingerprint(self.county.county_id),
            "software": engine_versions() | {"gdal": _gdal_version()},
            "files": file_list(staged),
        }
        metadata = describe(plan, facts)
        write_json(staged / METADATA, metadata)
        return metadata


@dataclass
class Watch:
    """Passes progress on, keeps the job's heartbeat, and stops a cancelled job."""

    show: Progress
    work: ExportJob
    records: int = 0
    done: dict[str, int] = field(default_factory=dict)
    beaten: float = field(default_factory=time.monotonic)

    def __call__(self, task: str, done: int, total: int | None) -> None:
        self.show(task, done, total)
        if task.startswith("export "):
            self.done[task] = done
        if time.monotonic() - self.beaten >= BEAT_SECONDS:
            share = sum(self.done.values()) / self.records if self.records else 0.0
            self.beat(min(share, 1.0))

    def beat(self, share: float) -> None:
        """Note how far the job is.

        Raises
        ------
        JobCancelledError
            Somebody cancelled it.
        """
        self.beaten = time.monotonic()
        work = self.work
        try:
            runs = work.store.beat(work.job_id, now=work.clock(), progress=share)
        except LoadError:
            return  # a load holds the database: the next beat will tell
        if not runs:
            raise JobCancelledError(
                "The export was cancelled",
                reason_code="cancelled",
                county=work.county.county_id,
            )


def _gdal_version() -> str:
    import pyogrio

    return ".".join(str(part) for part in pyogrio.__gdal_version__)
