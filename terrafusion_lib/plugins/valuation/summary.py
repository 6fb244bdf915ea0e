"""A valuation's summary for the run record: flat, rounded, in standard terms."""

from collections.abc import Mapping

import numpy as np

from terrafusion_lib.plugins.valuation.model.markets import Market
from terrafusion_lib.plugins.valuation.roll.appraise import Appraisal
from terrafusion_lib.plugins.valuation.roll.roll_values import RollValues
from terrafusion_lib.plugins.valuation.sales.prepare import PreparedSales
from terrafusion_lib.plugins.valuation.study.studies import StudySales
from terrafusion_lib.stats.study import OVERALL

HEADLINES = {"median_ratio": 3, "cod": 2, "prd": 3, "prb": 3}


def summarize(
    made: Appraisal,
    roll: RollValues,
    prepared: PreparedSales,
    markets: Mapping[str, Market],
    studies: Mapping[str, dict[str, list[object]]],
    *,
    holdout: StudySales | None,
    test: str,
) -> dict[str, object]:
    """Counts of properties and sales, and the headline statistics of each study."""
    valued = np.isfinite(made.value)
    methods, counts = np.unique(made.method[valued].astype(str), return_counts=True)
    summary: dict[str, object] = {
        "properties": int(valued.size),
        "valued": int(valued.sum()),
        "not_valued": int((~valued).sum()),
        "to_review": sum(reason is not None for reason in made.review_reasons().tolist()),
        "mean_confidence": round(float(made.confidence[valued].mean()), 3),
    }
    summary |= {
        f"valued_by_{name}": int(count) for name, count in zip(methods, counts, strict=True)
    }
    steps, changed = np.unique(
        [step for trail in roll.trail.tolist() if trail for step in trail.split(",")],
        return_counts=True,
    )
    summary |= {f"roll_{name}": int(count) for name, count in zip(steps, changed, strict=True)}
    summary |= {
        "validity_rule": prepared.codes_used,
        "market_sales": len(prepared.market),
        "market_outliers": sum(market.model.outliers for market in markets.values()),
        "sales_after_valuation_date": len(prepared.later),
    }
    summary |= {f"sales_{name}": count for name, count in prepared.left_out.items()}
    if prepared.evidence.unknown_decisions:
        summary["decisions_on_unknown_sales"] = ", ".join(prepared.evidence.unknown_decisions)
    for name, market in markets.items():
        summary[f"accuracy_{name}"] = round(market.uncertainty.accuracy, 3)
        summary[f"equity_stretch_{name}"] = market.ensemble.calibration.stretch
    for study, columns in studies.items():
        summary |= _headlines(study, columns)
    if holdout is not None and len(holdout):
        summary["model_holdout_test"] = test
        summary["model_holdout_interval_coverage"] = round(float(holdout.covered.mean()), 3)
    return summary


def _headlines(study: str, columns: dict[str, list[object]]) -> dict[str, object]:
    headlines: dict[str, object] = {}
    rows = zip(
        *(columns[name] for name in ("grouping", "statistic", "n", "estimate", "verdict")),
        strict=True,
    )
    for grouping, statistic, n, estimate, verdict in rows:
        if grouping != OVERALL or statistic not in HEADLINES:
            continue
        headlines[f"{study}_sales"] = n
        if isinstance(estimate, float):
            headlines[f"{study}_{statistic}"] = round(estimate, HEADLINES[str(statistic)])
        if verdict is not None:
            headlines[f"{study}_{statistic}_verdict"] = verdict
    return headlines
