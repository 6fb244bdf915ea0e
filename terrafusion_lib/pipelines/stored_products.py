"""Whether the stored product of a step serves, or why the step must run."""

from dataclasses import dataclass
from pathlib import Path

from terrafusion_lib.core.settings import Settings
from terrafusion_lib.pipelines.fingerprints import StepInputs
from terrafusion_lib.pipelines.steps import steps
from terrafusion_lib.results.products import (
    LOAD,
    SPECIALIZE,
    StepRecord,
    damaged,
    latest_record,
    product_folder,
    read_record,
)


@dataclass(frozen=True)
class StoredProducts:
    """The products of a county's steps, on disk and in the databases."""

    settings: Settings
    county_id: str

    def record(self, name: str, inputs: StepInputs) -> StepRecord | None:
        """Record of the product that was made of these inputs; None when there is none."""
        return read_record(self._folder(name, inputs))

    def reason_to_run(self, name: str, inputs: StepInputs) -> str | None:
        """Why the step must run; None when its stored product serves."""
        record = self.record(name, inputs)
        if record is None:
            return self._reason_for_another(name, inputs)
        broken = damaged(self._folder(name, inputs), record)
        if broken:
            return f"its product is damaged: {', '.join(broken[:3])}"
        return database_reason(self.settings, self.county_id, name, record)

    def _folder(self, name: str, inputs: StepInputs) -> Path:
        return product_folder(self.settings, self.county_id, name, inputs.fingerprint)

    def _reason_for_another(self, name: str, inputs: StepInputs) -> str:
        """What has changed since the newest product of the assessment year."""
        year = inputs.parts["assessment year"]
        newest = latest_record(self.settings, self.county_id, name, year)
        if newest is None:
            return "no earlier result"
        return "changed: " + ", ".join(inputs.differs(newest.parts))


def database_reason(
    settings: Settings, county_id: str, name: str, record: StepRecord
) -> str | None:
    """Why a database needs the step again; None when the databases hold the product."""
    if record.marks or name == SPECIALIZE:
        from terrafusion_lib.pipelines.specialized_state import specialized_reason

        reason = specialized_reason(settings, record)
        if reason:
            return reason
    if name == LOAD or steps()[name].plugin:
        return _operational_reason(settings, county_id, name, record)
    return None


def _operational_reason(
    settings: Settings, county_id: str, name: str, record: StepRecord
) -> str | None:
    """Why the operational database needs the load, or the plugin's step, again."""
    from terrafusion_lib.store.store import open_store

    with open_store(settings.operational_database_url) as store:
        store.migrate()
        if name == LOAD:
            loaded = store.last_load_fingerprint(county_id) == record.fingerprint
            return None if loaded else "the operational database has a different load"
        for table, counts in record.rows.items():
            if counts["rows"] and not store.has_results(county_id, record.run_id, table):
                return f"the operational database has no {table} of that run"
    return None
