"""Point statistics against published worked examples, definitions and bad input."""

import math

import numpy as np
import pandas as pd
import pytest

from terrafusion_lib.stats import ratio
from terrafusion_lib.stats.points import MINIMUM, POINTS
from terrafusion_lib.stats.strata import RatioDataError, stratify, usable
from tests.support.iaao_tables import TABLE_1_1, TABLE_1_4, TABLE_D_2, VEI_SAMPLE

ALL = ["median_ratio", "mean_ratio", "weighted_mean_ratio", "cod", "cov", "prd", "prb", "mki", "ki"]


@pytest.mark.parametrize(
    ("table", "cod", "prd", "prb"),
    [
        (TABLE_1_1, 29.8, 0.98, 0.232),
        (TABLE_1_4, 14.5, 0.98, 0.135),
        (TABLE_D_2, 7.8, 1.056, -0.011),
    ],
    ids=["table 1-1", "table 1-4", "table D-2"],
)
def test_worked_tables_of_the_standard(table, cod: float, prd: float, prb: float) -> None:
    assert round(ratio.cod(*table), 1) == cod
    assert round(ratio.prd(*table), 3 if prd == 1.056 else 2) == prd
    assert round(ratio.prb(*table), 3) == prb


def test_averages_of_table_1_1() -> None:
    """Median 0.864, mean 0.900, weighted mean 0.915, COV 33.0 percent."""
    assert round(ratio.median_ratio(*TABLE_1_1), 3) == 0.864
    assert round(ratio.mean_ratio(*TABLE_1_1), 3) == 0.900
    assert round(ratio.weighted_mean_ratio(*TABLE_1_1), 3) == 0.915
    assert round(ratio.cov(*TABLE_1_1), 1) == 33.0


def test_vei_of_the_exposure_draft() -> None:
    """Appendix E.4, table 25: median 0.8678, VEI 48.53, significance 17.57 percent."""
    assert round(ratio.median_ratio(*VEI_SAMPLE), 4) == 0.8678
    assert ratio.vei(*VEI_SAMPLE) == pytest.approx(48.53, abs=0.01)
    from terrafusion_lib.stats.vertical import vei

    assert vei(stratify(*VEI_SAMPLE)).low[0] == pytest.approx(17.57, abs=0.01)


def test_definitions_on_three_sales() -> None:
    value, price = [80.0, 100.0, 150.0], [100.0, 100.0, 100.0]
    assert ratio.median_ratio(value, price) == 1.0
    assert ratio.mean_ratio(value, price) == pytest.approx(1.1)
    assert ratio.cod(value, price) == pytest.approx(100 * (0.2 + 0.5) / 3)
    assert ratio.cov(value, price) == pytest.approx(100 * np.std([0.8, 1, 1.5], ddof=1) / 1.1)
    assert ratio.share_within(value, price, 0.2) == pytest.approx(2 / 3)


def test_mki_shares_ranks_among_equal_prices() -> None:
    """The order in which equal prices arrive must not matter."""
    value, price = [90.0, 110.0, 300.0, 100.0], [100.0, 100.0, 250.0, 100.0]
    first = ratio.mki(value, price)
    assert ratio.mki(value[::-1], price[::-1]) == first
    assert ratio.mki([1.0, 2.0], [5.0, 5.0]) is not None
    assert math.isnan(ratio.mki([1.0, 2.0], [5.0, 5.0]))


@pytest.mark.parametrize("size", [0, 1, 2, 3])
@pytest.mark.parametrize("name", ALL)
def test_few_sales_have_defined_results(name: str, size: int) -> None:
    value, price = np.array([90.0, 105.0, 240.0])[:size], np.array([100.0, 110.0, 200.0])[:size]
    figure = getattr(ratio, name)(value, price)
    assert math.isnan(figure) == (size < MINIMUM[name])


def test_vei_needs_twenty_sales() -> None:
    value, price = np.linspace(90, 110, 19), np.linspace(100, 200, 19)
    assert math.isnan(ratio.vei(value, price))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(
    ("value", "price"),
    [
        ([1.0, 2.0], [1.0]),
        ([1.0, math.nan], [1.0, 2.0]),
        ([1.0, 2.0], [1.0, math.nan]),
        ([1.0, math.inf], [1.0, 2.0]),
        ([1.0, 2.0], [1.0, 0.0]),
        ([1.0, 2.0], [1.0, -5.0]),
        ([1.0, -2.0], [1.0, 5.0]),
        ([[1.0, 2.0]], [[1.0, 2.0]]),
    ],
    ids=["lengths", "nan value", "nan price", "inf", "zero", "negative", "value<0", "2-d"],
)
def test_unusable_pairs_are_refused(name: str, value: list, price: list) -> None:
    with pytest.raises(RatioDataError):
        getattr(ratio, name)(value, price)


def test_the_error_says_which_rows_and_how_many() -> None:
    with pytest.raises(RatioDataError, match=r"2 affected.*row 1: appraised 2, price 0"):
        ratio.cod([1.0, 2.0, math.nan], [1.0, 0.0, 3.0])


def test_usable_masks_what_statistics_refuse() -> None:
    mask = usable([1.0, math.nan, 3.0, 0.0, -1.0], [1.0, 2.0, 0.0, 5.0, 5.0])
    assert mask.tolist() == [True, False, False, True, False]
    with pytest.raises(RatioDataError):
        usable([1.0], [1.0, 2.0])


def test_values_of_zero_are_ratios_of_zero() -> None:
    assert ratio.median_ratio([0.0, 0.0, 50.0], [100.0, 100.0, 100.0]) == 0.0
    assert math.isnan(ratio.cod([0.0, 0.0, 50.0], [100.0, 100.0, 100.0]))
    assert math.isnan(ratio.prb([0.0, 0.0, 50.0], [100.0, 100.0, 100.0]))


def test_a_pandas_index_is_never_aligned_on() -> None:
    value, price = (np.asarray(column, dtype=float) for column in TABLE_1_1)
    shuffled = pd.Series(price, index=np.random.default_rng(0).permutation(price.size))
    assert ratio.cod(pd.Series(value), shuffled) == ratio.cod(value, price)


def test_equal_proxies_have_no_slope() -> None:
    assert math.isnan(ratio.prb([100.0] * 5, [100.0] * 5))


def test_strata_agree_with_each_stratum_alone() -> None:
    rng = np.random.default_rng(3)
    price = np.exp(rng.normal(12, 0.5, 500)).round(-3)
    value = price * np.exp(rng.normal(0, 0.2, 500))
    codes = rng.integers(-1, 9, 500)
    codes[codes == 4] = 5  # stratum 4 is empty
    strata = stratify(value, price, codes, 9)
    for name, compute in POINTS.items():
        together = compute(strata)
        for code in range(9):
            alone = float(compute(stratify(value[codes == code], price[codes == code]))[0])
            assert together[code] == pytest.approx(alone, rel=1e-9, nan_ok=True), (name, code)
