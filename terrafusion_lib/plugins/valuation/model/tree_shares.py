"""Exact SHAP values of boosted trees, for all rows of a table at once.

Lundberg et al., Nature Machine Intelligence 2 (2020), the path-dependent form: an unknown signal
takes both branches, in proportion to the training rows. There are many rows but few paths through
a tree: each row's path is an integer with one bit per split, and shares are computed once per
occurring path, from a table with an entry for each set of satisfied signals of each leaf.
"""

from dataclasses import dataclass
from functools import cached_property
from math import comb
from typing import Any

import numpy as np

from terrafusion_lib.stats.strata import BoolArray, FloatArray, IntArray

MOST_SPLITS = 62
"""Splits of a tree that fit into the bits of an integer."""
MOST_SIGNALS = 10
"""Signals on the path to a leaf for which all subsets fit in a table."""
DIGITS = 12
"""Bits of a path distinguished at a time."""


@dataclass(frozen=True)
class Tree:
    """One tree: splits, and what each leaf needs to be reached.

    `signal`, `threshold`, `left_if_unknown` and `unknown_is_zero` by split. By leaf and place on
    its way (a place for each different signal, -1 beyond the last): `signals`, the splits that ask
    it as bits (`asked`), the answers that lead to the leaf (`wanted`), and the share of training
    rows that give them (`share`). `value` by leaf.
    """

    signal: IntArray
    threshold: FloatArray
    left_if_unknown: BoolArray
    unknown_is_zero: BoolArray
    signals: IntArray
    asked: IntArray
    wanted: IntArray
    share: FloatArray
    value: FloatArray

    @cached_property
    def shares(self) -> FloatArray:
        """What each place adds, by leaf, set of satisfied places (a bit each) and place.

        The Shapley value of a product: a satisfied place counts 1, another 0, and one that is not
        in the coalition its share.
        """
        leaves, places = self.signals.shape
        met = (np.arange(2**places)[:, None] >> np.arange(places)) & 1
        known = self.signals >= 0
        satisfied = np.where(known[:, None, :], met[None], 1).astype(np.float64)
        share = np.where(known, self.share, 1.0)
        count = known.sum(axis=1)
        added = np.zeros((leaves, 2**places, places))
        for place in range(places):
            others = np.zeros((leaves, 2**places, places))
            others[:, :, 0] = 1.0
            for other in range(places):
                if other == place:
                    continue
                inside, outside = satisfied[:, :, other, None], share[:, None, other, None]
                real = known[:, None, other, None]
                raised = np.zeros_like(others)
                raised[:, :, 1:] = others[:, :, :-1]
                others = np.where(real, others * outside + raised * inside, others)
            weight = np.array(
                [[_weight(size, total) for size in range(places)] for total in count.tolist()]
            )
            total = (others * weight[:, None, :]).sum(axis=2)
            gained = satisfied[:, :, place] - share[:, None, place]
            added[:, :, place] = np.where(known[:, None, place], total * gained, 0.0)
        return added * self.value[:, None, None]

    @property
    def expected(self) -> float:
        """Mean of the training rows' values."""
        return float((np.where(self.signals >= 0, self.share, 1.0).prod(axis=1) * self.value).sum())

    def ways(self, signals: FloatArray) -> IntArray:
        """Each row's path: bit s is set if it goes left at split s."""
        way = np.zeros(len(signals), dtype=np.int64)
        for split, signal in enumerate(self.signal.tolist()):
            value = signals[:, signal]
            unknown = np.isnan(value)
            if self.unknown_is_zero[split]:
                left = np.where(unknown, 0.0, value) <= self.threshold[split]
            else:
                left = np.where(
                    unknown, self.left_if_unknown[split], value <= self.threshold[split]
                )
            way |= left.astype(np.int64) << split
        return way

    def add_to(self, total: FloatArray, signals: FloatArray) -> None:
        """Add the tree's shares to `total` (row x signal, the mean in the last column)."""
        way, of_row = distinct(self.ways(signals), self.signal.size)
        met = (way[:, None, None] & self.asked) == self.wanted
        subset = (met << np.arange(self.signals.shape[1])).sum(axis=2)
        added = self.shares[np.arange(len(self.value)), subset]
        for signal in np.unique(self.signal).tolist():
            leaf, place = np.nonzero(self.signals == signal)
            total[:, signal] += added[:, leaf, place].sum(axis=1)[of_row]
        total[:, -1] += self.expected


