"""Signals of sales chasing: silent on honest values, loud on chased ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrafusion_lib.stats.chasing import later_cod, price_bunching, sold_unsold_change
from terrafusion_lib.stats.strata import RatioDataError


def sample(size: int = 4000, spread: float = 0.12, seed: int = 0):
    rng = np.random.default_rng(seed)
    price = np.exp(rng.normal(13, 0.5, size))
    return price * np.exp(rng.normal(-0.02, spread, size)), price


def test_honest_ratios_do_not_bunch_and_chased_ones_do() -> None:
    signals = [price_bunching(*sample(2000, seed=seed)) for seed in range(200)]
    covered = np.mean([low < 1.01 and high > 0.99 for _, (low, high) in signals])
    assert 0.90 < covered < 0.995
    assert max(low for _, (low, _) in signals) < 1.5
    value, price = sample()
    chased = np.where(np.arange(price.size) % 8 == 0, price, value)
    assert price_bunching(chased, price)[1].low > 1.5


def test_bunching_of_a_normal_distribution_is_exactly_one() -> None:
    from scipy.special import ndtri

    ratio = 1 + 0.1 * ndtri((np.arange(200_000) + 0.5) / 200_000)
    price = np.full(ratio.size, 300_000.0)
    assert price_bunching(ratio * price, price)[0] == pytest.approx(1, abs=0.01)


@given(st.floats(0.01, 1e4))
def test_the_currency_does_not_matter(factor: float) -> None:
    value, price = sample(600)
    expected, found = price_bunching(value, price), price_bunching(factor * value, factor * price)
    # A ratio at the edge of a band may fall to the other side.
    assert found[0] == pytest.approx(expected[0], rel=0.1)


def test_few_sales_say_nothing() -> None:
    value, price = sample(40)
    assert np.isnan(price_bunching(value, price)[0])
    assert np.isnan(sold_unsold_change(np.ones(19), np.ones(500))[0])
    assert np.isnan(later_cod((value, price), (value[:10], price[:10]))[0])
    empty = np.array([])
    assert np.isnan(price_bunching(empty, empty)[0])


def test_a_price_of_zero_is_refused() -> None:
    with pytest.raises(RatioDataError):
        price_bunching([1.0], [0.0])


def test_change_of_sold_properties_is_compared_by_medians() -> None:
    rng = np.random.default_rng(1)
    unsold = rng.normal(1.05, 0.03, 5000)
    unsold[0] = np.nan
    same, (low, high) = sold_unsold_change(rng.normal(1.05, 0.03, 400), unsold)
    assert low < 0 < high
    assert same == pytest.approx(0, abs=0.5)
    moved, (low, high) = sold_unsold_change(rng.normal(1.12, 0.03, 400), unsold)
    assert 0 < low < moved < high
    assert moved == pytest.approx(7, abs=0.7)


def test_interval_of_the_change_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(400):
        _, (low, high) = sold_unsold_change(rng.normal(1, 0.1, 80), rng.normal(1, 0.1, 200))
        hits += low <= 0 <= high
    assert 0.92 < hits / 400 <= 1


def test_dispersion_of_later_sales() -> None:
    before, after = sample(800, 0.10, seed=1), sample(400, 0.10, seed=2)
    ratio, (low, high) = later_cod(before, after)
    assert low < 1 < high < 1.25
    assert low < ratio < high
    chased = (np.where(np.arange(800) % 2 == 0, before[1], before[0]), before[1])
    assert later_cod(chased, after)[1].low > 1.25
    assert later_cod(before, after) == later_cod(before, after)
    assert np.isnan(later_cod(before, after, replicates=0)[1].low)
    perfect = (before[1], before[1])
    assert np.isnan(later_cod(perfect, after)[0])
