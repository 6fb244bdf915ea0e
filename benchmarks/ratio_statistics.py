"""Speed of the ratio statistics, beside assesspy where it is installed and the sort they need.

    python benchmarks/ratio_statistics.py [--quick]

Default: 100,000 ratios (quick: 10,000); every point statistic, every interval with 1,000
bootstrap replicates, and the study of a whole county: 40 areas x 3 classes x 8 years x 4 stages.
One thread. assesspy's bootstrap is timed on 20 replicates and scaled.
"""

import argparse
import time
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from threadpoolctl import threadpool_limits

from terrafusion_lib.stats.points import POINTS, SHARES, share_within
from terrafusion_lib.stats.strata import stratify
from terrafusion_lib.stats.study import StudyOptions, ratio_study
from terrafusion_lib.stats.vertical import vei


def sample(size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Log-normal prices and values with a COD near 12."""
    rng = np.random.default_rng(seed)
    price = np.exp(rng.normal(13, 0.5, size)).round(-2)
    return (price * np.exp(rng.normal(-0.03, 0.15, size))).round(-2), price


def as_after_reading_a_table() -> None:
    """Free one large block, as reading any table of a county does.

    From then on the C library keeps what is freed, and page faults are not timed as statistics.
    """
    np.ones(2_000_000)


def best(work: Callable[[], object], repeats: int) -> float:
    """Least processor time of some runs, seconds."""
    times = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def points(appraised: np.ndarray, price: np.ndarray) -> None:
    strata = stratify(appraised, price)
    for compute in POINTS.values():
        compute(strata)
    for tolerance in SHARES.values():
        share_within(strata, tolerance)
    vei(strata)


def ours(appraised: np.ndarray, price: np.ndarray) -> None:
    ratios = appraised / price
    floor = best(lambda: np.sort(ratios), 5)
    all_points = best(lambda: points(appraised, price), 5)
    in_sorts = all_points / floor
    print(f"every point statistic            {1e3 * all_points:8.1f} ms  {in_sorts:6.1f} sorts")
    options = StudyOptions(replicates=1000)
    every = best(lambda: ratio_study(appraised, price, {}, study="bench", options=options), 1)
    resample = best(lambda: np.random.default_rng(0).integers(0, price.size, price.size), 3)
    print(
        f"every interval, 1,000 replicates {1e3 * every:8.0f} ms  "
        f"{every / (1000 * resample):6.1f} times drawing the resamples alone"
    )


def peer(appraised: np.ndarray, price: np.ndarray) -> None:
    if find_spec("assesspy") is None:
        print("assesspy is not installed: no comparison")
        return
    import assesspy
    import pandas as pd

    value, paid = pd.Series(appraised), pd.Series(price)

    def four() -> None:
        for statistic in (assesspy.cod, assesspy.prd, assesspy.prb, assesspy.mki):
            statistic(value, paid)

    def same_four() -> None:
        strata = stratify(appraised, price)
        for name in ("cod", "prd", "prb", "mki"):
            POINTS[name](strata)

    theirs, ours_ = best(four, 1), best(same_four, 3)
    print(f"COD, PRD, PRB, MKI: assesspy     {1e3 * theirs:8.1f} ms, here {1e3 * ours_:.1f} ms")
    interval = 50 * best(lambda: assesspy.cod_ci(value, paid, nboot=20), 1)
    print(f"1,000 replicates of COD alone: assesspy {interval:.1f} s (scaled from 20)")
    for name in ("cod", "prd", "prb", "mki"):
        here = float(POINTS[name](stratify(appraised, price))[0])
        print(f"  {name}: assesspy {getattr(assesspy, name)(value, paid):.9f}, here {here:.9f}")


def county(size: int) -> None:
    """40 areas x 3 classes x 8 years x 4 stages, `size` sales in each of the 4 stages."""
    rng = np.random.default_rng(1)
    appraised, price = sample(4 * size)
    parts = [rng.integers(0, count, 4 * size) for count in (40, 3, 8)]
    labels = [f"{a:02d}|{c}|{y}|{s}" for a, c, y, s in zip(*parts, np.repeat(range(4), size))]  # noqa: B905
    seconds = best(
        lambda: ratio_study(
            appraised,
            price,
            {"stratum": labels},
            study="bench",
            options=StudyOptions(replicates=1000),
        ),
        1,
    )
    print(f"county study, {len(set(labels)):,} strata of {4 * size:,} ratios: {seconds:.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    size = 10_000 if quick else 100_000
    appraised, price = sample(size)
    print(f"{size:,} ratios, one thread, processor time")
    as_after_reading_a_table()
    ours(appraised, price)
    peer(appraised, price)
    county(size // 2)


if __name__ == "__main__":
    with threadpool_limits(limits=1):
        main()
