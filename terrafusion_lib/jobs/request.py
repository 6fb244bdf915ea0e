"""Job requests: checked before anything is written, and stored as submitted."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from terrafusion_lib.access.decide import require
from terrafusion_lib.access.grants import VIEW_RUNS
from terrafusion_lib.core.clock import Clock, utc_now
from terrafusion_lib.core.config import FrozenModel
from terrafusion_lib.core.county import CountyConfig, load_county
from terrafusion_lib.core.errors import ConfigError, RunError
from terrafusion_lib.core.processes import this_process
from terrafusion_lib.core.settings import Settings, get_settings
from terrafusion_lib.jobs import records
from terrafusion_lib.jobs.context import make_context
from terrafusion_lib.jobs.destination import place_name
from terrafusion_lib.jobs.lease import CANCELLED as CANCELLED_CODE
from terrafusion_lib.jobs.lease import is_lost
from terrafusion_lib.jobs.records import CANCELLED, Job
from terrafusion_lib.jobs.settings import plugin_params
from terrafusion_lib.plugins.api import Plugin
from terrafusion_lib.plugins.registry import load_plugin, plugin_names
from terrafusion_lib.results.current import current_results
from terrafusion_lib.results.products import DEFAULT_SEED
from terrafusion_lib.store.decisions import require_audited
from terrafusion_lib.store.store import Store, open_store


@dataclass(frozen=True)
class Asked:
    """What a job depends on besides its parameters; together they allow a replay.

    Parameters
    ----------
    year : int
        Assessment year.
    results_run_id : str, optional
        Run whose result tables the job reads.
    load_fingerprint : str, optional
        Load that the county's rows came from at submission.
    destination : str, optional
        Folder or URL given by the user for its files.
    """

    year: int
    seed: int
    results_run_id: str | None
    load_fingerprint: str | None
    destination: str | None
    permissions: tuple[str, ...]


@dataclass(frozen=True)
class _Request:
    """A checked request to a plugin, the same for a job and for its estimate."""

    plugin: Plugin
    county: CountyConfig
    params: FrozenModel
    needs: tuple[str, ...]
    year: int
    results_run_id: str | None

    @classmethod
    def of(
        cls,
        plugin_name: str,
        county_id: str,
        options: Mapping[str, Any] | None,
        settings: Settings,
        *,
        year: int | None,
        results_run_id: str | None,
    ) -> "_Request":
        county, plugin = load_county(county_id, settings), load_plugin(plugin_name)
        params = plugin_params(county, plugin, options)
        chosen = year or county.assessment_year
        run_id = results_run_id or current_results(settings, county_id, chosen)
        return cls(plugin, county, params, plugin.requires(params), chosen, run_id)


def submit(
    plugin_name: str,
    county_id: str,
    options: Mapping[str, Any] | None = None,
    *,
    settings: Settings | None = None,
    year: int | None = None,
    seed: int = DEFAULT_SEED,
    run_id: str | None = None,
    results_run_id: str | None = None,
    destination: str | None = None,
    mine: bool = False,
    clock: Clock = utc_now,
) -> str:
    """Check a request and record it as a PENDING job; returns its id.

    Parameters
    ----------
    options : mapping, optional
        Parameters that override the county's ``plugins.<name>``.
    run_id : str, optional
        Run id for the results; None: the job's own id.
    results_run_id : str, optional
        Run whose results the job reads; None: the county's promoted run.
    mine : bool
        This process will execute it; if the process ends first, the job has failed.

    Raises
    ------
    ConfigError
        The county or a parameter is invalid; no job is created.
    PluginError
        There is no such plugin; no job is created.
    AccessDeniedError
        The user may not run it; no job is created.
    """
    settings = settings or get_settings()
    request = _Request.of(
        plugin_name, county_id, options, settings, year=year, results_run_id=results_run_id
    )
    place = _named_place(destination, county_id)
    job_id = str(uuid.uuid4())
    with open_store(settings.operational_database_url) as store:
        store.migrate()
        require_audited(store, settings, county_id, *request.needs, at=clock())
        stored_request = Asked(
            year=request.year,
            seed=seed,
            results_run_id=request.results_run_id,
            load_fingerprint=store.last_load_fingerprint(county_id),
            destination=place,
            permissions=request.needs,
        )
        with store.writing("note a job", county_id) as connection:
            records.create(
                connection,
                job_id=job_id,
                plugin=plugin_name,
                county_id=county_id,
                username=settings.user,
                assessment_year=request.year,
                run_id=run_id or job_id,
                parameters=request.params.model_dump(mode="json"),
                request=asdict(stored_request),
                worker=this_process() if mine else None,
                own=request.plugin.job_values(request.params),
                now=clock(),
            )
    return job_id


def replay(
    job_id: str, *, settings: Settings | None = None, mine: bool = False, clock: Clock = utc_now
) -> str:
    """Submit a job's request again as a new job; returns the new id.

    Raises
    ------
    RunError
        There is no such job, or it was created by a version that did not store its request.
    AccessDeniedError
        The user may not run it.
    """
    settings = settings or get_settings()
    job = find_job(job_id, settings=settings)
    request = json.loads(job["request_json"])
    if "year" not in request:
        raise RunError(
            f"Job {job_id} was created by an earlier version, which did not store its request",
            county=job["county_id"],
        )
    return submit(
        job["plugin"],
        job["county_id"],
        json.loads(job["parameters_json"]),
        settings=settings,
        year=request["year"],
        seed=request["seed"],
        results_run_id=request["results_run_id"],
        destination=request["destination"],
        mine=mine,
        clock=clock,
    )


def estimate(
    plugin_name: str,
    county_id: str,
    options: Mapping[str, Any] | None = None,
    *,
    settings: Settings | None = None,
    year: int | None = None,
    results_run_id: str | None = None,
) -> dict[str, Any]:
    """Estimate the size of a job's result; writes nothing.

    Raises
    ------
    ConfigError, PluginError, AccessDeniedError
        As for `submit`; also `PluginError` if the job would be refused.
    """
    settings = settings or get_settings()
    request = _Request.of(
        plugin_name, county_id, options, settings, year=year, results_run_id=results_run_id
    )
    require(settings, county_id, *request.needs)
    with open_store(settings.operational_database_url) as store:
        context = make_context(
            request.county,
            settings,
            store,
            year=request.year,
            run_id="estimate",
            results_run_id=request.results_run_id,
            permissions=frozenset(request.needs),
        )
        return request.plugin.estimate(context, request.params)


def cancel(job_id: str, *, settings: Settings | None = None, clock: Clock = utc_now) -> bool:
    """Cancel a waiting or running job; False if it has already ended.

    A running job stops at its next heartbeat, and nothing from it is published.

    Raises
    ------
    RunError
        There is no such job.
    AccessDeniedError
        The user may not run that plugin in the county.
    """
    settings = settings or get_settings()
    with open_store(settings.operational_database_url) as store:
        with store.reading("read jobs") as connection:
            job = records.get(connection, job_id)
        require(settings, job["county_id"], _permission(job, "run"))
        with store.writing("note a job", job["county_id"]) as connection:
            return records.end(
                connection,
                job_id,
                CANCELLED,
                now=clock(),
                reason_code=CANCELLED_CODE,
                message=f"Cancelled by {settings.user}",
            )


def find_job(job_id: str, *, settings: Settings | None = None) -> Job:
    """A job by its id or the start of it.

    Raises
    ------
    RunError
        There is no such job, or several match.
    AccessDeniedError
        The user may not view that plugin in the county.
    """
    settings = settings or get_settings()
    with open_store(settings.operational_database_url) as store:
        store.migrate()
        with store.reading("read jobs") as connection:
            job = records.get(connection, _whole_id(store, job_id))
    require(settings, job["county_id"], _permission(job, "view"))
    return job


def _permission(job: Job, verb: str) -> str:
    """Permissions a job's plugin requires; for an uninstalled plugin, those of runs."""
    return f"{job['plugin'] if job['plugin'] in plugin_names() else 'pipeline'}:{verb}"


