"""Precision and recall of the screening of sales against the demo county's truth.

Generates a demo county, runs the main job to the load, screens its sales and compares the verdicts
with the truth file, which the product never reads.

    python benchmarks/sales_validation.py [--quick] [--data FOLDER]
"""

import argparse
from pathlib import Path

import duckdb
from demo_county import COUNTY, demo_county

from terrafusion_lib.core.settings import Settings
from terrafusion_lib.runs.runner import RunOptions, run_county


def compare(settings: Settings, run: dict) -> None:
    """Print the table of verdicts against the truth, of sales with a price."""
    truth = settings.data_path / COUNTY / "truth" / "sales.parquet"
    verdicts = Path(run["products"]["60_value"]) / "sales_validation.parquet"
    codes = Path(run["products"]["30_validate"]) / "accepted" / "sales.parquet"
    found = duckdb.sql(
        f"""
        SELECT verdict, decided_by, reasons, is_valid, truth.reason AS truth,
          coalesce(dor_valid, county_valid, false) AND coalesce(dor_valid, true)
            AND coalesce(county_valid, true) AS codes
        FROM '{verdicts}' AS screened
        JOIN '{codes}' AS sold USING (sale_id, property_id)
        JOIN '{truth}' AS truth
          ON truth.chg_of_owner_id = CAST(sale_id AS BIGINT)
          AND truth.prop_id = CAST(property_id AS BIGINT)
        WHERE screened.sale_price >= 1000
        """
    ).df()
    valid = found["is_valid"]
    print(f"{len(found):,} priced sales, {valid.sum():,} of them truly valid")
    used = found["verdict"].isin(["valid", "suspect"]) & (
        ~found["reasons"].fillna("").str.contains("codes say invalid|not at arm's")
    )
    for name, taken in (
        ("codes alone", found["codes"]),
        ("codes and deeds (used)", used),
        ("verdict valid, suspects seen apart", found["verdict"] == "valid"),
    ):
        right = (taken & valid).sum()
        print(f"{name:36} precision {right / taken.sum():.4f} recall {right / valid.sum():.4f}")
    suspect = found["verdict"] == "suspect"
    wrong = found["codes"] != valid
    print(
        f"suspect: {suspect.sum():,} ({suspect.mean():.1%}); {(suspect & wrong).sum():,} of "
        f"{wrong.sum():,} wrongly coded sales are among them or decided by the deed: "
        f"{((suspect | (found['decided_by'] == 'machine')) & wrong).sum():,}"
    )
    print(found[suspect].groupby(["reasons", "is_valid"]).size().to_string())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="3,000 parcels instead of 20,000")
    parser.add_argument("--data", type=Path, help="keep the county in this folder")
    asked = parser.parse_args()
    with demo_county(3_000 if asked.quick else 20_000, asked.data) as settings:
        compare(settings, run_county(COUNTY, RunOptions(), settings))


if __name__ == "__main__":
    main()
