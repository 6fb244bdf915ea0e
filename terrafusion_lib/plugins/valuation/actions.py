"""Actions on a fitted valuation: tuning of trees, and what-if."""

from typing import Any

from pydantic import Field

from terrafusion_lib.core.config import FrozenModel, did_you_mean
from terrafusion_lib.core.errors import ConfigError, RunError
from terrafusion_lib.plugins.api import PluginContext

Changes = dict[str, float | None]


class TuneParams(FrozenModel):
    """A search for tree settings."""

    market: str = Field(default="residential", description="Market, such as residential")
    trials: int = Field(
        default=20,
        ge=1,
        description="Number of settings to try, the county's own first; an "
        "interrupted search resumes",
    )


class WhatIfParams(FrozenModel):
    """A property and its changed traits."""

    property_id: str = Field(description="Property on the county's roll")
    changes: Changes = Field(
        default_factory=dict,
        description="New values by trait, such as building_area_sqft=2400",
    )


def tune(context: PluginContext, params: TuneParams) -> list[dict[str, Any]]:
    """Trials of tree settings on the sales of a market, best first; changes nothing stored.

    The journal of trials is in the county's data folder, ``tune/<market>.jsonl``.

    Raises
    ------
    RunError
        The county has not been valued, or has no such market.
    ValuationError
        The market has too few sales.
    """
    from terrafusion_lib.plugins.valuation.workbench.open import markets_of
    from terrafusion_lib.plugins.valuation.workbench.tuning import tune as search

    markets = markets_of(context)
    if params.market not in markets:
        raise RunError(
            f"There is no market {params.market!r} with a model",
            county=context.county_id,
            examples=sorted(markets),
            hint=did_you_mean(params.market, markets),
        )
    trials = search(
        markets[params.market],
        trials=params.trials,
        journal=context.folder / f"{params.market}.jsonl",
        threads=context.threads,
        progress=context.progress,
    )
    return [
        {
            "mean_error_pct": round(100 * trial.error, 3),
            "cod": round(trial.cod, 3),
            "trees": trial.trees,
            "weight": trial.weight,
            **trial.settings.model_dump(),
        }
        for trial in trials
    ]


def what_if(context: PluginContext, params: WhatIfParams) -> list[dict[str, Any]]:
    """A property's value before and after the change, in dollars by line.

    Raises
    ------
    RunError
        The county has not been valued.
    ValuationError
        The property or a trait is unknown, or a trait value is impossible.
    """
    from terrafusion_lib.plugins.valuation.workbench.open import workbench_of

    if not params.changes:
        raise ConfigError(
            "what-if needs at least one change", hint="--changes building_area_sqft=2400"
        )
    bench = workbench_of(context)
    before = bench.appraise(params.property_id)
    after = bench.appraise(params.property_id, params.changes)
    rows = {
        "value": (before.value, after.value),
        "low": (before.low, after.low),
        "high": (before.high, after.high),
    } | {name: (value, after.lines[name]) for name, value in before.lines.items()}
    return [
        {"line": name, "as_it_is": old, "changed": new, "difference": new - old}
        for name, (old, new) in rows.items()
    ]
