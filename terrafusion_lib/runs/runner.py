"""A run of the main job for one county: plan, stage, build, promote, and record in the ledger."""

import secrets
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from terrafusion_lib.access.decide import require
from terrafusion_lib.access.grants import RUN
from terrafusion_lib.core import log
from terrafusion_lib.core.clock import utc_now
from terrafusion_lib.core.county import CountyConfig, load_county
from terrafusion_lib.core.errors import RunError
from terrafusion_lib.core.files import write_json
from terrafusion_lib.core.progress import LineProgress, Progress
from terrafusion_lib.core.settings import Settings, handed_on
from terrafusion_lib.core.versions import engine_versions
from terrafusion_lib.pipelines.plan import Plan, make_plan
from terrafusion_lib.pipelines.step import EVENTS, staging_folder
from terrafusion_lib.pipelines.steps import notebook_of, steps
from terrafusion_lib.results.current import RUN_FILE, point_at, run_folder
from terrafusion_lib.results.products import CONNECT
from terrafusion_lib.runs.lock import county_lock
from terrafusion_lib.runs.progress import FollowEvents
from terrafusion_lib.runs.summary import summarize
from terrafusion_lib.store.decisions import require_audited
from terrafusion_lib.store.store import Store, open_store

WORDS = (
    ("amber", "brisk", "calm", "clear", "early", "fair", "keen", "level", "quiet", "sound"),
    ("alder", "aspen", "basin", "butte", "cedar", "creek", "grove", "heron", "larch", "ridge"),
)


@dataclass(frozen=True)
class RunOptions:
    """The user's options; recorded in the ledger."""

    year: int | None = None
    first: str | None = None
    last: str | None = None
    force: tuple[str, ...] = ()
    reuse_raw: bool = False
    note: str = ""

    def plan(self, county: CountyConfig, settings: Settings) -> Plan:
        """The plan for these options with the current source and code.

        Raises
        ------
        AccessDeniedError
            The user may not run the county's steps.
        """
        require(settings, county.county_id, RUN)
        return make_plan(
            county,
            settings,
            year=self.year,
            first=self.first,
            last=self.last,
            force=self.force,
            reuse_raw=self.reuse_raw,
        )


def new_run_id(now: datetime) -> str:
    """Time and two words, such as 20261123-203012-quiet-larch: sortable and easy to say."""
    words = "-".join(secrets.choice(group) for group in WORDS)
    return f"{now:%Y%m%d-%H%M%S}-{words}"


def run_county(
    county_id: str,
    options: RunOptions,
    settings: Settings,
    *,
    resume: bool = False,
    progress: Progress | None = None,
    clock: Callable[[], datetime] = utc_now,
    show_plan: Callable[[Plan, str], None] = lambda _plan, _run_id: None,
) -> dict[str, Any]:
    """Run the main job and promote its result.

    Steps with a current stored product are skipped, so a run after a failure continues where the
    failed one stopped; `resume` also reuses the failed run's id and options.

    Returns
    -------
    dict
        The summary that is stored as ``run.json``.

    Raises
    ------
    AccessDeniedError
        The user may not run the county's steps; the refusal is in the audit log.
    RunError
        Another run of the county is in progress, or there is nothing to resume.
    TerraFusionError
        A step failed. The ledger says which and why; the last promoted run stays current.
    """
    county = load_county(county_id, settings)
    started_at = clock()
    with open_store(settings.operational_database_url) as store:
        store.migrate()
        require_audited(store, settings, county_id, RUN, at=started_at)
        run_id = new_run_id(started_at)
        if resume:
            run_id, options = _failed_run(store, county_id)
        with county_lock(settings.county_data(county_id), run_id=run_id, user=settings.user):
            store.close_stale_runs(county_id, clock=clock)
            plan = options.plan(county, settings)
            show_plan(plan, run_id)
            return _Run(county, plan, options, settings, store, run_id, started_at, clock).execute(
                progress or LineProgress()
            )


