"""Appraisals and studies as the result tables of the canonical schema."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from terrafusion_lib.plugins.api import PluginContext
from terrafusion_lib.plugins.valuation.model.explain import LINES
from terrafusion_lib.plugins.valuation.model.market_index import MarketIndex, market_index
from terrafusion_lib.plugins.valuation.model.markets import Market
from terrafusion_lib.plugins.valuation.model.ordinary_regression import ordinary_regression
from terrafusion_lib.plugins.valuation.roll.appraise import Appraisal, Comparables
from terrafusion_lib.plugins.valuation.roll.land import LandValues, rate_table
from terrafusion_lib.plugins.valuation.roll.roll_values import OVERRIDE, RollValues
from terrafusion_lib.plugins.valuation.sales.completeness import Completeness
from terrafusion_lib.plugins.valuation.sales.screening import Screening
from terrafusion_lib.plugins.valuation.study.studies import StudySales
from terrafusion_lib.plugins.valuation.subjects import TextArray, absent
from terrafusion_lib.plugins.valuation.tables import (
    LAND_RATES,
    MARKET_INDEX,
    MODEL_COEFFICIENTS,
    MODEL_LEADERBOARD,
    RATIO_STATISTICS,
    SALE_RATIOS,
    SALES_COMPLETENESS,
    SALES_VALIDATION,
    VALUATION_COMPARABLES,
    VALUATION_EXPLANATIONS,
    VALUATION_IMPROVEMENTS,
    VALUATIONS,
)
from terrafusion_lib.stats.strata import FloatArray


def _number(values: FloatArray) -> pa.Array:
    return pa.array(values, pa.float64(), from_pandas=True)


def _constants(context: PluginContext, size: int) -> dict[str, pa.Array]:
    return {
        "run_id": pa.repeat(context.run_id, size),
        "county_id": pa.repeat(context.county_id, size),
    }


def valuations_table(
    made: Appraisal, roll: RollValues, property_id: TextArray, context: PluginContext
) -> pa.Table:
    """One row per subject, sorted by property."""
    size = property_id.size
    columns = _constants(context, size) | {
        "property_id": pa.array(property_id, pa.string()),
        "assessment_year": pa.repeat(pa.scalar(context.assessment_year, pa.int64()), size),
        "valuation_date": pa.repeat(pa.scalar(context.valuation_date, pa.date32()), size),
        "estimated_value": _number(roll.value),
        "land_value": _number(roll.land),
        "improvement_value": _number(roll.improvement),
        "model_value": _number(made.model_value()),
        "comparable_value": _number(made.comparable_value),
        "low_value": _number(made.low),
        "high_value": _number(made.high),
        "confidence_score": _number(made.confidence),
        "valuation_method": pa.array(
            np.where(absent(roll.override), made.method, OVERRIDE), pa.string()
        ),
        "post_processing": pa.array(roll.trail, pa.string()),
        "override_reason": pa.array(roll.override, pa.string()),
        "comparables_used": pa.array(made.comparables_used, pa.int64()),
        "review_reasons": pa.array(made.review_reasons(), pa.string()),
        "not_valued_reason": pa.array(
            made.not_valued, pa.string(), mask=np.isfinite(roll.value) | absent(made.not_valued)
        ),
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
        "indicated_value": _number(part.indicated_value),
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


def explanations_table(made: Appraisal, property_id: TextArray, context: PluginContext) -> pa.Table:
    """One row per subject valued by a model, sorted by property."""
    rows = np.flatnonzero(np.isfinite(made.base))
    columns = _constants(context, rows.size) | {
        "property_id": pa.array(property_id[rows], pa.string()),
        "base_value": _number(made.base[rows]),
        "model_value": _number(made.base[rows] + made.lines[rows].sum(axis=1)),
    }
    columns |= {line: _number(made.lines[rows, number]) for number, line in enumerate(LINES)}
    schema = VALUATION_EXPLANATIONS.arrow_schema()
    return pa.table(columns).select(schema.names).cast(schema).sort_by("property_id")


def sale_ratios_table(studies: Mapping[str, StudySales], context: PluginContext) -> pa.Table:
    """One row per study and sale, sorted by study, sale and property."""
    schema = SALE_RATIOS.arrow_schema()
    tables = [schema.empty_table()]
    for study, sales in studies.items():
        sold = sales.sales
        columns = _constants(context, len(sales)) | {
            "study": pa.repeat(study, len(sales)),
            "sale_id": pa.array(sold.sale_id, pa.string()),
            "property_id": pa.array(sold.property_id, pa.string()),
            "property_type": pa.array(sold.unit.property_type, pa.string()),
            "neighborhood_code": pa.array(sold.unit.neighborhood, pa.string()),
            "sale_date": pa.array(sold.sale_date, pa.date32()),
            "sale_price": _number(sold.price),
            "adjusted_price": _number(sales.price),
            "studied_value": _number(sales.value),
            "ratio": _number(sales.value / sales.price),
            "in_interval": pa.array(sales.covered == 1, pa.bool_(), mask=np.isnan(sales.covered)),
        }
        tables.append(pa.table(columns, schema=schema))
    keys = ("study", "sale_id", "property_id")
    return pa.concat_tables(tables).sort_by([(key, "ascending") for key in keys])


def leaderboard_table(rows: Sequence[dict[str, object]], context: PluginContext) -> pa.Table:
    """The leaderboard's rows, in order."""
    ours: dict[str, object] = {"run_id": context.run_id, "county_id": context.county_id}
    return pa.Table.from_pylist(
        [ours | row for row in rows], schema=MODEL_LEADERBOARD.arrow_schema()
    )


