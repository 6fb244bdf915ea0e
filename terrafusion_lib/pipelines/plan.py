"""What a run will do, step by step, and why."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from terrafusion_lib.core.county import CountyConfig
from terrafusion_lib.core.errors import RunError
from terrafusion_lib.core.files import fingerprint, write_json
from terrafusion_lib.core.raw import SourceTable
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.jobs.settings import check_plugins
from terrafusion_lib.pipelines.fingerprints import StepInputs, code_fingerprint, step_inputs
from terrafusion_lib.pipelines.step import staging_folder
from terrafusion_lib.pipelines.steps import steps
from terrafusion_lib.results.products import (
    CONNECT,
    DEFAULT_SEED,
    LOAD,
    SPECIALIZE,
    StepRecord,
    damaged,
    latest_record,
    product_folder,
    read_record,
)

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
    forced = {_step_name(name) for name in force if name != "all"}
    forced |= set(steps()) if "all" in force else set()
    first = _step_name(first) if first else next(iter(steps()))
    last = _step_name(last) if last else list(steps())[-1]
    year = year or county.assessment_year
    keep_raw = reuse_raw or (interactive and first != CONNECT)
    tables = _source_tables(county)
    inputs = step_inputs(
        county,
        year,
        settings,
        source_tables=tables,
        source_state=_source_state(county, settings, year, tables, keep_raw=keep_raw),
        seed=seed,
    )
    planned: dict[str, PlannedStep] = {}
    for name, item in inputs.items():
        if name > last:
            break
        reason = "asked by force" if name in forced else None
        reason = reason or ("asked" if interactive and name == first else None)
        reason = reason or _reason_to_run(county, settings, name, item, planned)
        if reason and name < first:
            _refuse_to_skip(county, name, first, reason, interactive=interactive)
        record = None if reason else _record(county, settings, name, item.fingerprint)
        planned[name] = PlannedStep(
            name,
            RUN if record is None else REUSE,
            reason or "" if record is None else f"unchanged since run {record.run_id}",
            item.fingerprint,
            item.parts,
        )
    return Plan(county.county_id, year, seed, reuse_raw, planned)


def _step_name(text: str) -> str:
    """The step that `text` names: 20_map, 20 or map."""
    found = [name for name in steps() if text in (name, *name.split("_", 1))]
    if not found:
        raise RunError(f"There is no step {text!r}", examples=list(steps()))
    return found[0]


def _record(county: CountyConfig, settings: Settings, name: str, digest: str) -> StepRecord | None:
    return read_record(product_folder(settings, county.county_id, name, digest))


def _refuse_to_skip(
    county: CountyConfig, name: str, first: str, reason: str, *, interactive: bool
) -> None:
    if interactive and name == CONNECT:
        return
    raise RunError(
        f"Cannot begin at {first}: {name} must run first, because {reason}",
        county=county.county_id,
        hint=f"terrafusion run {county.county_id} --from {name}",
    )


def _reason_to_run(
    county: CountyConfig,
    settings: Settings,
    name: str,
    item: StepInputs,
    planned: dict[str, PlannedStep],
) -> str | None:
    """Why the step must run; None when its stored product serves."""
    for earlier in steps()[name].inputs:
        if planned[earlier].action == RUN:
            return f"{earlier} runs"
    record = _record(county, settings, name, item.fingerprint)
    if record is None:
        before = latest_record(settings, county.county_id, name, item.parts["assessment year"])
        if before is None:
            return "no earlier result"
        return "changed: " + ", ".join(item.differs(before.parts))
    broken = damaged(product_folder(settings, county.county_id, name, item.fingerprint), record)
    if broken:
        return f"its product is damaged: {', '.join(broken[:3])}"
    return _database_reason(settings, county.county_id, name, record)


def _database_reason(
    settings: Settings, county_id: str, name: str, record: StepRecord
) -> str | None:
    """Why a database needs the step again; None when the databases hold the product."""
    if record.marks or name == SPECIALIZE:
        from terrafusion_lib.pipelines.specialized_state import specialized_reason

        reason = specialized_reason(settings, record)
        if reason:
            return reason
    plugin = steps()[name].plugin
    if name != LOAD and not plugin:
        return None
    from terrafusion_lib.store.store import open_store

    with open_store(settings.operational_database_url) as store:
        store.migrate()
        if name == LOAD and store.last_load_fingerprint(county_id) != record.fingerprint:
            return "the operational database holds another load"
        for table, counts in record.rows.items() if plugin else ():
            if counts["rows"] and not store.has_results(county_id, record.run_id, table):
                return f"the operational database holds no {table} of that run"
    return None


def _source_tables(county: CountyConfig) -> dict[str, SourceTable]:
    """What the county's mapping reads of the source."""
    from terrafusion_lib.mappers.mapping import load_mapping

    return load_mapping(county.mapping).source_tables()


def _source_state(
    county: CountyConfig,
    settings: Settings,
    year: int,
    tables: Mapping[str, SourceTable],
    *,
    keep_raw: bool,
) -> str:
    """Fingerprint of the source's freshness; with `keep_raw` that of the newest raw layer."""
    if keep_raw:
        record = latest_record(settings, county.county_id, CONNECT, str(year))
        if record is not None:
            return record.parts["source data"]
    from terrafusion_lib.connectors.raw.layer import source_marks

    freshness = source_marks(county, tables, settings=settings)
    unknown = sorted(name for name, mark in freshness.items() if not mark)
    if unknown:
        import uuid

        return f"unknown {uuid.uuid4().hex[:8]}"
    return fingerprint(freshness)
