"""The ratio study of real assessments: Lucas County, Ohio, 25,357 sales of 1993 to 1998.

Reads ``lucas_county_house.csv`` of TERRAFUSION_DATA (default ``../shared/data``): the assessor's
values against prices, by year and by tenth of value, beside an independent computation of the same
statistics one stratum at a time from their definitions.

    python benchmarks/lucas_county.py
"""

import os
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from terrafusion_lib.plugins.valuation.study.studies import value_deciles
from terrafusion_lib.stats.study import StudyOptions, ratio_study

ROOT = Path(__file__).resolve().parents[1]
STATISTICS = ("median_ratio", "weighted_mean_ratio", "cod", "prd", "prb")


def read() -> pd.DataFrame:
    folder = Path(os.environ.get("TERRAFUSION_DATA", ROOT.parent / "shared" / "data"))
    path = folder / "lucas_county_house.csv"
    if not path.is_file():
        sys.exit(f"{path} is absent: set TERRAFUSION_DATA to the folder that holds it")
    return pd.read_csv(path)


def independent(value: pd.Series, price: pd.Series) -> dict[str, float]:
    """The statistics from their definitions (IAAO Standard on Ratio Studies, 2013)."""
    ratio = value / price
    median = ratio.median()
    proxy = 0.5 * price + 0.5 * value / median
    doublings = np.log(proxy) / np.log(2)
    prb = np.polyfit(doublings, (ratio - median) / median, 1)[0]
    return {
        "median_ratio": median,
        "weighted_mean_ratio": value.sum() / price.sum(),
        "cod": 100 * (ratio - median).abs().mean() / median,
        "prd": ratio.mean() / (value.sum() / price.sum()),
        "prb": prb,
    }


def main() -> None:
    frame = read()
    value, price = (frame[name].to_numpy(float) for name in ("avalue", "price"))
    groups = {
        "year": frame["syear"].astype(str).tolist(),
        "value_decile": value_deciles(value, price),
    }
    started = time.perf_counter()
    study = ratio_study(value, price, groups, study="appraised", options=StudyOptions())
    seconds = time.perf_counter() - started
    found = pd.DataFrame(study)
    print(
        f"{len(frame):,} sales, {found['stratum'].nunique()} strata, all intervals: {seconds:.1f} s"
    )
    print(f"{'stratum':10} {'n':>6} " + " ".join(f"{name:>20}" for name in STATISTICS))
    worst = 0.0
    labels = pd.DataFrame(groups)
    for (grouping, stratum), rows in found.groupby(["grouping", "stratum"], sort=False):
        mask = labels[grouping] == stratum if grouping in groups else np.ones(len(frame), bool)
        expected = independent(frame["avalue"][mask], frame["price"][mask])
        ours = dict(zip(rows["statistic"], rows["estimate"], strict=True))
        worst = max(worst, *(abs(ours[name] - expected[name]) for name in STATISTICS))
        figures = " ".join(f"{ours[name]:20.4f}" for name in STATISTICS)
        print(f"{stratum:10} {int(rows['n'].iloc[0]):6,} {figures}")
    print(f"largest difference from the independent computation: {worst:.2e}")


if __name__ == "__main__":
    main()
