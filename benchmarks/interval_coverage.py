"""How often bootstrapped 95 percent intervals hold the truth, by number of sales.

    python benchmarks/interval_coverage.py [--quick]

Samples of a known population of log-normal prices and values with a mild bias; its own statistics
are the truth.
"""

import argparse

import numpy as np

from terrafusion_lib.stats.intervals import percentile_intervals
from terrafusion_lib.stats.points import POINTS
from terrafusion_lib.stats.resampling import BOOTSTRAPPED, bootstrap
from terrafusion_lib.stats.strata import stratify

SIZES = (10, 20, 60, 200)
POPULATION = 2_000_000


def population(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    price = np.exp(rng.normal(13, 0.5, POPULATION))
    drift = 0.02 * (np.log(price) - 13)
    return price * np.exp(rng.normal(-0.03, 0.15, POPULATION) + drift), price


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="100 samples of each size")
    samples = 100 if parser.parse_args().quick else 400
    rng = np.random.default_rng(5)
    appraised, price = population(rng)
    whole = stratify(appraised, price)
    truth = [float(POINTS[name](whole)[0]) for name in BOOTSTRAPPED]
    print("sales  " + "  ".join(f"{name:>19}" for name in BOOTSTRAPPED))
    for size in SIZES:
        held = np.zeros(len(BOOTSTRAPPED))
        for seed in range(samples):
            drawn = rng.integers(0, POPULATION, size)
            sample = stratify(appraised[drawn], price[drawn])
            found = bootstrap(sample.appraised, sample.price, replicates=1000, seed=seed)
            ends = percentile_intervals(found, 0.95)
            held += [low <= known <= high for (low, high), known in zip(ends, truth, strict=True)]
        print(f"{size:5}  " + "  ".join(f"{share:19.2f}" for share in held / samples), flush=True)


if __name__ == "__main__":
    main()
