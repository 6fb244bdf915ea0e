"""SHAP values of our own against LightGBM's, with unknown signals and every depth of tree."""

import lightgbm
import numpy as np
import pytest

from terrafusion_lib.plugins.valuation.model.boosting import FEW_ROWS, Booster, boost
from terrafusion_lib.plugins.valuation.model.tree_shares import distinct, read_trees
from terrafusion_lib.plugins.valuation.params import TreeSettings

NAMES = ("size", "north", "east", "age", "quality")
ROWS = 3_000


@pytest.fixture(scope="module")
def signals() -> np.ndarray:
    rng = np.random.default_rng(5)
    found = rng.normal(size=(ROWS, len(NAMES)))
    found[rng.random(ROWS) < 0.2, 1] = np.nan
    found[:, 4] = np.round(found[:, 4])
    return found


@pytest.fixture(scope="module")
def target(signals: np.ndarray) -> np.ndarray:
    bent = np.where(np.isnan(signals[:, 1]), 0.3, signals[:, 0] * (signals[:, 1] > 0))
    return bent + 0.2 * signals[:, 4] * signals[:, 2]


def grown(signals: np.ndarray, target: np.ndarray, **settings: float) -> Booster:
    return boost(signals, target, 1, 40, names=NAMES, settings=TreeSettings(**settings))


@pytest.mark.parametrize("settings", [{}, {"leaves": 4, "depth": 2}, {"leaves": 60, "depth": 9}])
def test_shares_are_those_of_lightgbm(signals, target, settings) -> None:
    booster = grown(signals, target, **settings)
    (model,) = booster.boosters
    trees = read_trees(model.dump_model()["tree_info"])
    assert trees is not None
    asked = signals.copy()
    asked[::5, 0] = np.nan  # unknown where training knew it: the other rule for what is missing
    found = np.zeros((ROWS, len(NAMES) + 1))
    for tree in trees:
        tree.add_to(found, asked)
    expected = model.predict(asked, pred_contrib=True, num_threads=1)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_booster_sums_to_its_prediction_by_either_way(signals, target) -> None:
    one, other = grown(signals, target), grown(signals, -target)
    both = Booster(one.texts + other.texts, 40)
    assert ROWS > FEW_ROWS
    shares = both.contributions(signals, threads=2)
    np.testing.assert_allclose(shares.sum(axis=1), both.predict(signals), atol=1e-12)
    np.testing.assert_allclose(shares[:50], both.contributions(signals[:50]), atol=1e-12)
    assert shares.tobytes() == both.contributions(signals, threads=1).tobytes()
    mean = (one.predict(signals) + other.predict(signals)) / 2
    np.testing.assert_allclose(both.predict(signals), mean, atol=1e-15)


def test_a_tree_too_large_is_left_to_lightgbm(signals, target) -> None:
    booster = grown(signals, target, leaves=200, depth=20, min_sales_in_leaf=1)
    described = booster.boosters[0].dump_model()["tree_info"]
    assert max(tree["num_leaves"] for tree in described) > 64
    assert read_trees(described) is None
    shares = booster.contributions(signals)
    np.testing.assert_allclose(shares.sum(axis=1), booster.predict(signals), atol=1e-12)


def test_a_tree_without_a_split_adds_its_only_value(signals) -> None:
    data = lightgbm.Dataset(signals, np.full(ROWS, 0.25))
    model = lightgbm.train({"verbose": -1, "num_threads": 1}, data, 3)
    booster = Booster((model.model_to_string(),), 3)
    shares = booster.contributions(signals)
    assert not shares[:, :-1].any()
    np.testing.assert_allclose(shares[:, -1], booster.predict(signals), atol=1e-12)


def test_ways_are_told_apart_over_all_their_bits() -> None:
    way = np.random.default_rng(0).choice(np.array([0, 1, 2**20, 2**61 + 5, 2**40 + 3]), 500)
    found, of_row = distinct(way, 62)
    assert sorted(found.tolist()) == sorted(set(way.tolist()))
    assert np.array_equal(found[of_row], way)
