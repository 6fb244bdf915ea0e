"""Gradient-boosted trees (LightGBM) on the part of a price that comparables leave unexplained."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from terrafusion_lib.plugins.valuation.params import TreeSettings
from terrafusion_lib.plugins.valuation.signals import RISING, SIGNALS
from terrafusion_lib.stats.strata import FloatArray, IntArray

if TYPE_CHECKING:
    import lightgbm

TREES = (100, 250, 500)
"""Numbers of trees to choose from: a small market is soon learned by heart."""
SETTINGS = {
    "objective": "huber",
    "alpha": 0.2,
    "bagging_freq": 1,
    "extra_trees": True,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}
"""Settings that no county changes; the others are ``params.TreeSettings``."""


@dataclass(frozen=True)
class Booster:
    """Fitted trees, kept as LightGBM's own text, so that a saved model is the same model.

    `used` is how many of them, from the first, make the value.
    """

    text: str
    used: int

    @cached_property
    def trees(self) -> "lightgbm.Booster":
        """The trees, ready to predict."""
        import lightgbm

        return lightgbm.Booster(model_str=self.text)

    def predict(self, signals: FloatArray) -> FloatArray:
        """Log of price over the comparables' value, one per row of `signals`."""
        found = self.trees.predict(signals, num_iteration=self.used, num_threads=1)
        return np.asarray(found, dtype=np.float64)

    def contributions(self, signals: FloatArray) -> FloatArray:
        """Exact SHAP values (tree path-dependent): a column per signal, then the mean, log.

        Lundberg et al., Nature Machine Intelligence 2 (2020): a row sums to its prediction.
        """
        found = self.trees.predict(
            signals, pred_contrib=True, num_iteration=self.used, num_threads=1
        )
        return np.asarray(found, dtype=np.float64)

    def leaves(self, signals: FloatArray) -> IntArray:
        """Leaf that each row falls into, by tree."""
        found = self.trees.predict(signals, pred_leaf=True, num_iteration=self.used, num_threads=1)
        return np.asarray(found, dtype=np.int64)


def boost(
    signals: FloatArray,
    target: FloatArray,
    seed: int,
    trees: int = TREES[-1],
    *,
    names: Sequence[str] = SIGNALS,
    settings: TreeSettings,
) -> Booster:
    """Fit the trees to `target`, log price over the comparables' value; `names` are the columns.

    One thread: sums then have one order, so the same sales give the same trees on every machine.
    """
    import lightgbm

    data = lightgbm.Dataset(signals, target, feature_name=list(names))
    # LightGBM's seeds are 32-bit and signed.
    given = SETTINGS | {
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "max_depth": settings.depth,
        "min_data_in_leaf": settings.min_sales_in_leaf,
        "feature_fraction": settings.signal_share,
        "bagging_fraction": settings.sales_share,
        "seed": seed % (2**31 - 1),
        "monotone_constraints": [int(name in RISING) for name in names],
    }
    return Booster(lightgbm.train(given, data, trees).model_to_string(), trees)
