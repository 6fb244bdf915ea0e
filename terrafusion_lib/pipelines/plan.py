"""What a run will do, step by step, and why."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from terrafusion_lib.core.county import CountyConfig
from terrafusion_lib.core.errors import RunError
from terrafusion_lib.core.files import write_json
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.jobs.settings import check_plugins
from terrafusion_lib.pipelines.fingerprints import StepInputs, code_fingerprint, step_inputs
from terrafusion_lib.pipelines.source_state import (
    kept_source_state,
    present_source_state,
    source_tables,
)
from terrafusion_lib.pipelines.step import staging_folder
from terrafusion_lib.pipelines.steps import steps
from terrafusion_lib.pipelines.stored_products import StoredProducts
from terrafusion_lib.results.products import CONNECT, DEFAULT_SEED

PLAN = "plan.json"
RUN = "run"
REUSE = "reuse"


@dataclass(frozen=True)
class PlannedStep:
    """One step of a plan: `action` is run or reuse, `reason` says why."""

    name: str
    action: str
    reason: str
    fingerprint: str
    parts: dict[str, str]


@dataclass(frozen=True)
class Plan:
    """The steps of one run in order, for one county and assessment year."""

    county_id: str
    assessment_year: int
    seed: int
    reuse_raw: bool
    steps: dict[str, PlannedStep]

    @property
    def code_fingerprint(self) -> str:
        """Fingerprint of the code of all its steps."""
        return code_fingerprint({step.name: step.parts for step in self.steps.values()})

    @property
    def to_run(self) -> list[str]:
        """Names of the steps that run, in order."""
        return [step.name for step in self.steps.values() if step.action == RUN]

    def write(self, folder: Path) -> None:
        """Write ``plan.json`` for the steps of a run to read."""
        write_json(folder / PLAN, asdict(self) | {"order": list(self.steps)})


def read_plan(settings: Settings, county_id: str, run_id: str) -> Plan | None:
    """The plan that a run wrote; None when there is no such run in staging."""
    path = staging_folder(settings, county_id, run_id) / PLAN
    if not path.is_file():
        return None
    data = json.loads(path.read_text(encoding="utf-8"))
    order = data.pop("order")
    return Plan(**data | {"steps": {name: PlannedStep(**data["steps"][name]) for name in order}})


@dataclass(frozen=True)
class _Asked:
    """What a plan is asked for, steps by their full names."""

    year: int
    first: str
    last: str
    forced: frozenset[str]
    reuse_raw: bool
    interactive: bool

    @property
    def keeps_raw(self) -> bool:
        """Whether the newest raw layer serves, whatever the source holds by now."""
        return self.reuse_raw or (self.interactive and self.first != CONNECT)


@dataclass(frozen=True)
class _Known:
    """What is known: the inputs of every step by now, and the products that are stored."""

    inputs: dict[str, StepInputs]
    products: StoredProducts


def make_plan(
    county: CountyConfig,
    settings: Settings,
    *,
    year: int | None = None,
    first: str | None = None,
    last: str | None = None,
    force: Iterable[str] = (),
    reuse_raw: bool = False,
    seed: int = DEFAULT_SEED,
    interactive: bool = False,
) -> Plan:
    """Decide for every step whether it runs or its stored product serves.

    Parameters
    ----------
    first, last : str, optional
        Run from and to these steps; a step before `first` must have a product that serves.
    force : iterable of str
        Steps that run whatever their fingerprint says; ``all`` names every one.
    reuse_raw : bool
        Take the newest raw layer as it is, whatever the source holds by now.
    interactive : bool
        One step opened by hand: it runs, on the newest raw layer.

    Raises
    ------
    ConfigError
        The configuration names an unknown plugin, or a setting that is not valid.
    RunError
        A step is unknown, or one before `first` has no product that serves.
    """
    check_plugins(county)
    asked = _Asked(
        year=year or county.assessment_year,
        first=_step_name(first) if first else next(iter(steps())),
        last=_step_name(last) if last else list(steps())[-1],
        forced=_forced(force),
        reuse_raw=reuse_raw,
        interactive=interactive,
    )
    known = _look_up(county, settings, asked, seed)
    planned = _decide_all(asked, known)
    return Plan(county.county_id, asked.year, seed, reuse_raw, planned)


def _forced(names: Iterable[str]) -> frozenset[str]:
    """Steps that `names` asks for; ``all`` is every one."""
    asked = set(names)
    everything = set(steps()) if "all" in asked else set()
    return frozenset(everything | {_step_name(name) for name in asked - {"all"}})


def _step_name(text: str) -> str:
    """The step that `text` names: 20_map, 20 or map."""
    for name in steps():
        if text in (name, *name.split("_", 1)):
            return name
    raise RunError(f"There is no step {text!r}", examples=list(steps()))


def _look_up(county: CountyConfig, settings: Settings, asked: _Asked, seed: int) -> _Known:
    tables = source_tables(county)
    kept = kept_source_state(county, settings, asked.year) if asked.keeps_raw else None
    inputs = step_inputs(
        county,
        asked.year,
        settings,
        source_tables=tables,
        source_state=kept or present_source_state(county, settings, tables),
        seed=seed,
    )
    return _Known(inputs, StoredProducts(settings, county.county_id))


def _decide_all(asked: _Asked, known: _Known) -> dict[str, PlannedStep]:
    """Every step up to the last one asked for, in running order."""
    planned: dict[str, PlannedStep] = {}
    for name in known.inputs:
        if name <= asked.last:
            planned[name] = _decide(name, asked, known, planned)
    return planned


def _decide(
    name: str, asked: _Asked, known: _Known, planned: dict[str, PlannedStep]
) -> PlannedStep:
    """Whether a step runs; those that it builds on are in `planned`."""
    inputs = known.inputs[name]
    reason = (
        _reason_asked(name, asked)
        or _reason_of_inputs(name, planned)
        or known.products.reason_to_run(name, inputs)
    )
    if reason and name < asked.first:
        _refuse_to_skip(name, reason, asked, known.products.county_id)
    record = None if reason else known.products.record(name, inputs)
    if record is None:
        return PlannedStep(name, RUN, reason or "", inputs.fingerprint, inputs.parts)
    unchanged = f"unchanged since run {record.run_id}"
    return PlannedStep(name, REUSE, unchanged, inputs.fingerprint, inputs.parts)


def _reason_asked(name: str, asked: _Asked) -> str | None:
    """Why the step runs whatever is known."""
    if name in asked.forced:
        return "asked by force"
    return "asked" if asked.interactive and name == asked.first else None


def _reason_of_inputs(name: str, planned: dict[str, PlannedStep]) -> str | None:
    """The first step that it builds on and that runs."""
    for earlier in steps()[name].inputs:
        if planned[earlier].action == RUN:
            return f"{earlier} runs"
    return None


def _refuse_to_skip(name: str, reason: str, asked: _Asked, county_id: str) -> None:
    """A step before the first must have a product; by hand, any raw layer serves."""
    if asked.interactive and name == CONNECT:
        return
    raise RunError(
        f"Cannot begin at {asked.first}: {name} must run first, because {reason}",
        county=county_id,
        hint=f"terrafusion run {county_id} --from {name}",
    )
