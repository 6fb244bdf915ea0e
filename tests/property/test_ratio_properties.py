"""Properties of ratio statistics, and an independent slow computation of each."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrafusion_lib.stats import ratio

SHAPE = ("cod", "cov", "prd", "prb", "mki")
LEVEL = ("median_ratio", "mean_ratio", "weighted_mean_ratio")

prices = st.integers(min_value=10_000, max_value=5_000_000).map(float)
ratios = st.floats(min_value=0.2, max_value=3.0, allow_nan=False)
studies = st.lists(st.tuples(prices, ratios), min_size=4, max_size=40).map(
    lambda pairs: ([round(p * r, 2) for p, r in pairs], [p for p, _ in pairs])
)


def slow(value: list[float], price: list[float]) -> dict[str, float]:
    """Every statistic by plain loops over Python numbers."""
    n = len(price)
    r = [v / p for v, p in zip(value, price, strict=True)]
    ordered = sorted(r)
    median = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    mean = math.fsum(r) / n
    weighted = math.fsum(value) / math.fsum(price)
    x = [math.log2((p + v / median) / 2) for v, p in zip(value, price, strict=True)]
    y = [(item - median) / median for item in r]
    x_mean, y_mean = math.fsum(x) / n, math.fsum(y) / n
    spread = math.fsum((a - x_mean) ** 2 for a in x)
    cross = math.fsum((a - x_mean) * (b - y_mean) for a, b in zip(x, y, strict=True))

    def gini(amounts: list[float]) -> float:
        """Half the relative mean difference along the order of price, ties at their mean."""
        total = 0.0
        for i in range(n):
            below = sum(1 for p in price if p < price[i])
            same = sum(1 for p in price if p == price[i])
            total += amounts[i] * (below + (same + 1) / 2)
        return 2 * total / (n * math.fsum(amounts)) - (n + 1) / n

    gini_price = gini(price)
    return {
        "median_ratio": median,
        "mean_ratio": mean,
        "weighted_mean_ratio": weighted,
        "cod": 100 * math.fsum(abs(item - median) for item in r) / n / median,
        "cov": 100 * math.sqrt(math.fsum((item - mean) ** 2 for item in r) / (n - 1)) / mean,
        "prd": mean / weighted,
        "prb": cross / spread if spread > 1e-9 else math.nan,
        "mki": gini(value) / gini_price if abs(gini_price) > 1e-9 else math.nan,
    }


@settings(max_examples=150)
@given(studies)
def test_agrees_with_the_slow_computation(study) -> None:
    value, price = study
    for name, expected in slow(value, price).items():
        if not math.isnan(expected):
            found = getattr(ratio, name)(value, price)
            assert found == pytest.approx(expected, rel=1e-7, abs=1e-9), name


@settings(max_examples=60)
@given(studies, st.randoms(use_true_random=False))
def test_order_of_sales_does_not_matter(study, random) -> None:
    value, price = study
    order = list(range(len(price)))
    random.shuffle(order)
    for name in SHAPE + LEVEL:
        one = getattr(ratio, name)(value, price)
        other = getattr(ratio, name)([value[i] for i in order], [price[i] for i in order])
        assert other == pytest.approx(one, rel=1e-9, abs=1e-12, nan_ok=True), name


@settings(max_examples=60)
@given(studies, st.floats(min_value=0.01, max_value=100.0))
def test_currency_does_not_matter(study, rate: float) -> None:
    value, price = (np.asarray(column) for column in study)
    for name in SHAPE + LEVEL:
        one = getattr(ratio, name)(value, price)
        other = getattr(ratio, name)(value * rate, price * rate)
        assert other == pytest.approx(one, rel=1e-6, abs=1e-8, nan_ok=True), name


@settings(max_examples=60)
@given(studies, st.floats(min_value=0.1, max_value=10.0))
def test_scaling_all_values_scales_the_level_and_nothing_else(study, factor: float) -> None:
    value, price = (np.asarray(column) for column in study)
    for name in LEVEL:
        expected = factor * getattr(ratio, name)(value, price)
        assert getattr(ratio, name)(value * factor, price) == pytest.approx(expected)
    for name in SHAPE:
        expected = getattr(ratio, name)(value, price)
        found = getattr(ratio, name)(value * factor, price)
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-8, nan_ok=True), name


@pytest.mark.parametrize("planted", [-0.10, -0.03, 0.0, 0.05])
def test_planted_bias_is_recovered(planted: float) -> None:
    """Levels that change by a known share when the value proxy doubles give that PRB."""
    proxy = np.exp(np.random.default_rng(0).normal(13, 0.6, 20_001))
    level = 1 + planted * np.log2(proxy / np.median(proxy))
    level += np.random.default_rng(1).normal(0, 0.05, proxy.size)
    price = 2 * proxy / (1 + level)
    found = ratio.prb(level * price, price)
    assert found == pytest.approx(planted, abs=0.003)
    low, high = ratio.prb_confidence_interval(level * price, price)
    assert low < planted < high


def test_perfect_values_have_no_dispersion_and_no_bias() -> None:
    price = np.exp(np.random.default_rng(0).normal(12, 0.4, 100))
    assert ratio.cod(price, price) == 0
    assert ratio.prd(price, price) == pytest.approx(1)
    assert ratio.prb(price, price) == pytest.approx(0, abs=1e-12)
    assert ratio.mki(price, price) == pytest.approx(1)
    assert ratio.share_within(price, price, 0.05) == 1
