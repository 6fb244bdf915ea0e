"""Open a step, in a run or by hand in a notebook."""

import os
import shutil
from pathlib import Path

from terrafusion_lib.access.decide import require
from terrafusion_lib.access.grants import RUN
from terrafusion_lib.core.county import load_county
from terrafusion_lib.core.errors import RunError
from terrafusion_lib.core.processes import lives
from terrafusion_lib.core.progress import Progress
from terrafusion_lib.core.settings import Settings, get_settings
from terrafusion_lib.pipelines.plan import make_plan, read_plan
from terrafusion_lib.pipelines.step import Step, run_progress
from terrafusion_lib.pipelines.steps import steps

INTERACTIVE = "interactive"


def open_step(
    name: str,
    *,
    county: str,
    year: int | None = None,
    run_id: str = INTERACTIVE,
    fingerprint: str = "",
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Step:
    """Open a step: resolve the county, its inputs and the location of its product.

    In a run, the run's plan decides. Opened by hand in a notebook, the step uses the newest raw
    layer and the current code and configuration.

    Parameters
    ----------
    name : str
        A key of `steps.steps`, such as ``20_map``.
    county : str
        County id.
    year : int, optional
        Assessment year; None: the county's own.
    fingerprint : str
        The step's fingerprint in the run's plan; rejected if the plan has another.

    Raises
    ------
    ConfigError
        Unknown county, or its configuration is invalid.
    AccessDeniedError
        The user may not run steps of the county.
    RunError
        Unknown step, or a fingerprint that differs from the plan's.
    """
    if name not in steps():
        raise RunError(f"There is no step {name!r}", examples=list(steps()))
    settings = settings or get_settings()
    config = load_county(county, settings)
    require(settings, county, RUN)
    plan = read_plan(settings, county, run_id) or make_plan(
        config, settings, year=year, first=name, last=name, interactive=True
    )
    planned = plan.steps[name]
    if fingerprint and fingerprint != planned.fingerprint:
        raise RunError(
            f"The run planned {planned.fingerprint}, but the notebook got {fingerprint}",
            county=county,
            step=name,
            hint=f"terrafusion run {county}",
        )
    step = Step(
        name=name,
        county=config,
        year=plan.assessment_year,
        run_id=run_id,
        fingerprint=planned.fingerprint,
        parts=planned.parts,
        input_fingerprints={key: item.fingerprint for key, item in plan.steps.items()},
        settings=settings,
        reuse_raw=plan.reuse_raw,
        seed=plan.seed,
        progress=progress or run_progress(settings, county, run_id),
    )
    _clear_abandoned(step.out.parent)
    step.out.mkdir(parents=True)
    step.progress(name, 0, 1)
    return step


def _clear_abandoned(folder: Path) -> None:
    """Delete unfinished products of this process's steps and of processes that are gone."""
    for path in folder.glob(".*.tmp"):
        process = int(path.name.split(".")[-2])
        if process == os.getpid() or not lives(process):
            shutil.rmtree(path, ignore_errors=True)
