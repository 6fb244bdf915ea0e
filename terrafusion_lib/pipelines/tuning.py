"""Tuning a market of the county's newest valuation."""

from typing import TYPE_CHECKING

from terrafusion_lib.core.config import did_you_mean
from terrafusion_lib.access.decide import require
from terrafusion_lib.core.errors import RunError
from terrafusion_lib.core.progress import Progress, silent
from terrafusion_lib.core.settings import get_settings
from terrafusion_lib.pipelines.review import latest_results

if TYPE_CHECKING:
    from terrafusion_lib.plugins.valuation.workbench.tuning import Trial


def tune_trees(
    county: str,
    year: int | None = None,
    *,
    market: str = "residential",
    trials: int = 20,
    progress: Progress = silent,
) -> "list[Trial]":
    """Trials of tree settings on the sales of a market, best first; nothing that is stored changes.

    The journal of trials lies in the county's data folder, ``tuning/<market>.jsonl``.

    Raises
    ------
    AccessDeniedError
        The person may not value the county.
    RunError
        The county has not been valued, or has no such market.
    ValuationError
        The market has too few sales.
    """
    from terrafusion_lib.plugins.valuation.workbench.tuning import tune

    settings = get_settings()
    require(settings, county, "valuation:run")
    markets = latest_results(county, year).workbench().markets
    if market not in markets:
        raise RunError(
            f"There is no market {market!r} with a model",
            county=county,
            examples=sorted(markets),
            hint=did_you_mean(market, markets),
        )
    return tune(
        markets[market],
        trials=trials,
        journal=settings.data_path / county / "tuning" / f"{market}.jsonl",
        threads=settings.threads,
        progress=progress,
    )
