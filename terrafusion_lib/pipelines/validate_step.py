"""The validate step: accepts or quarantines rows, and checks the gate."""

from terrafusion_lib.pipelines.step import Step
from terrafusion_lib.results.products import MAP, StepRecord
from terrafusion_lib.validation.gate import gate, reconcile
from terrafusion_lib.validation.suites import load_suites
from terrafusion_lib.validation.validate import validate_tables


def validate(step: Step) -> StepRecord:
    """Validate the canonical tables, quarantine rows and check the gate.

    Raises
    ------
    GateError
        Too many rows are in quarantine, a table is too small or rows do not reconcile. The results
        stay in the step's temporary folder for review.
    """
    mapped = step.input_record(MAP)
    source = step.input_folder(MAP)
    county = step.county
    suites = load_suites(
        step.settings.root / "expectations",
        county.expectations.suites,
        profile=county.profile,
        crs=county.crs,
        changes=county.expectations.rules,
    )
    result = validate_tables(
        suites,
        {name: source / f"{name}.parquet" for name in mapped.rows},
        step.out,
        parameters={
            "assessment_year": step.year,
            "tax_year": step.year + county.profile.tax_year_after,
            "county_id": county.county_id,
        },
        failures=source / "failures.parquet",
        settings=step.settings,
        progress=step.progress,
    )
    gate(result, county.gate, county=county.county_id)
    rows = {
        name: {
            "read": counts["read"],
            "filtered": sum(counts["filtered"].values()),
            "quarantined": result.tables[name].quarantined,
            "accepted": result.tables[name].accepted,
        }
        for name, counts in mapped.rows.items()
    }
    reconcile(rows, county=county.county_id)
    return step.finish(rows, result.headline())
