"""One GIS export at work: staged where nobody sees it, published whole, noted on its job."""

import json
import logging
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from terrafusion_lib.core.county import CountyConfig
from terrafusion_lib.core.errors import LoadError, RunError
from terrafusion_lib.core.files import write_json
from terrafusion_lib.core.processes import this_process
from terrafusion_lib.core.progress import Progress
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.core.versions import engine_versions
from terrafusion_lib.pipelines.gis_export_jobs import close_dead_jobs
from terrafusion_lib.pipelines.unfit_shapes import unfit_shapes
from terrafusion_lib.plugins.api import PluginContext, PluginRunError
from terrafusion_lib.plugins.gis_export.errors import DISK_FULL, ExportError, write_error
from terrafusion_lib.plugins.gis_export.params import GisExportParams
from terrafusion_lib.plugins.gis_export.plan import TABLE, ExportPlan, make_plan
from terrafusion_lib.plugins.gis_export.write import destination as places
from terrafusion_lib.plugins.gis_export.write.marker import MARKER, marker_text
from terrafusion_lib.plugins.gis_export.write.metadata import METADATA, describe, file_list
from terrafusion_lib.plugins.gis_export.write.sweep import (
    clear_staged,
    remove,
    stage,
    staging_folder,
    sweep,
)
from terrafusion_lib.store.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

PLUGIN = "gis_export"
BEAT_SECONDS = 2.0
LOG = logging.getLogger("terrafusion")


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

    settings: Settings
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
            unfit_shapes=unfit_shapes(
                self.settings, self.county_id, self.store.last_load_fingerprint(self.county_id)
            ),
            **more,
        )


