"""The valuation engine: values, comparables and ratio studies of one county and year."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from terrafusion_lib.core.config import did_you_mean
from terrafusion_lib.core.errors import PluginError, ValuationError
from terrafusion_lib.plugins.api import (
    PluginContext,
    PluginResult,
)
from terrafusion_lib.plugins.valuation.model.markets import Market, fit_markets
from terrafusion_lib.plugins.valuation.model.saved_model import FILE_NAME, save_markets
from terrafusion_lib.plugins.valuation.model.trend import Levels
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.results import (
    coefficients_table,
    comparables_table,
    explanations_table,
    improvements_table,
    land_rates_table,
    leaderboard_table,
    market_index_table,
    sale_ratios_table,
    sales_completeness_table,
    sales_validation_table,
    statistics_table,
    valuations_table,
)
from terrafusion_lib.plugins.valuation.roll.appraise import Appraisal, appraise, trusted
from terrafusion_lib.plugins.valuation.roll.land import land_values
from terrafusion_lib.plugins.valuation.roll.roll_values import (
    RollValues,
    roll_values,
    structure_values,
)
from terrafusion_lib.plugins.valuation.sales.completeness import completeness
from terrafusion_lib.plugins.valuation.sales.prepare import (
    IMPROVEMENT_COLUMNS,
    PROPERTY_COLUMNS,
    SALES_COLUMNS,
    PreparedSales,
    prepare_sales,
)
from terrafusion_lib.plugins.valuation.sales.screened import screened
from terrafusion_lib.plugins.valuation.study.leaderboard import leaderboard
from terrafusion_lib.plugins.valuation.study.sales_chasing import chasing_rows, chasing_summary
from terrafusion_lib.plugins.valuation.study.studies import (
    APPRAISED,
    MODEL_HOLDOUT,
    Holdout,
    StudySales,
    appraised_sales,
    holdout,
)
from terrafusion_lib.plugins.valuation.subjects import (
    Origin,
    TextArray,
    numbers,
    properties_as_subjects,
    texts,
)
from terrafusion_lib.plugins.valuation.summary import summarize
from terrafusion_lib.stats.strata import FloatArray, IntArray
from terrafusion_lib.stats.study import StudyOptions

SALE_ORDER = [("sale_id", "ascending"), ("property_id", "ascending")]
IMPROVEMENT_ORDER = [("property_id", "ascending"), ("improvement_id", "ascending")]
"""Rows are processed in key order, so that values do not depend on their order."""


@dataclass(frozen=True)
class County:
    """A county's data in key order, with prepared sales."""

    context: PluginContext
    params: ValuationParams
    properties: pa.Table
    sales: pa.Table
    improvements: pa.Table
    prepared: PreparedSales
    subjects: IntArray

    @property
    def market_value(self) -> FloatArray:
        """The assessor's market values, US dollars, by property."""
        return numbers(self.properties, "current_market_value")

    @property
    def property_id(self) -> TextArray:
        """Ids of the properties to value."""
        return texts(self.properties, "property_id")[self.subjects]


def run(context: PluginContext, params: ValuationParams) -> PluginResult:
    """Value the county's properties: prepare, fit, appraise, study, report.

    One BLAS thread: sums then have a fixed order, and results do not depend on the number of
    processors. This costs little, because most of the work is array passes and trees.

    Raises
    ------
    ValuationError
        The county has no properties, or no property can be valued from its sales.
    PluginError
        A requested property is not on the roll.
    """
    with threadpool_limits(limits=1):
        county = _prepare(context, params)
        markets = fit_markets(
            county.prepared.market,
            params,
            context.seed,
            context.progress,
            threads=context.threads,
        )
        appraised, levels = _appraised(county, markets)
        appraisal = _appraise(county, markets, levels)
        tests = holdout(
            county.prepared,
            markets,
            trusted(markets, levels, params),
            params,
            seed=context.seed,
            threads=context.threads,
        )
        return _report(county, markets, appraisal, appraised, tests)


def _prepare(context: PluginContext, params: ValuationParams) -> County:
    properties = _properties(context)
    sales = context.read("sales", SALES_COLUMNS).sort_by(SALE_ORDER)
    units = properties_as_subjects(properties, context.valuation_date)
    return County(
        context=context,
        params=params,
        properties=properties,
        sales=sales,
        improvements=context.read("improvements", IMPROVEMENT_COLUMNS).sort_by(IMPROVEMENT_ORDER),
        prepared=prepare_sales(sales, properties, units, context.valuation_date, params),
        subjects=_subjects(properties, params.property_ids, context),
    )


def _appraised(county: County, markets: Mapping[str, Market]) -> tuple[StudySales, Levels]:
    """Sales for the study of the assessor's values, and the levels of appraisal for trending."""
    units = county.prepared.units
    appraised = appraised_sales(county.prepared, units, county.market_value, markets, county.params)
    before = appraised.take(
        appraised.sales.unit.day < 0
    )  # later sales test values and never affect one
    return appraised, Levels(before.value / before.price, before.property_type)


def _appraise(county: County, markets: Mapping[str, Market], levels: Levels) -> Appraisal:
    """Values of the requested properties.

    Raises
    ------
    ValuationError
        None can be valued.
    """
    appraisal = appraise(
        county.prepared.units.take(county.subjects),
        county.market_value[county.subjects],
        markets,
        levels,
        county.params,
        progress=county.context.progress,
        threads=county.context.threads,
    )
    _refuse_nothing(appraisal, county.prepared, county.context)
    return appraisal


