"""A job's stored result tables."""

from dataclasses import dataclass
from typing import Any

from terrafusion_lib.core.errors import RunError
from terrafusion_lib.core.settings import Settings, get_settings
from terrafusion_lib.jobs.records import COMPLETED, Job
from terrafusion_lib.jobs.request import find_job
from terrafusion_lib.plugins.api import Plugin
from terrafusion_lib.plugins.registry import load_plugin
from terrafusion_lib.results.reader import Results


@dataclass(frozen=True)
class JobResults:
    """A completed job, and the reader of its results."""

    job: Job
    plugin: Plugin
    results: Results

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of its plugin's result tables."""
        return tuple(table.name for table in self.plugin.tables)


def job_results(job_id: str, *, settings: Settings | None = None) -> JobResults:
    """The results of a job, by its id or the start of it.

    Raises
    ------
    RunError
        There is no such job, or it is not COMPLETED.
    PluginError
        Its plugin is no longer installed.
    AccessDeniedError
        The user may not view that plugin's results in the county.
    """
    settings = settings or get_settings()
    job = find_job(job_id, settings=settings)
    if job["status"] != COMPLETED:
        raise RunError(
            f"Job {job['job_id']} is {job['status']} and has no results",
            county=job["county_id"],
            cause=job["message"],
            hint=f"terrafusion jobs show {job['job_id']}",
        )
    return JobResults(
        job, load_plugin(job["plugin"]), Results(job["county_id"], job["run_id"], settings)
    )


def stored_tables(results: JobResults) -> list[dict[str, Any]]:
    """Each result table with its rows and meaning."""
    return [
        {
            "table": table.name,
            "rows": results.results.table(table.name, (table.key[0],)).num_rows,
            "meaning": table.meaning,
        }
        for table in results.plugin.tables
    ]
