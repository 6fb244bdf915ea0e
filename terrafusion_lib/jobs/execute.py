"""Executes a job: claimed once, kept alive, and completed entirely or not at all.

A queue's task only calls `execute`. At the end, files are published first; then every result
table, COMPLETED and the audit entry are written in one transaction. If that fails, the files are
withdrawn.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from terrafusion_lib.core.clock import Clock, utc_now
from terrafusion_lib.core.config import FrozenModel, parse
from terrafusion_lib.core.county import CountyConfig, load_county
from terrafusion_lib.core.errors import RunError
from terrafusion_lib.core.log import mask_secrets
from terrafusion_lib.core.processes import this_process
from terrafusion_lib.core.progress import LineProgress, Progress
from terrafusion_lib.core.settings import Settings, get_settings
from terrafusion_lib.core.versions import engine_versions
from terrafusion_lib.jobs import records
from terrafusion_lib.jobs.context import make_context
from terrafusion_lib.jobs.lease import CANCELLED as CANCELLED_CODE
from terrafusion_lib.jobs.lease import LEASE, Heartbeat, JobCancelledError
from terrafusion_lib.jobs.publish import Publication, Published, own_url, write_files
from terrafusion_lib.jobs.records import CANCELLED, FAILED, Job
from terrafusion_lib.jobs.request import submit
from terrafusion_lib.plugins.api import Plugin, PluginContext, PluginResult
from terrafusion_lib.plugins.registry import load_plugin
from terrafusion_lib.store import audit
from terrafusion_lib.store.bulk import put_results
from terrafusion_lib.store.store import Store, open_store


@dataclass(frozen=True)
class StepOutput:
    """Where a step of the main job wants its job's tables (Parquet) and files.

    `folder` is where they are written, `location` where the step will move them; `fingerprint`
    covers everything that the step depends on.
    """

    folder: Path
    location: Path
    fingerprint: str


@dataclass(frozen=True)
class FinishedJob:
    """A completed job: its result, and the location of published files."""

    job_id: str
    result: PluginResult
    published: Published | None = None

    @property
    def location(self) -> str:
        """Folder or URL of the files; empty if none."""
        return self.published.location if self.published else ""

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata document of the files; empty if none."""
        return self.published.metadata if self.published else {}

    @property
    def records(self) -> int:
        """Records written."""
        return int(self.metadata["records"])

    @property
    def size_kb(self) -> float:
        """Size of the files, KiB."""
        return self.published.size_kb if self.published else 0.0


def execute(
    job_id: str,
    *,
    settings: Settings | None = None,
    output: StepOutput | None = None,
    progress: Progress | None = None,
    clock: Clock = utc_now,
) -> FinishedJob:
    """Run a PENDING job to its end.

    Parameters
    ----------
    output : StepOutput, optional
        For a step of the main job, which publishes nothing.

    Raises
    ------
    RunError
        There is no such job, or it is not PENDING because another worker has it.
    JobCancelledError
        The job was cancelled, even at the last moment.
    PluginError
        The plugin failed; the job records the reason.
    """
    settings = settings or get_settings()
    with open_store(settings.operational_database_url) as store:
        store.migrate()
        job = _claim(store, job_id, clock)
        try:
            return _Execution.of(job, settings, store, clock, output).run(
                progress or LineProgress()
            )
        except BaseException as error:
            _end(store, job, error, clock)
            raise


def run_job(
    plugin_name: str,
    county_id: str,
    options: Mapping[str, Any] | None = None,
    *,
    settings: Settings | None = None,
    output: StepOutput | None = None,
    progress: Progress | None = None,
    clock: Clock = utc_now,
    **asked: Any,
) -> FinishedJob:
    """Submit a job and run it in this process; `asked` are other arguments of `submit`.

    Raises
    ------
    TerraFusionError
        See `submit` and `execute`.
    """
    settings = settings or get_settings()
    job_id = submit(
        plugin_name, county_id, options, settings=settings, mine=True, clock=clock, **asked
    )
    return execute(job_id, settings=settings, output=output, progress=progress, clock=clock)


def _claim(store: Store, job_id: str, clock: Clock) -> Job:
    """Claim the job; returns its columns.

    Raises
    ------
    RunError
        It is not PENDING.
    """
    now = clock()
    with store.writing("claim a job") as connection:
        claimed = records.claim(
            connection,
            job_id,
            worker=this_process(),
            versions=engine_versions(),
            now=now,
            lease_until=now + LEASE,
        )
        job = records.get(connection, job_id)
    if not claimed:
        raise RunError(
            f"Job {job_id} is {job['status']} and cannot be run",
            county=job["county_id"],
            hint=f"terrafusion jobs show {job_id}",
        )
    return job


