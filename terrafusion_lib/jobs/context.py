"""What a plugin works with: the county's tables, as the job may read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from terrafusion_lib.core.county import CountyConfig
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.plugins.api import PluginContext
from terrafusion_lib.results.unfit_shapes import unfit_shapes
from terrafusion_lib.store.store import Store

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class CountyReader:
    """Reads canonical tables, and the result tables of one run."""

    store: Store
    county_id: str
    results_run_id: str | None

    def canonical(self, table: str, columns: Sequence[str] | None = None) -> "pa.Table":
        """Active rows of a canonical table."""
        return self.store.read(table, county_id=self.county_id, columns=columns)

    def results(self, table: str, columns: Sequence[str] | None = None) -> "pa.Table":
        """Rows of a result table of the run."""
        return self.store.read_results(
            table, county_id=self.county_id, run_id=self.results_run_id or "", columns=columns
        )


def make_context(
    county: CountyConfig,
    settings: Settings,
    store: Store,
    *,
    year: int,
    run_id: str,
    results_run_id: str | None,
    **more: Any,
) -> PluginContext:
    """The context of a job; `more` are `PluginContext` fields known only to the caller."""
    reader = CountyReader(store, county.county_id, results_run_id)
    loaded = store.last_load_fingerprint(county.county_id)
    return PluginContext(
        county_id=county.county_id,
        assessment_year=year,
        valuation_date=date(year, 1, 1),
        run_id=run_id,
        read=reader.canonical,
        results=reader.results if results_run_id else None,
        crs=county.crs,
        unfit_shapes=unfit_shapes(settings, county.county_id, loaded),
        threads=settings.threads,
        **more,
    )
