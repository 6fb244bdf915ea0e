"""The map step: the raw layer becomes the canonical tables."""

import json
from pathlib import Path

from terrafusion_lib.core.raw import POINTER
from terrafusion_lib.mappers.mapping import load_mapping
from terrafusion_lib.mappers.run import map_tables
from terrafusion_lib.pipelines.step import Step
from terrafusion_lib.results.products import CONNECT, StepRecord


def map_source(step: Step) -> StepRecord:
    """Map the raw layer to the canonical tables.

    Raises
    ------
    MappingError
        The mapping does not fit the raw layer, or rows were lost or duplicated.
    """
    result = map_tables(
        load_mapping(step.county.mapping),
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


def raw_folder(step: Step) -> Path:
    """The raw layer created by the connect step."""
    pointer = json.loads((step.input_folder(CONNECT) / POINTER).read_text(encoding="utf-8"))
    return Path(pointer["folder"])
