"""How much areas drift from the common trend."""

import numpy as np
import pytest

from terrafusion_lib.stats.time_index import drift_variance

NOISE = 0.15


def planted(drift: float, *, areas: int = 60, sales: int = 200, seed: int = 3) -> float:
    rng = np.random.default_rng(seed)
    area = np.repeat(np.arange(areas), sales)
    time = rng.uniform(-4, 0, area.size)
    own = rng.normal(0, drift, areas)
    residual = own[area] * time + rng.normal(0, NOISE, area.size)
    return drift_variance(area, time, residual, np.ones(area.size), NOISE**2)


@pytest.mark.parametrize("drift", [0.02, 0.05])
def test_a_planted_drift_is_recovered(drift: float) -> None:
    assert np.sqrt(planted(drift)) == pytest.approx(drift, rel=0.3)


def test_areas_that_move_together_have_no_drift_or_next_to_none() -> None:
    found = [planted(0.0, seed=seed) for seed in range(20)]
    assert min(found) == 0
    assert np.sqrt(max(found)) < 0.008


def test_too_little_to_tell_says_zero() -> None:
    one = np.ones(4)
    none = np.zeros(0)
    assert drift_variance(none.astype(int), none, none, none, 0.01) == 0
    assert drift_variance(np.array([0, 0, 1, 1]), np.arange(4.0), one, one, 0.01) == 0
    assert drift_variance(np.full(4, -1), np.arange(4.0), one, one, 0.01) == 0
    same_day = np.repeat(np.arange(10), 3)
    assert drift_variance(same_day, np.zeros(30), np.ones(30), np.ones(30), 0.01) == 0


def test_level_of_an_area_is_no_drift() -> None:
    """A constant in each area changes nothing: only slopes count."""
    rng = np.random.default_rng(0)
    area = np.repeat(np.arange(30), 50)
    time, noise = rng.uniform(-3, 0, area.size), rng.normal(0, NOISE, area.size)
    level = rng.normal(0, 1, 30)[area]
    one = np.ones(area.size)
    assert drift_variance(area, time, noise + level, one, NOISE**2) == pytest.approx(
        drift_variance(area, time, noise, one, NOISE**2), abs=1e-12
    )
