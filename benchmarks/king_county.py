"""Accuracy of the valuation on real sales of King County, out of sample, beside plain baselines.

Reads ``kc_house_data.csv`` of TERRAFUSION_DATA (default ``../shared/data``), shapes it like the
canonical tables and scores each method against the raw sale price, untrimmed, on fixed splits:
*time*, sold before 2015-03-01 against the rest; *random*, one fifth drawn by
``numpy.random.default_rng(0).permutation`` from the sales sorted by date and id. No parameter was
chosen on a test row.

    python benchmarks/king_county.py [--quick] [--split time|random] [--front]
"""

import argparse
import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from resident import peak_mb
from threadpoolctl import threadpool_limits

from terrafusion_lib.core.schema import PROPERTIES, SALES
from terrafusion_lib.plugins.valuation.model.equity import calibrate
from terrafusion_lib.plugins.valuation.model.market_model import fit
from terrafusion_lib.plugins.valuation.model.markets import Market, fit_markets
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.sales.prepare import prepare_sales
from terrafusion_lib.plugins.valuation.subjects import Sales, properties_as_subjects
from terrafusion_lib.stats import ratio

ROOT = Path(__file__).resolve().parents[1]
SPLIT_DATE = pd.Timestamp("2015-03-01")
CLASSIC = ValuationParams(carry_over=1.0)
ACCURATE = ValuationParams(equity=0.0)


def read_sales() -> pd.DataFrame:
    folder = Path(os.environ.get("TERRAFUSION_DATA", ROOT.parent / "shared" / "data"))
    path = folder / "kc_house_data.csv"
    if not path.is_file():
        sys.exit(f"{path} is absent: set TERRAFUSION_DATA to the folder that holds it")
    frame = pd.read_csv(path, dtype={"id": str, "zipcode": str})
    frame["id"] = frame["id"].str.zfill(10)
    frame["sold"] = pd.to_datetime(frame["date"].str[:8], format="%Y%m%d")
    return frame.sort_values(["sold", "id"], kind="stable").reset_index(drop=True)