def _weight(size: int, total: int) -> float:
    """Share of the orderings of `total` players in which exactly `size` precede a given one."""
    return 1 / (total * comb(total - 1, size)) if 0 <= size < total else 0.0


def distinct(way: IntArray, bits: int) -> tuple[IntArray, IntArray]:
    """The distinct paths, and the path of each row; digit by digit, without sorting."""
    paths, of_row = np.zeros(1, dtype=np.int64), np.zeros(way.size, dtype=np.int64)
    for first in range(0, bits, DIGITS):
        digit = (way >> first) & (2**DIGITS - 1)
        key = (of_row << DIGITS) | digit
        seen = np.flatnonzero(np.bincount(key, minlength=1))
        number = np.zeros(int(seen[-1]) + 1 if seen.size else 1, dtype=np.int64)
        number[seen] = np.arange(seen.size)
        paths = paths[seen >> DIGITS] | ((seen & (2**DIGITS - 1)) << first)
        of_row = number[key]
    return paths, of_row


def read_trees(described: list[dict[str, Any]]) -> list[Tree] | None:
    """The trees of LightGBM's ``dump_model()["tree_info"]``; None if one is too large."""
    trees = [_read(tree["tree_structure"]) for tree in described]
    return None if any(tree is None for tree in trees) else [tree for tree in trees if tree]


def _read(root: dict[str, Any]) -> Tree | None:
    splits: list[dict[str, Any]] = []
    ways: list[tuple[float, list[tuple[int, bool, float]]]] = []

    def walk(node: dict[str, Any], way: list[tuple[int, bool, float]]) -> None:
        if "split_feature" not in node:
            ways.append((float(node["leaf_value"]), way))
            return
        number = len(splits)
        splits.append(node)
        for side in ("left_child", "right_child"):
            child = node[side]
            share = _count(child) / node["internal_count"]
            walk(child, [*way, (number, side == "left_child", share)])

    walk(root, [])
    signal = np.array([node["split_feature"] for node in splits], dtype=np.int64)
    most = max((len({int(signal[s]) for s, _, _ in way}) for _, way in ways), default=0)
    if len(splits) > MOST_SPLITS or most > MOST_SIGNALS:
        return None
    shape = (len(ways), max(most, 1))
    signals, asked, wanted = (np.full(shape, fill, dtype=np.int64) for fill in (-1, 0, 0))
    share = np.ones(shape)
    for leaf, (_, way) in enumerate(ways):
        place: dict[int, int] = {}
        for split, left, part in way:
            at = place.setdefault(int(signal[split]), len(place))
            signals[leaf, at] = signal[split]
            asked[leaf, at] |= 1 << split
            wanted[leaf, at] |= int(left) << split
            share[leaf, at] *= part
    return Tree(
        signal=signal,
        threshold=np.array([node["threshold"] for node in splits], dtype=np.float64),
        left_if_unknown=np.array([node["default_left"] for node in splits], dtype=np.bool_),
        unknown_is_zero=np.array(
            [node["missing_type"] != "NaN" for node in splits], dtype=np.bool_
        ),
        signals=signals,
        asked=asked,
        wanted=wanted,
        share=share,
        value=np.array([value for value, _ in ways], dtype=np.float64),
    )


def _count(node: dict[str, Any]) -> int:
    return int(node["internal_count"] if "split_feature" in node else node["leaf_count"])
