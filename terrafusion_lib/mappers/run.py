"""Map a raw layer to the canonical tables."""

from dataclasses import dataclass
from pathlib import Path

from terrafusion_lib.core.progress import Progress, silent
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.mappers.bound import Mapping
from terrafusion_lib.mappers.findings import FAILURES, UNMAPPED_CODES, Findings
from terrafusion_lib.mappers.raw_views import add_raw_views
from terrafusion_lib.mappers.session import open_session
from terrafusion_lib.mappers.stage import define_value_maps
from terrafusion_lib.mappers.write_table import MappedTable, make_stage, write_stage


@dataclass(frozen=True)
class MappingResult:
    """What `map_tables` wrote, and how much of it needs a look."""

    tables: dict[str, MappedTable]
    failures: int
    """Values that could not be converted (``failures.parquet``)."""
    unmapped_codes: int
    """Rows with a code that its value map does not list (``unmapped_codes.parquet``)."""


def map_tables(
    mapping: Mapping,
    raw_dir: Path,
    out_dir: Path,
    *,
    county_id: str,
    assessment_year: int,
    crs: str,
    settings: Settings,
    progress: Progress = silent,
) -> MappingResult:
    """Map an extract to canonical tables.

    Writes ``<table>.parquet`` (the canonical schema exactly, sorted by key),
    ``filtered/<table>.parquet`` (key and reason of rows left out), ``failures.parquet`` and
    ``unmapped_codes.parquet``. Rows with equal keys are all kept: validation quarantines them.

    Parameters
    ----------
    raw_dir : Path
        Folder of a finished extract.
    crs : str
        The county's projected system, for areas and coordinates.

    Raises
    ------
    MappingError
        The mapping does not fit the raw tables, a join loses or multiplies rows, a required
        value is null, or a value map with ``unmapped: fail`` met an unknown code.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / "filtered").mkdir(exist_ok=True)
    tables: dict[str, MappedTable] = {}
    with (
        open_session(
            mapping,
            raw_dir,
            out_dir,
            county_id=county_id,
            assessment_year=assessment_year,
            crs=crs,
            settings=settings,
        ) as session,
        Findings(session, out_dir / FAILURES, out_dir / UNMAPPED_CODES) as findings,
    ):
        add_raw_views(session)
        define_value_maps(session)
        for name, table in mapping.tables.items():
            stage = make_stage(session, table)
            findings.add(table, stage)
            tables[name] = write_stage(session, table, out_dir, progress)
        findings.add_raw()
        return MappingResult(tables, findings.failures, findings.unmapped)
