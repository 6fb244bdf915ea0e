"""A ratio study: every statistic of every stratum, with interval, limit and verdict."""

import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from terrafusion_lib.stats import points
from terrafusion_lib.stats.intervals import (
    Interval,
    median_interval,
    percentile_intervals,
    prb_interval,
    share_interval,
)
from terrafusion_lib.stats.resampling import BOOTSTRAPPED, bootstrap
from terrafusion_lib.stats.standards import (
    MIN_SALES,
    Edition,
    Limit,
    MarketArea,
    Trimming,
    limit,
    verdict,
)
from terrafusion_lib.stats.strata import FloatArray, IntArray, RatioDataError, Strata, stratify
from terrafusion_lib.stats.trimming import kept
from terrafusion_lib.stats.vertical import MEDIAN_CONFIDENCE, vei

OVERALL, ALL = "overall", "all"
PROPERTY_TYPE = "property_type"
COLUMNS = (
    "study",
    "grouping",
    "stratum",
    "statistic",
    "n",
    "estimate",
    "ci_low",
    "ci_high",
    "confidence_level",
    "limit_low",
    "limit_high",
    "verdict",
    "standard",
)
"""Columns of ``core.schema.RATIO_STATISTICS`` without run and county, which the caller adds."""


@dataclass(frozen=True)
class StudyOptions:
    """Options of a study.

    `trimming` applies to the study as a whole, before strata are formed. Strata below two sales
    get averages without intervals; `replicates` 0 omits bootstrapped intervals.
    """

    confidence: float = 0.95
    replicates: int = 1000
    seed: int = 0
    trimming: Trimming = Trimming.NONE
    min_sales: int = MIN_SALES
    edition: Edition = Edition.IAAO_2013
    market: MarketArea = MarketArea.TYPICAL

    def limit(self, statistic: str, property_type: str | None) -> Limit | None:
        """The limit that a statistic of such property is held to."""
        return limit(statistic, property_type, edition=self.edition, market=self.market)


@dataclass
class _Figures:
    """One statistic over the strata of a grouping."""

    estimate: FloatArray
    confidence: float
    low: FloatArray = field(init=False)
    high: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        self.low = np.full(self.estimate.size, np.nan)
        self.high = np.full(self.estimate.size, np.nan)


def ratio_study(
    appraised: ArrayLike,
    price: ArrayLike,
    groups: Mapping[str, Sequence[object]],
    *,
    study: str,
    options: StudyOptions | None = None,
) -> dict[str, list[object]]:
    """Ratio statistics overall and by each grouping, one row per stratum and statistic.

    Parameters
    ----------
    appraised, price : array-like
        Values and (time-adjusted) prices of the same sales, US dollars, by position.
    groups : mapping
        Labels of the sales by grouping, such as ``{"neighborhood_code": codes}``; a None label
        leaves the sale out of that grouping. The grouping ``property_type`` also decides which
        COD limit a stratum is held to: that of its type when all its sales share one.
    study : str
        Which values are studied, such as ``appraised`` or ``model_holdout``.

    Returns
    -------
    dict
        Columns named in `COLUMNS`, null as None; strata sorted by label, `overall` first.

    Raises
    ------
    RatioDataError
        A pair is unusable (see :func:`~terrafusion_lib.stats.strata.usable`) or labels and sales
        differ in number.
    """
    options = options or StudyOptions()
    checked = stratify(appraised, price)  # refuses unusable pairs before anything else
    value, paid = np.asarray(appraised, dtype=np.float64), np.asarray(price, dtype=np.float64)
    _check_labels(groups, value.size)
    stays = kept(value / paid, options.trimming)
    value, paid = value[stays], paid[stays]
    labeled = {OVERALL: np.full(value.size, ALL, dtype=object)} | {
        name: np.asarray(labels, dtype=object)[stays] for name, labels in groups.items()
    }
    types = labeled.get(PROPERTY_TYPE, np.full(value.size, None, dtype=object))
    columns: dict[str, list[object]] = {name: [] for name in COLUMNS}
    if checked.ratio.size == 0:
        return columns
    for grouping, labels in labeled.items():
        codes, strata_labels = encode(labels)
        strata = stratify(value, paid, codes, len(strata_labels))
        shared = _shared_types(codes, types, len(strata_labels))
        keys = [(study, grouping, label) for label in strata_labels]
        for statistic, figures in _statistics(strata, keys, options).items():
            allowed = [options.limit(statistic, kind) for kind in shared]
            for row in _rows(keys, statistic, strata.n, figures, allowed, options=options):
                for name, item in zip(COLUMNS, row, strict=True):
                    columns[name].append(item)
    return columns


