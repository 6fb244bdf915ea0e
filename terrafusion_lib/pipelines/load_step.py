"""The load step: writes accepted rows and the quarantine to the operational database."""

from terrafusion_lib.pipelines.step import Step
from terrafusion_lib.results.products import VALIDATE, StepRecord
from terrafusion_lib.store.store import open_store


def load(step: Step) -> StepRecord:
    """Load the accepted rows and the quarantine in one transaction.

    Raises
    ------
    LoadError
        The database could not be written; its last good state remains.
    """
    validated = step.input_record(VALIDATE)
    folder = step.input_folder(VALIDATE)
    with open_store(step.settings.operational_database_url) as store:
        store.migrate()
        result = store.load(
            step.county.county_id,
            {name: folder / "accepted" / f"{name}.parquet" for name in validated.rows},
            run_id=step.run_id,
            fingerprint=step.fingerprint,
            quarantine=folder / "quarantine.parquet",
            clock=step.clock,
            progress=step.progress,
        )
    return step.finish({name: counts.as_dict() for name, counts in result.tables.items()})
