"""Screening of sales: the verdict on each, who decided, and why a person should look at it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.sales.evidence import Evidence, robust_scores
from terrafusion_lib.plugins.valuation.sales.rules import (
    BY_CODES,
    Effect,
    Facts,
    Rule,
    rows_by_rule,
)
from terrafusion_lib.plugins.valuation.subjects import TextArray, texts
from terrafusion_lib.stats import reproducible
from terrafusion_lib.stats.strata import BoolArray, FloatArray

VALID, INVALID, SUSPECT = "valid", "invalid", "suspect"
VERDICTS = ((Effect.SUSPECT, SUSPECT), (Effect.INVALID, INVALID), (Effect.REOPENED, SUSPECT))
"""Verdict of each effect, the weakest first."""

RowsByRule = Mapping[Rule, BoolArray]


@dataclass(frozen=True)
class Screening:
    """The verdict on every row of the sales table.

    `reasons` in words, `numeral` the state's code of the reason where one applies, `score` the
    largest robust deviation, `model_ratio` price over the value by models that had not seen it.
    """

    verdict: TextArray
    decided_by: TextArray
    reasons: TextArray
    numeral: TextArray
    score: FloatArray
    model_ratio: FloatArray


def screen(
    table: pa.Table,
    evidence: Evidence,
    model_ratio: FloatArray,
    kind: TextArray,
    params: ValuationParams,
) -> Screening:
    """Decide on every sale: a person's word first, then codes and deeds, then odd prices.

    Parameters
    ----------
    model_ratio : array
        Price over the model's value, by models that had not seen the sale; NaN where none values
        it.
    kind : array
        Market of each sale, within which ratios are compared.
    """
    facts = _facts(table, evidence, model_ratio, kind, params.suspect_deviations)
    rows = dict(rows_by_rule(facts))
    return Screening(
        verdict=_verdict(evidence, rows),
        decided_by=_decided_by(rows),
        reasons=_reasons(facts, rows),
        numeral=_numeral(facts, rows),
        score=np.fmax.reduce([facts.rate_score, facts.swing_score, facts.model_score]),
        model_ratio=model_ratio,
    )


def _facts(
    table: pa.Table, evidence: Evidence, model_ratio: FloatArray, kind: TextArray, limit: float
) -> Facts:
    """What the rules look at.

    A price per square foot or a change that looks odd is no more so where the model, which knows
    the property, values the sale near its price.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratio = reproducible.log(np.where(model_ratio > 0, model_ratio, np.nan))
    model_score = robust_scores(log_ratio, kind, among=evidence.usable())
    explained = ~np.isnan(model_score) & ~(model_score > limit / 2)
    left_open = ~explained & ~evidence.several
    return Facts(
        evidence=evidence,
        rate_score=np.where(left_open, evidence.rate_score, np.nan),
        swing_score=np.where(left_open, evidence.swing_score, np.nan),
        model_score=model_score,
        limit=limit,
        ratio_code=texts(table, "dor_ratio_code"),
        odd=np.zeros(table.num_rows, dtype=np.bool_),
    )


def _verdict(evidence: Evidence, rows: RowsByRule) -> TextArray:
    verdict: TextArray = np.full(evidence.decision.size, VALID, dtype=object)
    for effect, word in VERDICTS:
        for rule, held in rows.items():
            if rule.effect is effect:
                verdict[held] = word
    verdict[evidence.decision == 1] = VALID
    verdict[evidence.decision == 0] = INVALID
    return verdict


def _decided_by(rows: RowsByRule) -> TextArray:
    """Who decided on each sale: by the first rule that decides, by codes where none does."""
    deciding = [(rule.decided_by, held) for rule, held in rows.items() if rule.decided_by]
    who, where = zip(*deciding, strict=True)
    chosen = np.select(where, who, default=BY_CODES)
    return np.asarray(chosen, dtype=object)


def _reasons(facts: Facts, rows: RowsByRule) -> TextArray:
    """The reasons of all rules that hold, in the order of the rules; None without one."""
    reasons: TextArray = np.full(facts.odd.size, "", dtype=object)
    for rule, held in rows.items():
        detail = rule.detail(facts)[held] if rule.detail else ""
        between = np.where(reasons[held] == "", "", "; ")
        reasons[held] = reasons[held] + between + rule.reason + detail
    reasons[reasons == ""] = None
    return reasons


def _numeral(facts: Facts, rows: RowsByRule) -> TextArray:
    """Numeral of the last rule that gives one; None for sales that are used."""
    numeral: TextArray = np.full(facts.odd.size, None, dtype=object)
    for rule, held in rows.items():
        if rule.numeral:
            numeral[held] = rule.numeral(facts)[held]
    numeral[facts.evidence.usable()] = None
    return numeral
