"""Finds the tree settings that value a county's unseen sales best.

A trial trains the trees out of fold, by parcel, on the sales of the run's model; it uses no sale
on or after the valuation date. The settings tried depend only on the seed, so a resumed or
repeated search tries the same ones in the same order.
"""

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from terrafusion_lib.core.errors import ValuationError
from terrafusion_lib.core.progress import Progress, silent
from terrafusion_lib.plugins.valuation.model.ensemble import best_use, folds, second_level
from terrafusion_lib.plugins.valuation.model.markets import Market
from terrafusion_lib.plugins.valuation.params import TreeSettings
from terrafusion_lib.stats import ratio, reproducible

CHOICES: dict[str, tuple[float, ...]] = {
    "learning_rate": (0.03, 0.06, 0.1),
    "leaves": (7, 15, 31, 63),
    "depth": (3, 5, 8),
    "min_sales_in_leaf": (5, 10, 20, 40),
    "signal_share": (0.4, 0.6, 0.8),
    "sales_share": (0.6, 0.8, 1.0),
}
"""The search space."""


@dataclass(frozen=True)
class Trial:
    """Tree settings, their best use, and their results on unseen sales.

    `error` is the mean absolute error of log price, which decides; `cod` that of value / price,
    before the equity calibration.
    """

    settings: TreeSettings
    trees: int
    weight: float
    error: float
    cod: float


def tune(
    market: Market,
    *,
    trials: int,
    journal: Path,
    seed: int = 0,
    threads: int = 1,
    progress: Progress = silent,
) -> list[Trial]:
    """Try settings, starting with the market's own; returns trials best first. Each trial is
    appended to `journal` (JSON lines) immediately, so that an interrupted search resumes. Trials
    with other sales or another seed are ignored.

    Raises
    ------
    ValuationError
        The market has too few sales for trees.
    """
    params = market.model.finder.params
    sales, first = market.sales, market.out_of_fold.comparables
    if len(sales) < params.min_ensemble_sales:
        raise ValuationError(
            f"The market has {len(sales):,} valid sales: too few for trees",
            hint=f"trees need {params.min_ensemble_sales:,} (plugins.valuation.min_ensemble_sales)",
        )
    target = reproducible.log(sales.price) - first.log_value
    fold = folds(sales)
    digest = hashlib.sha256(f"{seed}".encode())
    for part in (first.signals, target, fold):
        digest.update(np.ascontiguousarray(part).tobytes())
    key = digest.hexdigest()
    known = _read(journal, key)
    made = []
    with ThreadPoolExecutor(threads) as pool:
        for number, settings in zip(range(trials), _candidates(params.trees, seed), strict=False):
            progress("tune", number, trials)
            if settings not in known:
                added, _ = second_level(first.signals, target, fold, seed, pool, settings=settings)
                trees, weight = best_use(added, target)
                log_value = first.log_value + weight * added[trees]
                known[settings] = Trial(
                    settings,
                    trees,
                    weight,
                    float(np.abs(reproducible.log(sales.price) - log_value).mean()),
                    ratio.cod(reproducible.exp(log_value), sales.price),
                )
                _append(journal, key, known[settings])
            made.append(known[settings])
    progress("tune", trials, trials)
    return sorted(made, key=lambda trial: trial.error)


def _candidates(own: TreeSettings, seed: int) -> Iterator[TreeSettings]:
    """The market's own settings, then all others in an order set by the seed."""
    yield own
    sizes = [len(values) for values in CHOICES.values()]
    for number in np.random.default_rng(seed).permutation(int(np.prod(sizes))).tolist():
        places = np.unravel_index(number, sizes)
        drawn = TreeSettings.model_validate(
            {name: CHOICES[name][place] for name, place in zip(CHOICES, places, strict=True)}
        )
        if drawn != own:
            yield drawn


def _read(journal: Path, key: str) -> dict[TreeSettings, Trial]:
    """Trials of the same sales; skips a line left unfinished by a killed search."""
    trials: dict[TreeSettings, Trial] = {}
    if not journal.is_file():
        return trials
    for line in journal.read_text(encoding="utf-8").splitlines():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        if row.pop("sales") == key:
            settings = TreeSettings(**row.pop("settings"))
            trials[settings] = Trial(settings, **row)
    return trials


def _append(journal: Path, key: str, trial: Trial) -> None:
    journal.parent.mkdir(parents=True, exist_ok=True)
    row = {"sales": key, "settings": trial.settings.model_dump()}
    row |= {name: getattr(trial, name) for name in ("trees", "weight", "error", "cod")}
    with journal.open("a+b") as file:
        if file.tell() > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
        file.write(json.dumps(row).encode() + b"\n")
