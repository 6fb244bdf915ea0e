"""Confidence intervals: exactness, agreement with other computations, determinism."""

import math
from math import comb

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import binomtest, chisquare

from terrafusion_lib.stats import ratio
from terrafusion_lib.stats.intervals import median_interval, percentile_intervals, share_interval
from terrafusion_lib.stats.resampling import BOOTSTRAPPED, bootstrap, draw
from terrafusion_lib.stats.strata import stratify
from tests.support.iaao_tables import TABLE_1_1


def sales(size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    price = np.exp(rng.normal(12, 0.5, size)).round(-3)
    return (price * np.exp(rng.normal(-0.05, 0.2, size))).round(-2), price


def coverage(n: int, rank: int) -> float:
    """Probability that order statistics `rank` and n + 1 - rank hold the median."""
    return 1 - 2 * sum(comb(n, k) for k in range(rank)) / 2**n


@pytest.mark.parametrize("confidence", [0.80, 0.90, 0.95, 0.99])
@pytest.mark.parametrize("n", [*range(1, 40), 100, 501])
def test_median_ranks_are_the_innermost_that_reach_the_level(n: int, confidence: float) -> None:
    low, high = median_interval(np.arange(1.0, n + 1), confidence)
    if math.isnan(low):
        assert coverage(n, 1) < confidence
        return
    rank = int(low)
    assert high == n + 1 - rank
    assert coverage(n, rank) >= confidence
    assert rank == (n + 1) // 2 or coverage(n, rank + 1) < confidence


def test_median_ranks_of_the_exposure_draft() -> None:
    """Fourteen sales at 90 percent: ranks 4 and 11 (appendix E.4)."""
    assert median_interval(np.arange(1.0, 15.0), 0.90) == (4.0, 11.0)


def test_five_sales_have_no_95_percent_interval() -> None:
    assert all(math.isnan(end) for end in median_interval(np.arange(5.0)))
    assert median_interval(np.arange(6.0)) == (0.0, 5.0)
    assert all(math.isnan(end) for end in median_interval(np.array([])))


def test_prb_interval_is_that_of_least_squares() -> None:
    value, price = (np.asarray(column) for column in TABLE_1_1)
    median = np.median(value / price)
    proxy = np.log2((price + value / median) / 2)
    fitted = sm.OLS((value / price - median) / median, sm.add_constant(proxy)).fit()
    low, high = ratio.prb_confidence_interval(value, price, confidence=0.95)
    assert (low, high) == pytest.approx(tuple(fitted.conf_int(0.05)[1]), rel=1e-9)
    assert ratio.prb(value, price) == pytest.approx(fitted.params[1], rel=1e-9)


def test_shares_are_exact_binomial() -> None:
    low, high = share_interval(np.array([0.0, 0.3, 1.0]), np.array([10, 10, 10]), 0.95)
    for i, hits in enumerate((0, 3, 10)):
        expected = binomtest(hits, 10).proportion_ci(0.95, method="exact")
        assert (low[i], high[i]) == pytest.approx((expected.low, expected.high))
    empty = share_interval(np.array([math.nan]), np.array([0]), 0.95)
    assert math.isnan(empty[0][0])


def slow_statistics(value: np.ndarray, price: np.ndarray) -> dict[str, float]:
    return {name: getattr(ratio, name)(value, price) for name in BOOTSTRAPPED}


@pytest.mark.parametrize("size", [2, 7, 60, 900])
def test_each_replicate_is_the_statistic_of_its_resample(size: int) -> None:
    strata = stratify(*sales(size))
    drawn = bootstrap(strata.appraised, strata.price, replicates=25, seed=11)
    by_price = np.argsort(strata.price, kind="stable")
    rows = by_price[draw(np.random.PCG64(11), size, 25)]
    for replicate in range(25):
        row = rows[replicate]
        expected = slow_statistics(strata.appraised[row], strata.price[row])
        for name in BOOTSTRAPPED:
            found = drawn[BOOTSTRAPPED.index(name), replicate]
            assert found == pytest.approx(expected[name], rel=1e-9, nan_ok=True), name


def test_chunks_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    strata = stratify(*sales(51))
    whole = bootstrap(strata.appraised, strata.price, replicates=40, seed=1)
    monkeypatch.setattr("terrafusion_lib.stats.resampling.CELLS", 160)
    parts = bootstrap(strata.appraised, strata.price, replicates=40, seed=1)
    np.testing.assert_array_equal(whole, parts)


def test_every_sale_is_drawn_as_often_as_another() -> None:
    size, rows = 7, 60_000
    drawn = draw(np.random.PCG64(3), size, rows)
    counts = np.bincount(drawn.ravel(), minlength=size)
    assert counts.size == size
    assert chisquare(counts).pvalue > 1e-3


def test_bootstrap_intervals_cover_the_truth() -> None:
    """COD and PRD of a known population fall into about 95 percent of intervals."""
    value, price = sales(200_000, seed=9)
    truth = {"cod": ratio.cod(value, price), "prd": ratio.prd(value, price)}
    rng = np.random.default_rng(2)
    hits = dict.fromkeys(truth, 0)
    for seed in range(200):
        rows = rng.integers(0, value.size, 150)
        strata = stratify(value[rows], price[rows])
        drawn = bootstrap(strata.appraised, strata.price, replicates=300, seed=seed)
        ends = dict(zip(BOOTSTRAPPED, percentile_intervals(drawn), strict=True))
        for name, true in truth.items():
            low, high = ends[name]
            hits[name] += low <= true <= high
    assert all(0.88 <= count / 200 <= 0.99 for count in hits.values()), hits


def test_an_undefined_replicate_leaves_no_interval() -> None:
    undefined, defined = percentile_intervals(np.array([[1.0, math.nan, 2.0], [1.0, 3.0, 2.0]]))
    assert all(math.isnan(end) for end in undefined)
    assert defined == pytest.approx(tuple(np.quantile([1.0, 2.0, 3.0], [0.025, 0.975])))