def coefficients_table(markets: Mapping[str, Market], context: PluginContext) -> pa.Table:
    """Terms of every market's textbook regression, by market, in order."""
    schema = MODEL_COEFFICIENTS.arrow_schema()
    tables = [schema.empty_table()]
    for name, market in markets.items():
        fitted = ordinary_regression(market.sales)
        expected = np.array(fitted.expected_signs())
        size = expected.size
        columns = _constants(context, size) | {
            "market": pa.repeat(name, size),
            "term": pa.array(fitted.terms, pa.string()),
            "coefficient": _number(fitted.coefficients),
            "std_error": _number(fitted.std_error),
            "t_value": _number(fitted.coefficients / fitted.std_error),
            "p_value": _number(fitted.p_value),
            "vif": _number(fitted.vif),
            "expected_sign": pa.array(expected, pa.int64()),
            "sign_as_expected": pa.array(
                np.sign(fitted.coefficients) == expected, pa.bool_(), mask=expected == 0
            ),
        }
        tables.append(pa.table(columns, schema=schema))
    return pa.concat_tables(tables)


def market_index_table(markets: Mapping[str, Market], context: PluginContext) -> pa.Table:
    """The index of every market, by market, area and month."""
    schema = MARKET_INDEX.arrow_schema()
    tables = [schema.empty_table()]
    for market in markets.values():
        index = market_index(market, context.valuation_date)
        if index is None:
            continue
        columns = _monthly(index, context) | {
            "market": pa.repeat(index.market, index.index.size),
            "price_level": _number(index.index),
        }
        tables.append(pa.table(columns).select(schema.names).cast(schema))
    return pa.concat_tables(tables)


def land_rates_table(land: LandValues, context: PluginContext) -> pa.Table:
    """Rate tables of every method."""
    rows = [
        {"run_id": context.run_id, "county_id": context.county_id}
        | {"published": method.name == land.published}
        | row
        for method in land.methods
        for row in rate_table(method)
    ]
    return pa.Table.from_pylist(rows, schema=LAND_RATES.arrow_schema())


def improvements_table(parts: pa.Table, context: PluginContext) -> pa.Table:
    """Parts of improvement values (``postprocess.structure_values``)."""
    schema = VALUATION_IMPROVEMENTS.arrow_schema()
    columns = _constants(context, parts.num_rows) | dict(
        zip(parts.column_names, parts.columns, strict=True)
    )
    return pa.table(columns).select(schema.names).cast(schema)


def sales_validation_table(sales: pa.Table, found: Screening, context: PluginContext) -> pa.Table:
    """The verdict on every sale, by sale and property."""
    columns = _constants(context, sales.num_rows) | {
        "sale_id": sales["sale_id"],
        "property_id": sales["property_id"],
        "sale_date": sales["sale_date"],
        "sale_price": sales["sale_price"],
        "verdict": pa.array(found.verdict, pa.string()),
        "decided_by": pa.array(found.decided_by, pa.string()),
        "reasons": pa.array(found.reasons, pa.string()),
        "wac_numeral": pa.array(found.numeral, pa.string()),
        "outlier_score": _number(found.score),
        "model_ratio": _number(found.model_ratio),
    }
    table = pa.table(columns, schema=SALES_VALIDATION.arrow_schema())
    return table.sort_by([("sale_id", "ascending"), ("property_id", "ascending")])


def sales_completeness_table(found: Completeness, context: PluginContext) -> pa.Table:
    """Sales by area and month."""
    schema = SALES_COMPLETENESS.arrow_schema()
    columns = _monthly(found, context) | {
        "expected": _number(found.expected),
        "alarm": pa.array(found.alarm, pa.bool_()),
    }
    return pa.table(columns).select(schema.names).cast(schema)


def _monthly(found: MarketIndex | Completeness, context: PluginContext) -> dict[str, pa.Array]:
    """Columns of results by area and month."""
    return _constants(context, found.sales.size) | {
        "area": pa.array(found.area, pa.string()),
        "month": pa.array(found.month, pa.date32()),
        "sales": pa.array(found.sales, pa.int64()),
        "low": _number(found.low),
        "high": _number(found.high),
    }