def splits(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Mask of the test rows of each split."""
    drawn = np.zeros(len(frame), dtype=bool)
    drawn[np.random.default_rng(0).permutation(len(frame))[: round(0.2 * len(frame))]] = True
    return {"time": (frame["sold"] >= SPLIT_DATE).to_numpy(), "random": drawn}


def canonical(frame: pd.DataFrame) -> tuple[pa.Table, pa.Table]:
    """Properties and sales in canonical columns; a parcel sold twice is one property."""
    renovated = frame["yr_renovated"].where(frame["yr_renovated"] > 0, frame["yr_built"])
    traits = pd.DataFrame(
        {
            "county_id": "king_wa",
            "property_id": frame["id"],
            "property_type": "residential",
            "neighborhood_code": frame["zipcode"],
            "building_area_sqft": frame["sqft_living"].astype(float),
            "land_area_sqft": frame["sqft_lot"].astype(float),
            "basement_area_sqft": frame["sqft_basement"].astype(float),
            "year_built": frame["yr_built"],
            "effective_year_built": renovated,
            "stories": frame["floors"].astype(float),
            "bedrooms": frame["bedrooms"].astype(float),
            "bathrooms": frame["bathrooms"].astype(float),
            "quality": frame["grade"].astype(float),
            "condition": frame["condition"].astype(float),
            "view_rating": frame["view"],
            "is_waterfront": frame["waterfront"] == 1,
        }
    )
    sales = traits.assign(
        sale_id=frame.index.astype(str),
        sale_date=frame["sold"].dt.date,
        sale_price=frame["price"].astype(float),
        parcel_count=1,
    )
    places = traits.assign(latitude=frame["lat"], longitude=frame["long"])
    return (
        as_table(places.drop_duplicates("property_id", keep="last"), PROPERTIES.arrow_schema()),
        as_table(sales, SALES.arrow_schema()),
    )


def as_table(frame: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    columns = {
        field.name: pa.array(frame[field.name], field.type, from_pandas=True)
        if field.name in frame
        else pa.nulls(len(frame), field.type)
        for field in schema
    }
    return pa.table(columns)


def as_sales(frame: pd.DataFrame) -> Sales:
    """All sales, in the order of `frame`."""
    properties, sales = canonical(frame)
    valuation_date = date(2016, 1, 1)  # after the last sale, so that none is set apart
    units = properties_as_subjects(properties, valuation_date)
    found = prepare_sales(sales, properties, units, valuation_date, ValuationParams()).market
    return found.take(np.argsort(found.sale_id.astype(int)))


def score(split: str, name: str, value: np.ndarray, price: np.ndarray, seconds: float) -> None:
    error = np.abs(value / price - 1)
    residual = ((price - value) ** 2).sum() / ((price - price.mean()) ** 2).sum()
    print(
        f"{split:7} {name:44} {ratio.median_ratio(value, price):.3f} "
        f"{ratio.cod(value, price):6.2f} {ratio.prd(value, price):6.3f} "
        f"{ratio.prb(value, price):+7.3f} {100 * np.median(error):6.2f} {1 - residual:6.3f} "
        f"{seconds:6.2f}"
    )


def median_by_zip(frame: pd.DataFrame, test: np.ndarray) -> np.ndarray:
    rate = frame["price"] / frame["sqft_living"]
    by_zip = rate[~test].groupby(frame["zipcode"][~test]).median()
    rates = frame["zipcode"][test].map(by_zip).fillna(rate[~test].median())
    return (rates * frame["sqft_living"][test]).to_numpy()


def least_squares(frame: pd.DataFrame, test: np.ndarray) -> np.ndarray:
    columns = pd.DataFrame(
        {
            "living": np.log(frame["sqft_living"]),
            "lot": np.log(frame["sqft_lot"]),
            "age": 2015 - frame["yr_built"],
            "day": (frame["sold"] - SPLIT_DATE).dt.days,
        }
    ).join(frame[["grade", "condition", "bathrooms", "bedrooms", "floors", "view", "waterfront"]])
    matrix = np.column_stack(
        [columns.to_numpy(float), pd.get_dummies(frame["zipcode"]).to_numpy(float)]
    )
    fitted = np.linalg.lstsq(matrix[~test], np.log(frame["price"][~test]), rcond=None)[0]
    return np.exp(matrix[test] @ fitted)


def valued(sales: Sales, test: np.ndarray, params: ValuationParams) -> np.ndarray:
    return fit(sales.take(~test), params).predict(sales.unit.take(test)).value


def fitted(sales: Sales, test: np.ndarray, params: ValuationParams) -> Market:
    """The market as the product fits it: comparables, trees, calibration, uncertainty."""
    return fit_markets(sales.take(~test), params, seed=0)["residential"]


def coverage(
    split: str, sales: Sales, test: np.ndarray, market: Market, frame: pd.DataFrame
) -> None:
    prediction = market.predict(sales.unit.take(test))
    low, high = market.uncertainty.interval(sales.unit.take(test), prediction, 0.9)
    price = sales.price[test]
    confidence = market.uncertainty.confidence(sales.unit.take(test), prediction)
    near = np.abs(np.log(price / prediction.value)) <= np.log(1.2)
    print(
        f"{split:7} 90 % intervals cover {np.mean((price >= low) & (price <= high)):.1%}; "
        f"mean confidence {confidence.mean():.2f}, within 20 %: {near.mean():.2f}; "
        + ", ".join(
            f"confidence {first:.1f}-{first + 0.1:.1f}: {near[rows].mean():.2f} of {rows.sum():,}"
            for first in (0.5, 0.6, 0.7, 0.8, 0.9)
            if (rows := (confidence >= first) & (confidence < first + 0.1)).sum() > 20
        )
    )
    inside = (price >= low) & (price <= high)
    strata = {
        "built before 1941": frame["yr_built"] < 1941,
        "built since 2000": frame["yr_built"] >= 2000,
        "grade 6 or less": frame["grade"] <= 6,
        "grade 10 or more": frame["grade"] >= 10,
    }
    print(
        f"{split:7} coverage: "
        + ", ".join(f"{name} {inside[rows].mean():.1%}" for name, rows in strata.items())
    )


def front(split: str, sales: Sales, test: np.ndarray, market: Market) -> None:
    """Accuracy against equity: how much of the bias of unseen sales the calibration removes."""
    raw = market.ensemble.calibration.undo(np.log(market.predict(sales.unit.take(test)).value))
    learned, price = market.out_of_fold.log_value, market.sales.price
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        found = calibrate(learned, price, share, outlier_deviations=5)
        name = f"equity {share:.2f} (stretch {100 * found.stretch:.1f} %)"
        score(split, name, np.exp(found.apply(raw)), sales.price[test], 0.0)


def by_itself(split: str, frame: pd.DataFrame, sales: Sales) -> None:
    """Fit and predict once, in a process that did nothing else."""
    test = splits(frame)[split]
    started = time.perf_counter()
    fitted(sales, test, ValuationParams()).predict(sales.unit.take(test))
    seconds = time.perf_counter() - started
    peak = peak_mb()
    print(f"{split:7} in a process of its own: fit and predict {seconds:.1f} s, {peak:,.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="random split, no intervals")
    parser.add_argument("--split", choices=("time", "random"))
    parser.add_argument("--front", action="store_true", help="show accuracy against equity")
    parser.add_argument("--alone", action="store_true", help="fit and predict once, with memory")
    asked = parser.parse_args()
    frame = read_sales()
    sales = as_sales(frame)
    if asked.alone:
        by_itself(asked.split or "random", frame, sales)
        return
    print(f"{'split':7} {'method':44} median   COD    PRD     PRB  MdAPE     R2 seconds")
    for split, test in splits(frame).items():
        if split != (asked.split or ("random" if asked.quick else split)):
            continue
        price = frame["price"].to_numpy(float)[test]
        methods = {
            "median $/sqft of the ZIP": lambda test=test: median_by_zip(frame, test),
            "least squares, log-linear, ZIP effects": lambda test=test: least_squares(frame, test),
            "comparables, classic grid": lambda test=test: valued(sales, test, CLASSIC),
            "comparables alone": lambda test=test: valued(sales, test, ValuationParams()),
        }
        for name, method in methods.items():
            started = time.perf_counter()
            value = method()
            score(split, name, value, price, time.perf_counter() - started)
        for name, params in (("accurate", ACCURATE), ("equity-aware, default", ValuationParams())):
            market = None  # one market at a time, as a run holds it
            started = time.perf_counter()
            market = fitted(sales, test, params)
            value = market.predict(sales.unit.take(test)).value
            score(split, f"ensemble, {name}", value, price, time.perf_counter() - started)
            if asked.quick:
                break
        alone = [sys.executable, __file__, "--alone", "--split", split]
        subprocess.run(alone, check=True)
        if asked.front:
            front(split, sales, test, market)
        if not asked.quick:
            coverage(split, sales, test, market, frame[test])


if __name__ == "__main__":
    with threadpool_limits(limits=1):
        main()