def _failed_run(store: Store, county_id: str) -> tuple[str, RunOptions]:
    failed = [run for run in store.list_runs(county_id) if run["status"] != "COMPLETED"]
    if not failed:
        raise RunError(
            "There is no failed run to resume",
            county=county_id,
            hint=f"terrafusion run {county_id}",
        )
    options = failed[0]["parameters"] | {"force": ()}
    return failed[0]["run_id"], RunOptions(**options)


@dataclass
class _Run:
    county: CountyConfig
    plan: Plan
    options: RunOptions
    settings: Settings
    store: Store
    run_id: str
    started_at: datetime
    clock: Callable[[], datetime]

    @property
    def staging(self) -> Path:
        return staging_folder(self.settings, self.county.county_id, self.run_id)

    def execute(self, progress: Progress) -> dict[str, Any]:
        self.plan.write(self.staging)
        log.configure(self.staging / "run.log")
        self.store.start_run(
            self.run_id,
            county_id=self.county.county_id,
            assessment_year=self.plan.assessment_year,
            username=self.settings.user,
            note=self.options.note,
            parameters=asdict(self.options),
            versions=engine_versions(),
            code_fingerprint=self.plan.code_fingerprint,
            input_fingerprint=self.plan.steps[CONNECT].parts["source data"],
            started_at=self.started_at,
        )
        try:
            self._build(progress)
        except BaseException as error:
            self._close("CANCELLED" if isinstance(error, KeyboardInterrupt) else "FAILED", error)
            raise
        summary = self._close("COMPLETED", None)
        self._promote()
        return summary

    def _build(self, progress: Progress) -> None:
        if not self.plan.to_run:
            return
        from terrafusion_lib.pipelines import ploomber_dag

        values = {
            "county": self.county.county_id,
            "year": str(self.plan.assessment_year),
            "run_id": self.run_id,
            "staging": str(self.staging),
        }
        known = steps()
        specification = ploomber_dag.dag_specification(
            self.settings.root / "pipeline.yaml",
            tasks=self.plan.to_run,
            values=values,
            fingerprints={name: step.fingerprint for name, step in self.plan.steps.items()},
            of_plugins={
                spec.name: ploomber_dag.plugin_task(
                    spec.name, notebook_of(spec, self.settings), spec.inputs
                )
                for spec in known.values()
                if spec.plugin
            },
        )
        following = FollowEvents(self.staging / EVENTS, progress)
        with handed_on(self.settings.environment()), following:
            ploomber_dag.build(
                specification,
                working_folder=self.settings.root,
                early={name: known[name].early for name in self.plan.to_run},
            )

    def _close(self, status: str, error: BaseException | None) -> dict[str, Any]:
        finished_at = self.clock()
        summary = summarize(
            self.plan,
            self.county,
            self.settings,
            run_id=self.run_id,
            started_at=self.started_at,
            finished_at=finished_at,
            status=status,
        )
        message = log.mask_secrets(str(error)) if error else ""
        write_json(self.staging / RUN_FILE, summary | {"message": message})
        for ordinal, step in enumerate(summary["steps"]):
            self.store.record_step(self.run_id, ordinal=ordinal, **step)
        self.store.finish_run(self.run_id, status=status, finished_at=finished_at, message=message)
        return summary

    def _promote(self) -> None:
        """Move the staged run into place, point CURRENT at it, then record it in the ledger."""
        target = run_folder(self.settings, self.county.county_id, self.run_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        log.configure(None)
        if target.exists():
            shutil.rmtree(target)
        self.staging.rename(target)
        point_at(self.settings, self.county.county_id, self.run_id)
        now = self.clock()
        self.store.promote(self.run_id, promoted_at=now)
        self.store.audit(
            "run:promote",
            username=self.settings.user,
            county_id=self.county.county_id,
            at=now,
            run_id=self.run_id,
            note=self.options.note,
        )
