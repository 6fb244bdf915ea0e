"""What a run reads of the source, and the state that the source is in."""

import uuid
from collections.abc import Mapping

from terrafusion_lib.core.county import CountyConfig
from terrafusion_lib.core.files import fingerprint
from terrafusion_lib.core.raw import SourceTable
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.results.products import CONNECT, latest_record


def source_tables(county: CountyConfig) -> dict[str, SourceTable]:
    """What the county's mapping reads of the source."""
    from terrafusion_lib.mappers.mapping import load_mapping

    return load_mapping(county.mapping).source_tables()


def kept_source_state(county: CountyConfig, settings: Settings, year: int) -> str | None:
    """Fingerprint of the freshness that the newest raw layer was read with; None without one."""
    record = latest_record(settings, county.county_id, CONNECT, str(year))
    return record.parts["source data"] if record else None


def present_source_state(
    county: CountyConfig, settings: Settings, tables: Mapping[str, SourceTable]
) -> str:
    """Fingerprint of the source's freshness now; a new one each time where it cannot be told."""
    from terrafusion_lib.connectors.raw.layer import source_marks

    freshness = source_marks(county, tables, settings=settings)
    if all(freshness.values()):
        return fingerprint(freshness)
    return f"unknown {uuid.uuid4().hex[:8]}"