def _end(store: Store, job: Job, error: BaseException, clock: Clock) -> None:
    """Record why the job ended; a job cancelled in the meantime stays cancelled."""
    stopped = isinstance(error, KeyboardInterrupt | JobCancelledError)
    reason = CANCELLED_CODE if stopped else "processing_exception"
    text = str(error) or ("Interrupted" if stopped else type(error).__name__)
    with store.writing("note a job", job["county_id"]) as connection:
        records.end(
            connection,
            job["job_id"],
            CANCELLED if stopped else FAILED,
            now=clock(),
            reason_code=getattr(error, "reason_code", None) or reason,
            message=mask_secrets(text),
        )


@dataclass
class _Execution:
    """One job in progress."""

    job: Job
    request: dict[str, Any]
    plugin: Plugin
    county: CountyConfig
    settings: Settings
    store: Store
    clock: Clock
    output: StepOutput | None

    @classmethod
    def of(
        cls, job: Job, settings: Settings, store: Store, clock: Clock, output: StepOutput | None
    ) -> "_Execution":
        plugin, county = load_plugin(job["plugin"]), load_county(job["county_id"], settings)
        request = json.loads(job["request_json"])
        return cls(job, request, plugin, county, settings, store, clock, output)

    def run(self, show: Progress) -> FinishedJob:
        """Reserve the destination, compute, stage, publish, record."""
        publication = self._reserve()
        try:
            with Heartbeat(self.store, self.job, self.clock, show) as beat:
                result = self.plugin.run(self._context(beat), self._params())
                published = self._write(result, publication, beat)
                beat.beat()
                beat.check()
            self._complete(result, published)
        except BaseException:
            if publication:
                publication.withdraw()
            raise
        finally:
            if publication:
                publication.clear()
        return FinishedJob(self.job["job_id"], result, published)

    def _reserve(self) -> Publication | None:
        """The destination of its files; None if the plugin has none or a step takes them."""
        if self.output is not None or not self.plugin.published_in:
            return None
        own = own_url(self.settings, self.county.county_id, self.plugin.published_in)
        return Publication.reserve(
            self.job,
            self.request["destination"],
            own=own,
            settings=self.settings,
            store=self.store,
            clock=self.clock,
        )

    def _params(self) -> FrozenModel:
        stored = json.loads(self.job["parameters_json"])
        return parse(self.plugin.Params, stored, where=f"job {self.job['job_id']}")

    def _context(self, beat: Heartbeat) -> PluginContext:
        return make_context(
            self.county,
            self.settings,
            self.store,
            year=self.request["year"],
            run_id=self.job["run_id"],
            results_run_id=self.request["results_run_id"],
            seed=self.request["seed"],
            permissions=frozenset(self.request["permissions"]),
            progress=beat,
        )

    def _write(
        self, result: PluginResult, publication: Publication | None, beat: Heartbeat
    ) -> Published | None:
        """Write tables and files for a step, or publish the files."""
        if self.output is not None:
            for name, table in result.tables.items():
                path = self.output.folder / f"{name}.parquet"
                pq.write_table(table, path, compression="zstd")
            write_files(result, self.output.folder, beat)
            return None
        if publication is None:
            return None
        document = publication.write(result, self._facts(), beat)
        beat.beat()
        beat.check()
        return Published(publication.publish(), document)

    def _facts(self) -> dict[str, Any]:
        """Metadata known only to the publisher."""
        return {
            "county_name": self.county.name,
            "created_at": self.clock().isoformat(timespec="seconds"),
            "results_run_id": self.request["results_run_id"],
            "load_fingerprint": self.store.last_load_fingerprint(self.county.county_id),
            "software": engine_versions(),
        }

    def _complete(self, result: PluginResult, published: Published | None) -> None:
        """Store every result table, the job's completion and the audit entry: all or nothing.

        Raises
        ------
        JobCancelledError
            The job is no longer RUNNING.
        """
        county_id, run_id = self.county.county_id, self.job["run_id"]
        output = self.output
        location = published.location if published else str(output.location) if output else None
        own = dict(result.job_values)
        if published:
            own |= {
                "result_file_location": published.location,
                "result_file_size_kb": published.size_kb,
            }
        columns = {column.name for column in self.plugin.job_columns}
        with self.store.county_transaction("save results", county_id) as connection:
            for name, table in result.tables.items():
                put_results(connection, name, table, county_id=county_id, run_id=run_id)
            completed = records.complete(
                connection,
                self.job,
                now=self.clock(),
                own={name: value for name, value in own.items() if name in columns},
                result_location=location,
                input_fingerprint=output.fingerprint
                if output
                else self.request["load_fingerprint"],
            )
            if not completed:
                raise JobCancelledError(county=county_id)
            audit.append(
                connection,
                at=self.clock(),
                username=self.job["username"],
                action=f"{self.plugin.name}:run",
                county_id=county_id,
                detail=self._audited(result, published),
            )

    def _audited(self, result: PluginResult, published: Published | None) -> dict[str, Any]:
        personal = published.metadata.get("personal_data") if published else None
        return {
            "job_id": self.job["job_id"],
            "run_id": self.job["run_id"],
            "rows": {name: table.num_rows for name, table in result.tables.items()},
            **({"personal_data": personal} if personal is not None else {}),
        }