def signal_rows(
    study: str,
    grouping: str,
    stratum: str,
    signals: Mapping[str, tuple[int, float, Interval]],
    options: StudyOptions,
) -> dict[str, list[object]]:
    """Figures computed elsewhere (number of sales, estimate, interval) as rows of a study.

    Those that are undefined, for too few sales, are left out.
    """
    columns: dict[str, list[object]] = {name: [] for name in COLUMNS}
    for statistic, (n, estimate, interval) in signals.items():
        if not math.isfinite(estimate):
            continue
        figures = _Figures(np.array([estimate]), options.confidence)
        figures.low[:], figures.high[:] = interval
        key, allowed = (study, grouping, stratum), options.limit(statistic, None)
        sizes = np.array([n], dtype=np.int64)
        for row in _rows([key], statistic, sizes, figures, [allowed], options=options):
            for name, item in zip(COLUMNS, row, strict=True):
                columns[name].append(item)
    return columns


def encode(labels: np.ndarray) -> tuple[IntArray, list[str]]:
    """Numbers of the sorted text labels; -1 for None and NaN."""
    missing = np.equal(labels, np.array(None, dtype=object)) | (labels != labels)  # noqa: PLR0124
    known = ~missing.astype(np.bool_)
    codes = np.full(labels.size, -1, dtype=np.int64)
    if not known.any():
        return codes, []
    names, numbers = np.unique(labels[known].astype(str), return_inverse=True)
    codes[known] = numbers
    return codes, [str(name) for name in names]


def _check_labels(groups: Mapping[str, Sequence[object]], size: int) -> None:
    for name, labels in groups.items():
        if len(labels) != size:
            raise RatioDataError(f"{len(labels):,} labels of {name} for {size:,} sales")


def _shared_types(codes: IntArray, types: np.ndarray, count: int) -> list[str | None]:
    """The property type that all sales of a stratum share; None for a mixture."""
    type_codes, names = encode(types)
    low, high = np.full(count, len(names)), np.full(count, -1)
    member = codes >= 0
    np.minimum.at(low, codes[member], type_codes[member])
    np.maximum.at(high, codes[member], type_codes[member])
    return [
        names[first] if first == last and first >= 0 else None
        for first, last in zip(low.tolist(), high.tolist(), strict=True)
    ]


def _statistics(
    strata: Strata, keys: list[tuple[str, str, str]], options: StudyOptions
) -> dict[str, _Figures]:
    level = options.confidence
    figures = {name: _Figures(compute(strata), level) for name, compute in points.POINTS.items()}
    slope = points.prb_slope(strata)
    figures["prb"].low, figures["prb"].high = prb_interval(slope, level)
    vertical = vei(strata)
    figures["vei"] = _Figures(vertical.estimate, MEDIAN_CONFIDENCE)
    figures["vei"].low, figures["vei"].high = vertical.low, vertical.high
    for name, tolerance in points.SHARES.items():
        figures[name] = _Figures(points.share_within(strata, tolerance), level)
        figures[name].low, figures[name].high = share_interval(
            figures[name].estimate, strata.n, level
        )
    for stratum, key in enumerate(keys):
        rows = strata.rows(stratum)
        ends = {"median_ratio": median_interval(strata.ratio[rows], level)}
        ends |= _bootstrapped(strata, rows, key, options)
        for name, interval in ends.items():
            figures[name].low[stratum], figures[name].high[stratum] = interval
    return figures


FIRST_NAMES = {"appraised": "assessed"}
"""Names of studies when their intervals were first published: the draws, and so the intervals of
earlier years' reports, stay what they were."""


def _bootstrapped(
    strata: Strata, rows: slice, key: tuple[str, str, str], options: StudyOptions
) -> dict[str, Interval]:
    """Bootstrap intervals of one stratum, seeded by its name: other strata do not change them."""
    if options.replicates == 0 or rows.stop - rows.start < points.MINIMUM["cod"]:
        return {}
    study, *stratum = key
    name = "\n".join([FIRST_NAMES.get(study, study), *stratum])
    seed = [options.seed, zlib.crc32(name.encode())]
    drawn = bootstrap(
        strata.appraised[rows], strata.price[rows], replicates=options.replicates, seed=seed
    )
    return dict(zip(BOOTSTRAPPED, percentile_intervals(drawn, options.confidence), strict=True))


def _rows(
    keys: list[tuple[str, str, str]],
    statistic: str,
    n: IntArray,
    figures: _Figures,
    allowed: list[Limit | None],
    *,
    options: StudyOptions,
) -> Iterator[tuple[object, ...]]:
    """One statistic's rows, in the order of `COLUMNS`."""
    ends = zip(figures.low.tolist(), figures.high.tolist(), strict=True)
    for key, sales, estimate, interval, bound in zip(
        keys, n.tolist(), figures.estimate.tolist(), ends, allowed, strict=True
    ):
        yield (
            *key,
            statistic,
            sales,
            _known(estimate),
            _known(interval[0]),
            _known(interval[1]),
            figures.confidence if math.isfinite(interval[0]) else None,
            bound.low if bound else None,
            bound.high if bound else None,
            verdict(estimate, interval, bound, n=sales, min_sales=options.min_sales),
            bound.citation if bound else None,
        )


def _known(figure: float) -> float | None:
    return figure if math.isfinite(figure) else None
