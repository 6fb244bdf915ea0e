"""From model value to roll value: invariants of rounding, caps, parts and overrides."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from terrafusion_lib.plugins.valuation.params import ValuationParams, ValueOverride
from terrafusion_lib.plugins.valuation.roll.roll_values import (
    allocate,
    post_process,
    rounded,
    split_land,
)

DOLLARS = st.floats(0, 1e8, allow_nan=False).map(lambda value: round(value, 2))
UNIT = st.sampled_from([0.0, 1.0, 10.0, 100.0, 1_000.0])


def ids(size: int) -> np.ndarray:
    return np.array([str(i) for i in range(size)], dtype=object)


@given(st.lists(DOLLARS, min_size=1, max_size=30), UNIT)
def test_rounding_twice_is_rounding_once_and_moves_half_a_unit_at_most(
    values: list[float], unit: float
) -> None:
    value = np.array(values)
    once = rounded(value, unit)
    np.testing.assert_array_equal(rounded(once, unit), once)
    small = (value > 0) & (value < unit)
    assert np.all(np.abs(once - value)[~small] <= unit / 2 + 1e-6)
    assert np.all((once > 0) == (value > 0))


@given(
    st.lists(st.tuples(DOLLARS, DOLLARS), min_size=1, max_size=20),
    UNIT,
    st.sampled_from([None, 0.1, 0.5]),
    st.sampled_from([0.0, 0.02, 0.05]),
    st.sampled_from([0.0, 500.0, 1_004.0]),
)
def test_post_processing_twice_changes_nothing_more_and_keeps_its_promises(
    pairs: list[tuple[float, float]], unit: float, cap: float | None, tolerance: float, least: float
) -> None:
    value, current = np.array(pairs).T
    params = ValuationParams(
        round_to=unit, max_change=cap, unchanged_tolerance=tolerance, min_value=least
    )
    once, trail, _ = post_process(value, current, ids(value.size), params)
    twice, _, _ = post_process(once, current, ids(value.size), params)
    np.testing.assert_array_equal(twice, once)
    assert np.all(once >= least)
    kept = np.array([name == "kept_current" for name in trail])
    np.testing.assert_array_equal(once[kept], current[kept])
    raised = np.array(["minimum" in (name or "") for name in trail])
    if cap is not None:
        bound = ~raised & (current > 0)
        change = np.abs(once[bound] / current[bound] - 1)
        assert np.all(change <= cap * (1 + 1e-9))


def test_no_multiple_within_the_cap_leaves_the_assessors_value() -> None:
    params = ValuationParams(round_to=1_000, max_change=0.1)
    made, trail, _ = post_process(np.array([9_000.0]), np.array([4_500.0]), ids(1), params)
    assert (made[0], trail[0]) == (4_500, "capped")


def test_every_step_leaves_its_name() -> None:
    value = np.array([300_004.0, 90.0, 101_000.0, 55_555.0, np.nan, 100_000.0])
    current = np.array([200_000.0, np.nan, 100_000.0, 55_000.0, 70_000.0, 100_000.0])
    override = ValueOverride(
        property_id="3", value=61_234, reason="appeal 12-345", who="cleo", when=date(2026, 2, 3)
    )
    params = ValuationParams(
        max_change=0.25, min_value=500, unchanged_tolerance=0.02, overrides=(override,)
    )
    made, trail, override = post_process(value, current, ids(6), params)
    np.testing.assert_array_equal(made, [250_000, 500, 100_000, 61_234, np.nan, 100_000])
    assert trail.tolist() == ["capped", "minimum", "kept_current", "override", None, None]
    assert override.tolist() == [None] * 3 + ["appeal 12-345 (cleo, 2026-02-03)", None, None]


def test_an_override_needs_a_reason_and_a_name() -> None:
    with pytest.raises(ValueError, match="reason"):
        ValueOverride(property_id="1", value=1, reason="", who="cleo", when=date(2026, 1, 1))


@given(
    st.lists(
        st.tuples(DOLLARS, st.one_of(st.just(np.nan), DOLLARS), st.floats(0, 1), st.booleans()),
        min_size=1,
        max_size=20,
    ),
    UNIT,
)
def test_land_and_improvement_make_the_whole(
    rows: list[tuple[float, float, float, bool]], unit: float
) -> None:
    value, land, share, built = (np.array(column) for column in zip(*rows, strict=True))
    value = rounded(value, unit)
    part, rest = split_land(value, land, share, built.astype(bool), unit)
    np.testing.assert_allclose(part + rest, value)
    assert np.all((part >= 0) & (rest >= 0))
    assert np.all(rest[~built.astype(bool)] == 0)


def test_vacant_land_is_worth_the_whole_to_the_dollar() -> None:
    part, rest = split_land(
        np.array([61_234.0]), np.array([55_000.0]), np.ones(1), np.zeros(1, bool), 10
    )
    assert (part[0], rest[0]) == (61_234, 0)


def test_a_unit_without_land_of_its_own_has_none() -> None:
    """Condominium units and manufactured homes on another's land."""
    part, rest = split_land(
        np.array([200_000.0]), np.array([80_000.0]), np.zeros(1), np.ones(1, bool), 10
    )
    assert (part[0], rest[0]) == (0, 200_000)


@given(
    st.lists(DOLLARS.map(lambda value: round(value, 2)), min_size=1, max_size=8),
    st.lists(st.floats(0, 1e6), min_size=1, max_size=40),
    st.sampled_from([0.0, 1.0, 10.0]),
)
def test_parts_sum_to_their_whole(totals: list[float], shares: list[float], unit: float) -> None:
    total, share = np.array(totals), np.array(shares)
    group = np.arange(share.size) % total.size
    part = allocate(total, share, group, unit)
    sums = np.bincount(group, part, total.size)
    present = np.unique(group)
    np.testing.assert_allclose(sums[present], total[present], rtol=1e-9, atol=1e-6)
    assert np.all(part >= -1e-6)


def test_parts_follow_their_shares() -> None:
    part = allocate(
        np.array([100.0, 90.0]), np.array([1.0, 1, 1, 0, 0]), np.array([0, 0, 0, 1, 1]), 10
    )
    np.testing.assert_array_equal(part, [40, 30, 30, 50, 40])
