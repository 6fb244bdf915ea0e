"""Sorting by digits: the same order as a plain sort, whatever the values."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from terrafusion_lib.stats.ordering import order_by

ratios = st.floats(min_value=0, max_value=1e6, allow_nan=False)
wild = st.floats(allow_nan=False, allow_infinity=False)
near = st.integers(min_value=0, max_value=40).map(lambda steps: 1 + steps * 2.0**-52)
prices = st.integers(min_value=1, max_value=300).map(lambda hundreds: 100.0 * hundreds)
values = st.one_of(*(st.lists(kind, max_size=60) for kind in (ratios, wild, near, prices)))


@given(values)
def test_values_come_out_sorted(given_values: list[float]) -> None:
    found = np.array(given_values, dtype=np.float64)
    order = order_by(found)
    assert sorted(order.tolist()) == list(range(found.size))
    np.testing.assert_array_equal(found[order], np.sort(found))


@given(values, st.randoms(use_true_random=False))
def test_equal_values_come_by_the_second(given_values: list[float], random: object) -> None:
    found = np.array(given_values, dtype=np.float64)
    then = np.array([random.randint(0, 9) for _ in given_values], dtype=np.float64)  # type: ignore[attr-defined]
    order, plain = order_by(found, then), np.lexsort((then, found))
    np.testing.assert_array_equal(found[order], found[plain])
    np.testing.assert_array_equal(then[order], then[plain])


def test_one_far_value_among_many_near_ones() -> None:
    """An outlier squeezes the others onto a few marks of the scale."""
    rng = np.random.default_rng(0)
    found = np.append(rng.normal(1, 0.1, 5_000), 1e12)
    np.testing.assert_array_equal(found[order_by(found)], np.sort(found))
