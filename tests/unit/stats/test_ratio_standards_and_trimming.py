"""Limits, verdicts and trimming rules."""

import math

import numpy as np
import pytest

from terrafusion_lib.core.schema import PROPERTY_TYPES
from terrafusion_lib.stats.standards import (
    INCONCLUSIVE,
    MET,
    NOT_MET,
    TOO_FEW,
    Edition,
    MarketArea,
    Trimming,
    limit,
    verdict,
)
from terrafusion_lib.stats.trimming import kept

NONE = (math.nan, math.nan)


@pytest.mark.parametrize(
    ("statistic", "property_type", "ends"),
    [
        ("median_ratio", None, (0.90, 1.10)),
        ("prd", None, (0.98, 1.03)),
        ("prb", None, (-0.05, 0.05)),
        ("cod", "residential", (5.0, 15.0)),
        ("cod", "vacant_land", (5.0, 25.0)),
        ("cod", "commercial", (5.0, 20.0)),
    ],
)
def test_limits_are_inclusive_and_cited(statistic, property_type, ends) -> None:
    allowed = limit(statistic, property_type)
    assert allowed is not None
    assert (allowed.low, allowed.high) == ends
    assert allowed.citation
    for end in ends:
        for figure in (end, np.nextafter(end, -99), np.nextafter(end, 99)):
            assert verdict(figure, NONE, allowed, n=50) == MET, "the last bit decides nothing"
    for beyond in (ends[1] + 1e-9, ends[0] - 1e-9):
        assert verdict(beyond, (beyond, beyond), allowed, n=50) == NOT_MET
        assert verdict(beyond, NONE, allowed, n=50) == INCONCLUSIVE, "nothing was shown"


def test_what_has_no_limit_has_no_verdict() -> None:
    assert limit("mean_ratio") is None
    assert limit("cod", None) is None
    assert limit("cod", "special_purpose") is None
    assert verdict(1.0, (0.9, 1.1), None, n=50) is None
    assert {kind for kind in PROPERTY_TYPES if limit("cod", kind) is None} == {"special_purpose"}


def test_an_interval_that_reaches_the_limit_is_inconclusive() -> None:
    allowed = limit("cod", "residential")
    assert verdict(15.5, (14.9, 16.4), allowed, n=50) == INCONCLUSIVE
    assert verdict(15.5, (15.0, 16.4), allowed, n=50) == INCONCLUSIVE
    assert verdict(15.5, (15.1, 16.4), allowed, n=50) == NOT_MET
    assert verdict(4.0, (3.5, 5.2), allowed, n=50) == INCONCLUSIVE


def test_too_few_sales_get_no_judgment() -> None:
    allowed = limit("median_ratio")
    assert verdict(1.0, (0.9, 1.1), allowed, n=9) == TOO_FEW
    assert verdict(1.0, (0.9, 1.1), allowed, n=10) == MET
    assert verdict(math.nan, NONE, allowed, n=50) == TOO_FEW


@pytest.mark.parametrize(
    ("edition", "market", "kind", "ends"),
    [
        (Edition.IAAO_2013, MarketArea.ACTIVE, "residential", (5, 10)),
        (Edition.IAAO_2013, MarketArea.ACTIVE, "commercial", (5, 15)),
        (Edition.IAAO_2013_OVERSIGHT, MarketArea.RURAL, "commercial", (5, 25)),
        (Edition.IAAO_2013_OVERSIGHT, MarketArea.ACTIVE, "vacant_land", (5, 15)),
        (Edition.IAAO_1999, MarketArea.TYPICAL, "residential", (0, 15)),
    ],
)
def test_cod_limits_go_by_edition_and_market(edition, market, kind, ends) -> None:
    allowed = limit("cod", kind, edition=edition, market=market)
    assert (allowed.low, allowed.high) == ends
    assert edition.removeprefix("iaao_")[:4] in allowed.citation


def test_every_edition_has_limits_for_every_type_and_only_new_ones_for_prb() -> None:
    for edition in Edition:
        for market in MarketArea:
            without = {
                k for k in PROPERTY_TYPES if not limit("cod", k, edition=edition, market=market)
            }
            assert without == {"special_purpose"}
        assert (limit("prb", edition=edition) is None) == (edition is Edition.IAAO_1999)


def test_iqr_rule_leaves_out_extremes_only() -> None:
    ratios = np.concatenate([np.linspace(0.8, 1.2, 41), [0.05, 1.79, 1.81, 9.0]])
    first, third = np.quantile(ratios, [0.25, 0.75])
    reach = 3 * (third - first)
    expected = (ratios >= first - reach) & (ratios <= third + reach)
    assert kept(ratios, Trimming.IQR).tolist() == expected.tolist()
    assert kept(ratios, Trimming.NONE).all()
    assert kept(ratios[-4:], Trimming.IQR).all()  # too few for quartiles


def test_wac_rule_stops_at_five_percent_of_the_sales() -> None:
    few = np.concatenate([np.full(95, 1.0), [0.24, 1.76, 0.2, 2.0, 3.0]])
    assert kept(few, Trimming.WAC).sum() == 95
    many = np.concatenate([np.full(94, 1.0), [0.24, 1.76, 0.2, 2.0, 3.0, 0.1]])
    assert kept(many, Trimming.WAC).all()
    assert kept(np.array([0.25, 1.75] * 10), Trimming.WAC).all()