@dataclass
class ExportJob:
    """One export at work.

    Attributes
    ----------
    url : str
        Folder or URL that it goes to; the `own` one of the county, or one that a person named.
    """

    job_id: str
    county: CountyConfig
    params: GisExportParams
    settings: Settings
    store: Store
    clock: Callable[[], datetime]
    url: str
    own: bool
    results_run_id: str | None
    place: places.Destination | None = None

    def export(self, permissions: Iterable[str], year: int | None, show: Progress) -> Export:
        """Run as a job; what it published is withdrawn unless the job completes.

        Raises
        ------
        JobCancelledError
            Somebody cancelled it, however late.
        """
        try:
            with self._job() as job:
                made = self._run(permissions, year, Watch(show, self))
                job |= {
                    "result_location": made.location,
                    "result_file_location": made.location,
                    "result_file_size_kb": made.size_kb,
                    "result_record_count": made.records,
                }
        except BaseException as error:
            self._withdraw()
            if isinstance(error, RunError):  # it could not become COMPLETED
                raise cancelled(self.county.county_id) from error
            raise
        return made

    def _job(self) -> AbstractContextManager[dict[str, Any]]:
        asked = self.params.model_dump(mode="json")
        area = {name: asked[name] for name in ("area", "bbox", "polygon", "area_values")}
        where = {"destination": places.place_name(self.url), "process": this_process()}
        return self.store.job(
            PLUGIN,
            county_id=self.county.county_id,
            username=self.settings.user,
            parameters=asked | where,
            versions=engine_versions(),
            clock=self.clock,
            job_id=self.job_id,
            export_format=self.params.export_format,
            area_of_interest_json=json.dumps(area),
            layers_json=json.dumps(self.params.layers),
        )

    def _run(self, permissions: Iterable[str], year: int | None, watch: "Watch") -> Export:
        """Reserve the place, plan, write into a folder that nobody sees, note it, publish."""
        place = places.open_destination(self.url)
        staged = staging_folder(self._root(place), self.job_id)
        try:
            self._reserve(place, staged)
            self._sweep(place, staged.parent)
            plan = make_plan(self._context(permissions, year, watch), self.params)
            watch.records = plan.records
            self._write(plan, staged)
            metadata = self._describe(plan, staged)
            watch.beat(1.0)
            self._note(plan, metadata)
            location = place.publish(staged, self.job_id)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
        return Export(self.job_id, location, metadata)

    def _root(self, place: places.Destination) -> Path:
        """Where exports are staged: on the disk that they go to, where they go to a disk."""
        if isinstance(place, places.FolderDestination):
            return place.root
        return self.settings.county_data(self.county.county_id) / "exports"

    def _context(
        self, permissions: Iterable[str], year: int | None, progress: Progress
    ) -> PluginContext:
        reader = Reader(self.settings, self.store, self.county.county_id, self.results_run_id)
        return reader.context(self.county, self.job_id, permissions, year, progress=progress)

    def _reserve(self, place: places.Destination, staged: Path) -> None:
        """See that the place and the staging folder can be written, before any work is done."""
        place.reserve(self.job_id)
        self.place = place
        try:
            stage(staged, self.job_id)
        except OSError as error:
            raise write_error(error, staged.parent) from error

    def _sweep(self, place: places.Destination, root: Path) -> None:
        """Remove this project's exports that are over, and close jobs whose process is gone.

        Nothing that goes wrong here fails the export: the next one sweeps again.
        """
        try:
            ended = close_dead_jobs(self.store, self.county.county_id, self.clock)
            here = places.place_name(self.url)
            clear_staged(root, ended.keys())
            swept = {
                job.job_id: job.completed
                for job in ended.values()
                if job.destination == here and (self.own or not job.completed)
            }
            sweep(place, swept, self.clock())
        except Exception as error:  # noqa: BLE001 - no fault of a sweep is worth an export
            LOG.warning("old exports were not swept: %s", error)

    def _withdraw(self) -> None:
        """Remove what the job published, unless it completed; where that fails, a sweep will."""
        if self.place is None:
            return
        with suppress(Exception):
            if self.store.get_job(self.job_id)["status"] == "COMPLETED":
                return
        with suppress(Exception):
            remove(self.place, self.job_id)

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
        self._check_space(plan, staged)
        for name, write in plan.files().items():
            try:
                write(staged / name)
            except OSError as error:
                raise write_error(error, staged / name) from error

    def _check_space(self, plan: ExportPlan, staged: Path) -> None:
        free = shutil.disk_usage(staged).free
        if free < plan.estimated_bytes:
            raise ExportError(
                f"The export needs about {plan.estimated_bytes / 1e6:,.0f} MB, "
                f"and {free / 1e6:,.0f} MB are free",
                reason_code=DISK_FULL,
                county=self.county.county_id,
                hint="free space, or ask for a smaller area or fewer layers",
            )

    def _describe(self, plan: ExportPlan, staged: Path) -> dict[str, Any]:
        """Write the metadata beside the files, and their names into the mark."""
        files = file_list(staged)
        (staged / MARKER).write_bytes(marker_text(self.job_id, [item["name"] for item in files]))
        facts = {
            "county_name": self.county.name,
            "created_at": self.clock().isoformat(timespec="seconds"),
            **self._expiry(),
            "results_run_id": self.results_run_id,
            "load_fingerprint": self.store.last_load_fingerprint(self.county.county_id),
            "software": engine_versions() | {"gdal": _gdal_version()},
            "files": files,
        }
        metadata = describe(plan, facts)
        write_json(staged / METADATA, metadata)
        return metadata

    def _expiry(self) -> dict[str, str | None]:
        """When it expires; an export to a place that a person named never does."""
        days = self.settings.exports_days
        if not self.own:
            return {}
        until = self.clock() + timedelta(days=days)
        return {"expires_at": until.isoformat(timespec="seconds") if days else None}


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
            raise cancelled(work.county.county_id)


def cancelled(county_id: str) -> JobCancelledError:
    """The error of an export that was cancelled, or closed by somebody, while it ran."""
    return JobCancelledError("The export was cancelled", reason_code="cancelled", county=county_id)


def _gdal_version() -> str:
    import pyogrio

    return ".".join(str(part) for part in pyogrio.__gdal_version__)
