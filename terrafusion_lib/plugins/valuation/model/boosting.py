"""Gradient-boosted trees (LightGBM) on the part of a price that comparables leave unexplained.

The sales, signals and thresholds that a tree draws are random. Several boosters are trained and
averaged, so that a value does not depend on one draw.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from terrafusion_lib.plugins.valuation.model.signals import RISING, SIGNALS
from terrafusion_lib.plugins.valuation.model.tree_shares import Tree, read_trees
from terrafusion_lib.plugins.valuation.params import TreeSettings
from terrafusion_lib.stats.strata import FloatArray, IntArray

if TYPE_CHECKING:
    import lightgbm

TREES = (75, 150, 300)
"""Numbers of trees to choose from; small markets overfit quickly."""
SETTINGS = {
    "objective": "huber",
    "alpha": 0.2,
    "bagging_freq": 1,
    "extra_trees": True,
    "path_smooth": 20,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbose": -1,
}
"""Fixed settings; the others are in ``params.TreeSettings``."""
FEW_ROWS = 1_000
"""With fewer rows, LightGBM's own SHAP values are faster."""


@dataclass(frozen=True)
class Booster:
    """Fitted boosters, which are averaged, as LightGBM text, so that a saved model is identical.
    `used` is the number of trees used from each.
    """

    texts: tuple[str, ...]
    used: int

    @cached_property
    def boosters(self) -> "list[lightgbm.Booster]":
        """The boosters, ready to predict."""
        import lightgbm

        return [lightgbm.Booster(model_str=text) for text in self.texts]

    @cached_property
    def _trees(self) -> list[list[Tree] | None]:
        """The trees of each booster; None if one is too large for `tree_shares`."""
        return [
            read_trees(booster.dump_model(num_iteration=self.used)["tree_info"])
            for booster in self.boosters
        ]

    def predict(self, signals: FloatArray) -> FloatArray:
        """Log of price over the comparables' value, one per row of `signals`."""
        return self._mean(lambda booster: self._asked(booster, signals), 1)

    def contributions(self, signals: FloatArray, threads: int = 1) -> FloatArray:
        """Exact SHAP values (tree path-dependent): one column per signal, then the mean, log.

        Lundberg et al., Nature Machine Intelligence 2 (2020): a row sums to its prediction.
        """
        trees = (
            dict(zip(self.boosters, self._trees, strict=True)) if len(signals) > FEW_ROWS else {}
        )
        columns = np.asfortranarray(signals)

        def shares(booster: "lightgbm.Booster") -> FloatArray:
            own = trees.get(booster)
            if own is None:
                return self._asked(booster, signals, pred_contrib=True)
            total = np.zeros((len(columns), columns.shape[1] + 1), order="F")
            for tree in own:
                tree.add_to(total, columns)
            return total

        return self._mean(shares, threads)

    def leaves(self, signals: FloatArray) -> IntArray:
        """Leaf of the first booster that each row falls into, by tree."""
        leaf = self._asked(self.boosters[0], signals, pred_leaf=True)
        return leaf.astype(np.int64)

    def _asked(self, booster: "lightgbm.Booster", signals: FloatArray, **what: bool) -> FloatArray:
        predicted = booster.predict(signals, num_iteration=self.used, num_threads=1, **what)
        return np.asarray(predicted, dtype=np.float64)

    def _mean(self, said: "Callable[[lightgbm.Booster], FloatArray]", threads: int) -> FloatArray:
        """Mean of the boosters' predictions, summed in order."""
        with ThreadPoolExecutor(threads) as pool:
            words = iter(pool.map(said, self.boosters))
            total = next(words)
            for word in words:
                total += word
        return total / len(self.boosters)


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

    One thread: sums then have a fixed order, so the same sales give the same trees on every
    machine.
    """
    import lightgbm

    data = lightgbm.Dataset(signals, target, feature_name=list(names))
    # LightGBM's seeds are 32-bit and signed.
    parameters = SETTINGS | {
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
        "max_depth": settings.depth,
        "min_data_in_leaf": settings.min_sales_in_leaf,
        "feature_fraction": settings.signal_share,
        "bagging_fraction": settings.sales_share,
        "seed": seed % (2**31 - 1),
        "monotone_constraints": [int(name in RISING) for name in names],
    }
    return Booster((lightgbm.train(parameters, data, trees).model_to_string(),), trees)
