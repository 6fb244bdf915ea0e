"""Sales most alike by leaf co-occurrence: the inverted index against brute force, one thread.

500 trees of 15 leaves fitted on 20,000 made-up sales; both find the same five for each subject.

    python benchmarks/leaf_similarity.py [--quick]
"""

import argparse
import time

import lightgbm
import numpy as np
from threadpoolctl import threadpool_limits

from terrafusion_lib.plugins.valuation.model.leaf_similarity import LeafIndex

WANTED = 5


def made_up(sales: int, subjects: int, trees: int) -> tuple[np.ndarray, np.ndarray]:
    """Leaves of sales and subjects in a fitted forest."""
    rng = np.random.default_rng(0)
    signals = rng.normal(size=(sales + subjects, 20))
    price = (
        signals[:, :6].sum(axis=1) + np.sin(3 * signals[:, 0]) + rng.normal(0, 0.5, len(signals))
    )
    settings = {
        "num_leaves": 15,
        "learning_rate": 0.06,
        "feature_fraction": 0.6,
        "num_threads": 1,
        "verbose": -1,
    }
    forest = lightgbm.train(settings, lightgbm.Dataset(signals[:sales], price[:sales]), trees)
    leaves = np.asarray(forest.predict(signals, pred_leaf=True, num_threads=1), dtype=np.int64)
    return leaves[:sales], leaves[sales:]


def brute_force(sales: np.ndarray, subject: np.ndarray) -> np.ndarray:
    """Counts of the best sales of each subject, by comparing every pair (leaves as bytes)."""
    best = np.empty((len(subject), WANTED), dtype=np.int64)
    for row, leaves in enumerate(subject):
        counts = (sales == leaves).sum(axis=1)
        best[row] = np.sort(counts)[::-1][:WANTED]
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="100 trees, 2,000 sales")
    quick = parser.parse_args().quick
    trees, count, subjects = (100, 2_000, 100) if quick else (500, 20_000, 400)
    sales, subject = made_up(count, subjects, trees)
    rng = np.random.default_rng(1)
    day, x, y = rng.integers(-1_000, 0, count).astype(float), *rng.uniform(0, 1e5, (2, count))
    index = LeafIndex(sales, day, x, y, np.arange(count))
    started = time.perf_counter()
    index._sets  # noqa: B018, SLF001 - built on first use
    built = time.perf_counter() - started
    place = np.zeros(subjects)
    other = np.full(subjects, -1)
    started = time.perf_counter()
    found = index.most_alike(subject, place, place, other, WANTED)
    ours = (time.perf_counter() - started) / subjects
    as_bytes = sales.astype(np.uint8)
    few = subject[: max(subjects // 4, 25)].astype(np.uint8)
    started = time.perf_counter()
    brute = brute_force(as_bytes, few)
    theirs = (time.perf_counter() - started) / len(few)
    assert np.array_equal(brute, found.count[: len(few)]), "counts differ"
    print(f"{trees} trees, {count:,} sales, one thread; index built in {built:.2f} s")
    print(f"index       {1_000 * ours:7.3f} ms a subject")
    print(f"brute force {1_000 * theirs:7.3f} ms a subject, {theirs / ours:.1f} times as long")


if __name__ == "__main__":
    with threadpool_limits(limits=1):
        main()
