"""A whole county trained, valued and explained: time, memory, error against truth, coverage.

Generates a demo county, brings it to the operational store, and runs the valuation on it: every
parcel with value, interval, comparables and SHAP values in dollars. The truth file, which the
product never reads, tells the error.

    python benchmarks/valuation_demo.py [--quick] [--data FOLDER] [--threads 2]
"""

import argparse
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
from demo_county import COUNTY, demo_county
from resident import peak_mb

from terrafusion_lib.core.settings import Settings
from terrafusion_lib.plugins.api import PluginContext, PluginResult
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.plugin import plugin
from terrafusion_lib.runs.runner import RunOptions, run_county
from terrafusion_lib.store.store import open_store

YEAR = 2026


def value(settings: Settings, threads: int) -> PluginResult:
    with open_store(settings.operational_database_url) as store:

        def read(table: str, columns: Sequence[str] | None = None) -> pa.Table:
            return store.read(table, county_id=COUNTY, columns=columns)

        context = PluginContext(
            county_id=COUNTY,
            assessment_year=YEAR,
            valuation_date=date(YEAR, 1, 1),
            run_id="benchmark",
            read=read,
            threads=threads,
        )
        return plugin.run(context, ValuationParams())


def report(result: PluginResult, truth: Path) -> None:
    valued = result.tables["valuations"]  # noqa: F841 - read by DuckDB
    ratios = result.tables["sale_ratios"]  # noqa: F841 - read by DuckDB
    rows = duckdb.sql(
        f"""
        SELECT coalesce(valuation_method, 'not valued') AS method, count(*) AS parcels,
          100 * median(abs(estimated_value / market_value - 1)) AS median_error_pct,
          median(estimated_value / market_value) AS median_ratio,
          100 * avg(CAST(abs(estimated_value / market_value - 1) <= 0.1 AS INT)) AS within_10_pct,
          100 * avg(CAST(market_value BETWEEN low_value AND high_value AS INT)) AS truth_inside_pct
        FROM valued JOIN '{truth}' AS truth
          ON truth.prop_id = CAST(property_id AS BIGINT) AND value_date = DATE '{YEAR}-01-01'
        WHERE market_value > 0
        GROUP BY ROLLUP (1) ORDER BY parcels DESC
        """
    )
    print(rows.df().round(3).to_string(index=False))
    (covered,) = duckdb.sql(
        "SELECT count(*) AS sales, avg(CAST(in_interval AS INT)) AS share FROM ratios "
        "WHERE study = 'model_holdout' AND in_interval IS NOT NULL"
    ).fetchall()
    print(f"90 % intervals cover {covered[1]:.1%} of {covered[0]:,} sales that no model had seen")
    for name in ("model_holdout_median_ratio", "model_holdout_cod", "model_holdout_prb"):
        print(f"{name} {result.summary.get(name)}")
    explained, compared = (
        result.tables[name].num_rows for name in ("valuation_explanations", "valuation_comparables")
    )
    print(f"SHAP in dollars for {explained:,} parcels, {compared:,} comparables")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="5,000 parcels instead of 80,000")
    parser.add_argument("--data", type=Path, help="keep the county in this folder")
    parser.add_argument("--threads", type=int, default=2)
    asked = parser.parse_args()
    with demo_county(5_000 if asked.quick else 80_000, asked.data) as settings:
        run_county(COUNTY, RunOptions(last="40_load"), settings)
        before = peak_mb()
        started = time.perf_counter()
        result = value(settings, asked.threads)
        seconds = time.perf_counter() - started
        peak = peak_mb()
        print(f"read, trained, valued, explained in {seconds:.1f} s on {asked.threads} threads; ")
        print(f"peak memory {peak:,.0f} MB ({before:,.0f} MB before)")
        report(result, settings.data_path / COUNTY / "truth" / "property_values.parquet")


if __name__ == "__main__":
    main()
