"""Appraisals and studies as the result tables of the canonical schema."""

from collections.abc import Mapping

import pyarrow as pa

from terrafusion_lib.core.schema import RATIO_STATISTICS, VALUATION_COMPARABLES, VALUATIONS
from terrafusion_lib.plugins.base import PluginContext
from terrafusion_lib.plugins.valuation.appraise import Appraisal, Comparables
from terrafusion_lib.plugins.valuation.markets import Market
from terrafusion_lib.plugins.valuation.units import TextArray
from terrafusion_lib.stats.strata import FloatArray


def _number(values: FloatArray) -> pa.Array:
    return pa.array(values, pa.float64(), from_pandas=True)


def _constants(context: PluginContext, size: int) -> dict[str, pa.Array]:
    return {
        "run_id": pa.repeat(context.run_id, size),
        "county_id": pa.repeat(context.county_id, size),
    }


def valuations_table(made: Appraisal, property_id: TextArray, context: PluginContext) -> pa.Table:
    """One row per subject, sorted by property."""
    size = property_id.size
    columns = _constants(context, size) | {
        "property_id": pa.array(property_id, pa.string()),
        "assessment_year": pa.repeat(pa.scalar(context.assessment_year, pa.int64()), size),
        "valuation_date": pa.repeat(pa.scalar(context.valuation_date, pa.date32()), size),
        "estimated_value": _number(made.value),
        "low_value": _number(made.low),
        "high_value": _number(made.high),
        "confidence_score": _number(made.confidence),
        "valuation_method": pa.array(made.method, pa.string()),
        "comparables_used": pa.array(made.comparables_used, pa.int64()),
        "review_reasons": pa.array(made.review_reasons(), pa.string()),
        "not_valued_reason": pa.array(made.not_valued, pa.string()),
    }
    return pa.table(columns, schema=VALUATIONS.arrow_schema()).sort_by("property_id")


def comparables_table(
    made: Appraisal,
    property_id: TextArray,
    markets: Mapping[str, Market],
    context: PluginContext,
) -> pa.Table:
    """One row per subject and comparable, sorted by property and rank."""
    schema = VALUATION_COMPARABLES.arrow_schema()
    parts = [
        _comparables_part(part, property_id, markets[part.market], context)
        for part in made.comparables
    ]
    table = pa.concat_tables(parts) if parts else schema.empty_table()
    return table.sort_by([("property_id", "ascending"), ("rank", "ascending")])


def _comparables_part(
    part: Comparables, property_id: TextArray, market: Market, context: PluginContext
) -> pa.Table:
    sold = market.model.sales
    columns = _constants(context, part.subject.size) | {
        "property_id": pa.array(property_id[part.subject], pa.string()),
        "rank": pa.array(part.rank, pa.int64()),
        "sale_id": pa.array(sold.sale_id[part.sale], pa.string()),
        "comparable_property_id": pa.array(sold.property_id[part.sale], pa.string()),
        "sale_date": pa.array(sold.sale_date[part.sale], pa.date32()),
        "sale_price": _number(sold.price[part.sale]),
        "distance_feet": _number(part.distance_feet),
        "similarity": _number(part.similarity),
        "net_adjustment_pct": _number(part.net_percent),
        "gross_adjustment_pct": _number(part.gross_percent),
        "adjusted_price": _number(part.adjusted_price),
        "weight": _number(part.weight),
    }
    return pa.table(columns, schema=VALUATION_COMPARABLES.arrow_schema())


def statistics_table(studies: list[dict[str, list[object]]], context: PluginContext) -> pa.Table:
    """All studies in one table, in the order of the studies."""
    schema = RATIO_STATISTICS.arrow_schema()
    tables = []
    for columns in studies:
        size = len(columns["study"])
        whole: dict[str, object] = {**_constants(context, size), **columns}
        tables.append(pa.table({name: whole[name] for name in schema.names}, schema=schema))
    return pa.concat_tables(tables) if tables else schema.empty_table()
