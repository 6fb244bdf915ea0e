"""Indicators of sales chasing in the assessor's values, for the county and each property type."""

import numpy as np
import pyarrow as pa

from terrafusion_lib.plugins.valuation.study.studies import APPRAISED, StudySales
from terrafusion_lib.plugins.valuation.subjects import TextArray, numbers
from terrafusion_lib.stats.chasing import (
    LATER_COD,
    PRICE_BUNCHING,
    SOLD_UNSOLD_CHANGE,
    Signal,
    later_cod,
    price_bunching,
    sold_unsold_change,
)
from terrafusion_lib.stats.standards import NOT_MET
from terrafusion_lib.stats.strata import BoolArray, FloatArray
from terrafusion_lib.stats.study import (
    ALL,
    COLUMNS,
    OVERALL,
    PROPERTY_TYPE,
    StudyOptions,
    signal_rows,
)


def chasing_rows(
    appraised: StudySales, properties: pa.Table, property_type: TextArray, options: StudyOptions
) -> dict[str, list[object]]:
    """Indicators as rows of the study of the assessor's values.

    Parameters
    ----------
    appraised : StudySales
        Sales of the study; those before the valuation date were known when values were set.
    properties : Table
        The roll with ``current_market_value``, ``prior_market_value`` and
        ``new_construction_value``; `property_type` of its rows.
    """
    change, sold = _changes(appraised, properties, property_type)
    kinds = sorted(set(appraised.property_type.astype(str).tolist()))
    strata = [(OVERALL, ALL, None), *((PROPERTY_TYPE, kind, kind) for kind in kinds)]
    rows: dict[str, list[object]] = {name: [] for name in COLUMNS}
    for grouping, stratum, kind in strata:
        of_kind = np.ones(len(appraised), dtype=np.bool_)
        on_roll = np.isfinite(change)
        if kind is not None:
            of_kind = np.asarray(appraised.property_type == kind)
            on_roll &= property_type == kind
        signals = _signals(appraised.take(of_kind), change[on_roll], sold[on_roll], options)
        for name, items in signal_rows(APPRAISED, grouping, stratum, signals, options).items():
            rows[name] += items
    return rows


def chasing_summary(rows: dict[str, list[object]]) -> dict[str, object]:
    """Indicators beyond their limits, for the run record; empty if none."""
    beyond = [
        f"{stratum}: {statistic} {estimate:.2f}"
        for stratum, statistic, estimate, verdict in zip(
            rows["stratum"], rows["statistic"], rows["estimate"], rows["verdict"], strict=True
        )
        if verdict == NOT_MET
    ]
    return {"sales_chasing_signals": "; ".join(beyond)} if beyond else {}


def _signals(
    appraised: StudySales, change: FloatArray, sold: BoolArray, options: StudyOptions
) -> dict[str, tuple[int, *Signal]]:
    early = appraised.sales.unit.day < 0
    before, after = appraised.take(early), appraised.take(~early)
    return {
        PRICE_BUNCHING: (
            len(before),
            *price_bunching(before.value, before.sales.price, confidence=options.confidence),
        ),
        SOLD_UNSOLD_CHANGE: (
            int(sold.sum()),
            *sold_unsold_change(change[sold], change[~sold], confidence=options.confidence),
        ),
        LATER_COD: (
            len(after),
            *later_cod(
                (before.value, before.price),
                (after.value, after.price),
                replicates=options.replicates,
                seed=options.seed,
                confidence=options.confidence,
            ),
        ),
    }


def _changes(
    appraised: StudySales, properties: pa.Table, property_type: TextArray
) -> tuple[FloatArray, BoolArray]:
    """Value change of every property relative to unsold ones of its type, and which were sold. NaN
    with new construction, and for properties sold only after the valuation date.
    """
    now, prior = (numbers(properties, f"{name}_market_value") for name in ("current", "prior"))
    built = numbers(properties, "new_construction_value") > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.where((now > 0) & (prior > 0) & ~built, now / prior, np.nan)
    sold = np.zeros(change.size, dtype=np.bool_)
    early = appraised.sales.unit.day < 0
    change[
        np.setdiff1d(appraised.sales.unit.parcel[~early], appraised.sales.unit.parcel[early])
    ] = np.nan
    sold[appraised.sales.unit.parcel[early]] = True
    for kind in set(property_type.astype(str).tolist()):
        rows = property_type == kind
        unsold = change[rows & ~sold & np.isfinite(change)]
        change[rows] -= np.median(unsold) - 1 if unsold.size else np.nan
    return change, sold