def _report(
    county: County,
    markets: Mapping[str, Market],
    appraisal: Appraisal,
    appraised: StudySales,
    tests: Holdout,
) -> PluginResult:
    """Result tables, summary and the fitted markets."""
    context, params, prepared = county.context, county.params, county.prepared
    properties, property_id = county.properties, county.property_id
    options = _study_options(context, params)
    tested = tests.study(params)
    studied = {APPRAISED: appraised} | ({MODEL_HOLDOUT: tested} if tested else {})
    studies = {
        study: sales.statistics(study, options) for study, sales in studied.items() if len(sales)
    }
    chased = chasing_rows(appraised, properties, prepared.units.property_type, options)
    land = land_values(
        prepared.market,
        markets,
        numbers(properties, "land_value"),
        numbers(properties, "improvement_value"),
    )
    roll = roll_values(appraisal, land, properties.take(pa.array(county.subjects)), params)
    structures = structure_values(county.improvements, property_id, roll, params.round_to)
    rows = leaderboard(tests, county.market_value, params, seed=context.seed, options=options)
    screening = screened(county.sales, prepared, markets, params)
    return PluginResult(
        tables={
            "valuations": valuations_table(appraisal, roll, property_id, context),
            "valuation_comparables": comparables_table(appraisal, property_id, markets, context),
            "valuation_explanations": explanations_table(appraisal, property_id, context),
            "ratio_statistics": statistics_table([*studies.values(), chased], context),
            "sale_ratios": sale_ratios_table(studied, context),
            "model_leaderboard": leaderboard_table(rows, context),
            "model_coefficients": coefficients_table(markets, context),
            "sales_validation": sales_validation_table(county.sales, screening, context),
            "sales_completeness": sales_completeness_table(completeness(prepared.market), context),
            "market_index": market_index_table(markets, context),
            "land_rates": land_rates_table(land, context),
            "valuation_improvements": improvements_table(structures, context),
        },
        summary=summarize(
            appraisal, roll, prepared, markets, studies, holdout=tested, test=tests.test
        )
        | chasing_summary(chased)
        | _unknown_overrides(params, properties),
        files={FILE_NAME: lambda path: save_markets(path, markets, _about(context, properties))},
        job_values={"valuation_date": context.valuation_date}
        | _of_one(appraisal, roll, property_id),
    )


def _of_one(appraisal: Appraisal, roll: RollValues, property_id: TextArray) -> dict[str, object]:
    """Job columns for a single property."""
    if property_id.size != 1 or not np.isfinite(roll.value[0]):
        return {}
    return {
        "estimated_value": float(roll.value[0]),
        "confidence_score": float(appraisal.confidence[0]),
        "valuation_method_used": str(appraisal.method[0]),
    }


def _study_options(context: PluginContext, params: ValuationParams) -> StudyOptions:
    return StudyOptions(
        replicates=params.bootstrap_replicates,
        seed=context.seed,
        trimming=params.trimming,
        edition=params.ratio_edition,
        market=params.ratio_market,
    )


def _properties(context: PluginContext) -> pa.Table:
    properties = context.read("properties_operational", PROPERTY_COLUMNS)
    if properties.num_rows == 0:
        raise ValuationError(
            "There is no property to value",
            county=context.county_id,
            table="properties_operational",
            hint=f"terrafusion run {context.county_id} --to load",
        )
    return properties.sort_by("property_id")


def _unknown_overrides(params: ValuationParams, properties: pa.Table) -> dict[str, object]:
    """Overrides for properties that are not on the roll, for the run record."""
    overridden = sorted({override.property_id for override in params.overrides})
    known = set(texts(properties, "property_id").tolist()) if overridden else set()
    unknown = [name for name in overridden if name not in known]
    return {"overrides_on_unknown_properties": ", ".join(unknown)} if unknown else {}


def _about(context: PluginContext, properties: pa.Table) -> dict[str, str]:
    origin = Origin.of(properties)
    return {
        "latitude": repr(origin.latitude),
        "longitude": repr(origin.longitude),
        "run_id": context.run_id,
        "county_id": context.county_id,
        "valuation_date": context.valuation_date.isoformat(),
    }


def _subjects(
    properties: pa.Table, property_ids: Sequence[str], context: PluginContext
) -> IntArray:
    """Rows of the properties to value.

    Raises
    ------
    PluginError
        One of them is not on the roll.
    """
    if not property_ids:
        return np.arange(properties.num_rows)
    wanted = sorted(set(property_ids))
    rows = pc.index_in(pa.array(wanted, pa.string()), value_set=properties["property_id"])
    absent = [name for name, row in zip(wanted, rows.to_pylist(), strict=True) if row is None]
    if absent:
        raise PluginError(
            "The requested properties are not on the active roll",
            county=context.county_id,
            count=len(absent),
            examples=absent,
            hint=did_you_mean(absent[0], texts(properties, "property_id").tolist()),
        )
    return np.asarray(rows.to_numpy(zero_copy_only=False), dtype=np.int64)


def _refuse_nothing(made: Appraisal, prepared: PreparedSales, context: PluginContext) -> None:
    if np.isfinite(made.value).any():
        return
    raise ValuationError(
        f"No property can be valued from {len(prepared.market):,} valid sales "
        "before the valuation date",
        county=context.county_id,
        examples=[f"{count:,} {reason}" for reason, count in prepared.left_out.items()],
        cause="sales without validity codes, or too few recent ones",
        hint="set plugins.valuation.validity or max_sale_age_months in county.yaml",
    )
