"""The rules that screen a sale, in the order in which their reasons are told.

A person's word stands above all. Codes and deeds decide whether a sale is used. Whatever else
speaks against a sale makes it suspect only: strangers may share a surname, and to leave sales out
because their price disagrees with the model would make any model look right (IAAO Standard on
Ratio Studies, 2013, on outliers and on sales chasing).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

import numpy as np

from terrafusion_lib.plugins.valuation.sales.evidence import Evidence
from terrafusion_lib.plugins.valuation.subjects import TextArray, absent
from terrafusion_lib.stats.strata import BoolArray, FloatArray

BY_CODES, BY_MACHINE, BY_PERSON = "codes", "machine", "person"
LOOKS_VALID = 1.5
"""Robust deviations within which the price of a sale coded invalid looks like any other's."""


@dataclass(frozen=True)
class Facts:
    """What the rules look at, by row of the sales table.

    Scores are in robust deviations, NaN where the price is explained or cannot be compared; above
    `limit` a price is odd. `ratio_code` is the numeral that was recorded with the sale. `odd` are
    rows that a rule further up finds suspect.
    """

    evidence: Evidence
    rate_score: FloatArray
    swing_score: FloatArray
    model_score: FloatArray
    limit: float
    ratio_code: TextArray
    odd: BoolArray


class Effect(Enum):
    """What becomes of a sale for which a rule holds."""

    PERSON = auto()
    """What the person said."""
    INVALID = auto()
    SUSPECT = auto()
    """Suspect, unless it is invalid."""
    REOPENED = auto()
    """Suspect, although it is invalid."""
    TOLD = auto()
    """The reason is told, and nothing more."""


@dataclass(frozen=True)
class Rule:
    """One rule: where it holds, and the reason, verdict and WAC 458-53-080 numeral that it gives.

    `detail` ends the reason, by row. `decided_by` says who decides where the rule is the first that
    does.
    """

    name: str
    effect: Effect
    holds: Callable[[Facts], BoolArray]
    reason: str = ""
    detail: Callable[[Facts], TextArray] | None = None
    numeral: Callable[[Facts], TextArray] | None = None
    decided_by: str = ""


def _looks_valid(facts: Facts) -> BoolArray:
    """Coded invalid, but nothing else speaks against it and the model agrees with the price."""
    evidence = facts.evidence
    clean = absent(evidence.deed) & ~facts.odd & ~evidence.several
    return np.asarray(~evidence.codes_valid & clean & (facts.model_score < LOOKS_VALID))


RULES = (
    Rule(
        "person",
        Effect.PERSON,
        lambda facts: np.isfinite(facts.evidence.decision),
        detail=lambda facts: facts.evidence.decided_by,
        numeral=lambda facts: facts.ratio_code,
        decided_by=BY_PERSON,
    ),
    Rule(
        "codes",
        Effect.INVALID,
        lambda facts: ~facts.evidence.codes_valid,
        "codes say invalid",
        numeral=lambda facts: facts.ratio_code,
        decided_by=BY_CODES,
    ),
    Rule(
        "deed",
        Effect.INVALID,
        lambda facts: ~absent(facts.evidence.deed),
        "deed is not at arm's length",
        numeral=lambda facts: facts.evidence.deed,
        decided_by=BY_MACHINE,
    ),
    Rule(
        "entered_twice",
        Effect.INVALID,
        lambda facts: facts.evidence.twice,
        "entered twice: another sale has the same parcel, day and price",
        decided_by=BY_MACHINE,
    ),
    Rule(
        "several_parcels",
        Effect.TOLD,
        lambda facts: facts.evidence.several,
        "several parcels",
    ),
    Rule(
        "price_per_area",
        Effect.SUSPECT,
        lambda facts: facts.rate_score > facts.limit,
        "price per square foot is far from the area's",
    ),
    Rule(
        "price_change",
        Effect.SUSPECT,
        lambda facts: facts.swing_score > facts.limit,
        "price changed oddly since the parcel's other sale",
    ),
    Rule(
        "model_value",
        Effect.SUSPECT,
        lambda facts: facts.model_score > facts.limit,
        "price is far from the model's value",
    ),
    Rule(
        "excise_exemption",
        Effect.SUSPECT,
        lambda facts: facts.evidence.exempt,
        "excise tax exemption claimed",
    ),
    Rule(
        "conveyed_twice",
        Effect.SUSPECT,
        lambda facts: facts.evidence.chained,
        "conveyed twice within a month",
    ),
    Rule(
        "nominal_price",
        Effect.SUSPECT,
        lambda facts: facts.evidence.nominal,
        "price is nominal",
    ),
    Rule(
        "parties",
        Effect.SUSPECT,
        lambda facts: ~absent(facts.evidence.parties),
        "seller and buyer: ",
        detail=lambda facts: facts.evidence.parties,
    ),
    Rule(
        "looks_valid",
        Effect.REOPENED,
        _looks_valid,
        "coded invalid, but deed and price look valid",
    ),
)


def rows_by_rule(facts: Facts) -> Iterator[tuple[Rule, BoolArray]]:
    """Each rule in order, and the rows for which it holds."""
    for rule in RULES:
        rows = rule.holds(facts)
        if rule.effect is Effect.SUSPECT:
            facts = replace(facts, odd=facts.odd | rows)
        yield rule, rows