def _named_place(destination: str | None, county_id: str) -> str | None:
    """The name of the requested destination.

    Raises
    ------
    ConfigError
        It contains a password, which a job must not store.
    """
    if not destination:
        return None
    name = place_name(destination)
    if "://" in destination and name != destination.rstrip("/"):
        raise ConfigError(
            f"The destination {name} contains a secret, which would be stored with the job",
            county=county_id,
            hint="set the store's own environment variables, such as AWS_SECRET_ACCESS_KEY",
        )
    return name


def _whole_id(store: Store, begun: str) -> str:
    with store.reading("read jobs") as connection:
        ids = records.ids(connection, begun)
    if len(ids) > 1:
        raise RunError(f"{len(ids)} jobs start with {begun}", examples=ids)
    return ids[0] if ids else begun


def list_jobs(
    county_id: str, plugin: str | None = None, *, settings: Settings | None = None
) -> list[Job]:
    """Jobs of a county, newest first; writes nothing. ``lost`` means that the worker is gone.
    Omits jobs of plugins that the user may not view.

    Raises
    ------
    ConfigError
        There is no such county.
    """
    settings = settings or get_settings()
    load_county(county_id, settings)
    allowed = require(settings, county_id, VIEW_RUNS)
    with open_store(settings.operational_database_url) as store:
        store.migrate()
        with store.reading("read jobs") as connection:
            jobs = records.listed(connection, county_id=county_id, plugin=plugin)
    return [
        job | {"lost": is_lost(job, utc_now())}
        for job in jobs
        if _permission(job, "view") in allowed
    ]
