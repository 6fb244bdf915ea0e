"""The bulk load: connect, map, validate, load. Each function does one step and finishes it."""

import json
from pathlib import Path

from terrafusion_lib.connectors.raw_layer import extract, source_marks
from terrafusion_lib.core.county import CountyConfig
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.mappers.mapping import Mapping, load_mapping
from terrafusion_lib.mappers.run import map_tables
from terrafusion_lib.pipelines.step import Step, StepRecord
from terrafusion_lib.pipelines.steps import CONNECT, MAP, VALIDATE
from terrafusion_lib.store.store import open_store
from terrafusion_lib.validation.gate import gate, reconcile
from terrafusion_lib.validation.suites import load_suites
from terrafusion_lib.validation.validate import validate_tables

RAW = "raw.json"


def county_mapping(county: CountyConfig) -> Mapping:
    """The county's mapping, read and checked."""
    return load_mapping(county.mapping)


def source_freshness(county: CountyConfig, settings: Settings) -> dict[str, str]:
    """Each source table's own mark of its state; empty text where the source does not tell."""
    return source_marks(county, county_mapping(county).source_tables(), settings=settings)


def years_read(county: CountyConfig, year: int) -> list[int]:
    """Assessment years that are read: the year itself and those before it, oldest first."""
    return list(range(year - county.history_years + 1, year + 1))


def connect(step: Step) -> StepRecord:
    """Read the source into the raw layer.

    Raises
    ------
    ConnectError
        The source cannot be reached or lacks a table or column; no partial extract is used.
    """
    folder, manifest = extract(
        step.county,
        county_mapping(step.county).source_tables(),
        years_read(step.county, step.year),
        settings=step.settings,
        clock=step.clock,
        progress=step.progress,
        reuse=step.reuse_raw,
    )
    pointer = {"extract_id": manifest.extract_id, "folder": str(folder)}
    (step.out / RAW).write_text(json.dumps(pointer), encoding="utf-8")
    rows = {name: {"read": table.rows} for name, table in manifest.tables.items()}
    return step.finish(
        rows,
        {
            "extract_id": manifest.extract_id,
            "source_as_of": manifest.extracted_at.isoformat(timespec="seconds"),
        },
    )


def raw_folder(step: Step) -> Path:
    """The raw layer that the connect step made."""
    pointer = json.loads((step.input_folder(CONNECT) / RAW).read_text(encoding="utf-8"))
    return Path(pointer["folder"])


def map_source(step: Step) -> StepRecord:
    """Map the raw layer to the canonical tables.

    Raises
    ------
    MappingError
        The mapping does not fit the raw layer, or rows were lost or multiplied.
    """
    result = map_tables(
        county_mapping(step.county),
        raw_folder(step),
        step.out,
        county_id=step.county.county_id,
        assessment_year=step.year,
        crs=step.county.crs,
        settings=step.settings,
        progress=step.progress,
    )
    rows = {
        name: {"read": table.read, "filtered": dict(table.filtered), "mapped": table.mapped}
        for name, table in result.tables.items()
    }
    return step.finish(
        rows, {"failed_conversions": result.failures, "unmapped_codes": result.unmapped_codes}
    )


def validate(step: Step) -> StepRecord:
    """Validate the canonical tables, quarantine rows and open or close the gate.

    Raises
    ------
    GateError
        Too many rows are in quarantine, a table is too small or rows do not reconcile. The
        results stay in the step's temporary folder for a look.
    """
    mapped = step.input_record(MAP)
    source = step.input_folder(MAP)
    suites = load_suites(step.settings.root / "expectations", step.county.expectations)
    result = validate_tables(
        suites,
        {name: source / f"{name}.parquet" for name in mapped.rows},
        step.out,
        parameters={"assessment_year": step.year, "county_id": step.county.county_id},
        failures=source / "failures.parquet",
        settings=step.settings,
        progress=step.progress,
    )
    gate(result, step.county.gate, county=step.county.county_id)
    rows = {
        name: {
            "read": counts["read"],
            "filtered": sum(counts["filtered"].values()),
            "quarantined": result.tables[name].quarantined,
            "accepted": result.tables[name].accepted,
        }
        for name, counts in mapped.rows.items()
    }
    reconcile(rows, county=step.county.county_id)
    return step.finish(rows, result.headline())


def load(step: Step) -> StepRecord:
    """Load the accepted rows and the quarantine in one transaction.

    Raises
    ------
    LoadError
        The database could not be written; its last good state stands.
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
