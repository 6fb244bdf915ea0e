"""The valuation plugin: values, comparables and ratio studies of one county and year."""

from pathlib import Path
from typing import Any

from terrafusion_lib.core.tables import Column, Kind
from terrafusion_lib.plugins.api import (
    PROP_FAIL_SIMULATION,
    SIMULATED_FAILURE,
    Action,
    Plugin,
    PluginContext,
    PluginResult,
    PluginRunError,
    StepSpec,
)
from terrafusion_lib.plugins.valuation.actions import TuneParams, WhatIfParams, tune, what_if
from terrafusion_lib.plugins.valuation.facts import FACTS
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.tables import TABLES


class ValuationPlugin(Plugin):
    """Values every active property of a county."""

    name = "valuation"
    title = "Value every property, with comparables, explanations and the ratio study"
    permissions = ("valuation:run",)
    Params = ValuationParams
    tables = TABLES
    facts = FACTS
    job_columns = (
        Column("property_id", Kind.TEXT, "Property valued, if only one"),
        Column("valuation_method_hint", Kind.TEXT, "Requested method"),
        Column("estimated_value", Kind.NUMBER, "Its value, US dollars"),
        Column("confidence_score", Kind.NUMBER, "0 to 1"),
        Column("valuation_method_used", Kind.TEXT, "Method of its value"),
        Column("comparables_used_json", Kind.TEXT, "Its comparable sales, JSON list"),
        Column("valuation_date", Kind.DATE, "Valuation date"),
    )
    migrations = Path(__file__).parent / "migrations"
    steps = (
        StepSpec(
            "60_value",
            "Value every property",
            ("40_load",),
            plugin="valuation",
            by_value=("terrafusion_lib.plugins.valuation.actions",),
            early=("pandas", "lightgbm", "scipy.stats", "statsmodels.api"),
        ),
    )
    actions = (
        Action(
            "tune",
            "Find the boosted-tree settings that value unseen sales best",
            TuneParams,
            tune,
            permissions=("valuation:run",),
        ),
        Action(
            "what-if",
            "Value a property as if its traits were different",
            WhatIfParams,
            what_if,
            permissions=("valuation:view",),
        ),
    )
    notebook = "60_value"
    published_in = "valuations"

    def run(self, context: PluginContext, params: ValuationParams) -> PluginResult:
        """Value the county's properties.

        Returns
        -------
        PluginResult
            Tables of `tables`; the fitted markets as a file (``saved_model``).

        Raises
        ------
        PluginRunError
            The simulated failure was requested.
        ValuationError
            The county has no properties, or no property can be valued from its sales.
        PluginError
            A requested property is not on the roll.
        """
        from terrafusion_lib.plugins.valuation.engine import run

        if PROP_FAIL_SIMULATION in params.property_ids:
            raise PluginRunError(
                f"Valuation failed on purpose: {PROP_FAIL_SIMULATION} was among the properties",
                reason_code=SIMULATED_FAILURE,
                county=context.county_id,
            )
        return run(context, params)

    def job_values(self, params: ValuationParams) -> dict[str, Any]:
        """The property, if the job values only one."""
        ids = params.property_ids
        return {"property_id": ids[0]} if len(ids) == 1 else {}


plugin = ValuationPlugin()
