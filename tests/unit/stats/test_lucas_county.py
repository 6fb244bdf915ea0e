"""Real assessments of Lucas County: the study against definitions, stratum by stratum."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from terrafusion_lib.plugins.valuation.study.studies import value_deciles
from terrafusion_lib.stats.study import StudyOptions, ratio_study
from tests.support.require import ROOT

PATH = (
    Path(os.environ.get("TERRAFUSION_DATA", ROOT.parent / "shared" / "data"))
    / "lucas_county_house.csv"
)


@pytest.mark.real_data
@pytest.mark.parametrize("grouping", ["year", "value_decile"])
def test_the_study_agrees_with_definitions_to_rounding(grouping: str) -> None:
    if not PATH.is_file():
        pytest.skip(f"{PATH} is absent")
    frame = pd.read_csv(PATH)
    value, price = (frame[name].to_numpy(float) for name in ("avalue", "price"))
    labels = (
        frame["syear"].astype(str).tolist() if grouping == "year" else value_deciles(value, price)
    )
    found = pd.DataFrame(
        ratio_study(
            value, price, {grouping: labels}, study="appraised", options=StudyOptions(replicates=0)
        )
    )
    found = found[found["grouping"] == grouping]
    strata = sorted(set(labels))
    assert sorted(found["stratum"].unique()) == strata
    assert len(strata) == (6 if grouping == "year" else 10)
    for stratum in strata:
        own = np.array(labels) == stratum
        ratio = value[own] / price[own]
        median = np.median(ratio)
        weighted = value[own].sum() / price[own].sum()
        doublings = np.log2(0.5 * price[own] + 0.5 * value[own] / median)
        expected = {
            "median_ratio": median,
            "weighted_mean_ratio": weighted,
            "cod": 100 * np.abs(ratio - median).mean() / median,
            "prd": ratio.mean() / weighted,
            "prb": np.polyfit(doublings, (ratio - median) / median, 1)[0],
        }
        rows = found[found["stratum"] == stratum].set_index("statistic")
        assert rows["n"].iloc[0] == own.sum()
        for name, figure in expected.items():
            assert rows.loc[name, "estimate"] == pytest.approx(figure, rel=1e-9, abs=1e-9)
