"""The table of screening rules: each rule on one sale for which nothing but it holds."""

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.sales.evidence import Evidence
from terrafusion_lib.plugins.valuation.sales.rules import RULES, Facts, rows_by_rule
from terrafusion_lib.plugins.valuation.sales.screening import Screening, screen

LIMIT = 4.0
CODE = "14"


def flag(value: bool) -> np.ndarray:
    return np.array([value])


def text(value: str | None) -> np.ndarray:
    return np.array([value], dtype=object)


def number(value: float) -> np.ndarray:
    return np.array([value])


CLEAN = Evidence(
    codes_valid=flag(True),
    deed=text(None),
    exempt=flag(False),
    parties=text(None),
    nominal=flag(False),
    several=flag(False),
    chained=flag(False),
    twice=flag(False),
    rate_score=number(np.nan),
    swing_score=number(np.nan),
    decision=number(np.nan),
    decided_by=text(None),
    unknown_decisions=(),
)
PERSON_SAYS_NO = {"decision": number(0.0), "decided_by": text("ana: interview")}
PERSON_SAYS_YES = PERSON_SAYS_NO | {"decision": number(1.0)}


def facts(scores: dict[str, float], **changes: Any) -> Facts:
    known = {"rate_score": np.nan, "swing_score": np.nan, "model_score": np.nan} | scores
    return Facts(
        evidence=replace(CLEAN, **changes),
        limit=LIMIT,
        ratio_code=text(CODE),
        odd=flag(False),
        **{name: number(score) for name, score in known.items()},
    )


def screened(**changes: Any) -> Screening:
    sales = pa.table({"dor_ratio_code": [CODE]})
    evidence = replace(CLEAN, **changes)
    return screen(sales, evidence, number(np.nan), text(None), ValuationParams())


def told(screening: Screening) -> tuple[str, str, str | None, str | None]:
    columns = (screening.verdict, screening.decided_by, screening.reasons, screening.numeral)
    return tuple(column[0] for column in columns)


HOLDS: list[tuple[str, dict[str, float], dict[str, Any]]] = [
    ("person", {}, PERSON_SAYS_NO),
    ("codes", {}, {"codes_valid": flag(False)}),
    ("deed", {}, {"deed": text("09")}),
    ("entered_twice", {}, {"twice": flag(True)}),
    ("several_parcels", {}, {"several": flag(True)}),
    ("price_per_area", {"rate_score": LIMIT + 1}, {}),
    ("price_change", {"swing_score": LIMIT + 1}, {}),
    ("model_value", {"model_score": LIMIT + 1}, {}),
    ("excise_exemption", {}, {"exempt": flag(True)}),
    ("conveyed_twice", {}, {"chained": flag(True)}),
    ("nominal_price", {}, {"nominal": flag(True)}),
    ("parties", {}, {"parties": text("same surname")}),
]


def names_of(given: Facts) -> list[str]:
    return [rule.name for rule, rows in rows_by_rule(given) if rows[0]]


def test_every_rule_has_a_name_of_its_own_and_a_case_here() -> None:
    assert [rule.name for rule in RULES] == [*(name for name, _, _ in HOLDS), "looks_valid"]


def test_no_rule_holds_for_a_sale_that_nothing_speaks_against() -> None:
    assert names_of(facts({})) == []
    assert told(screened()) == ("valid", "codes", None, None)


@pytest.mark.parametrize(("name", "scores", "changes"), HOLDS)
def test_a_rule_holds_where_its_evidence_speaks(
    name: str, scores: dict[str, float], changes: dict[str, Any]
) -> None:
    assert names_of(facts(scores, **changes)) == [name]


@pytest.mark.parametrize(
    ("changes", "odd"),
    [({}, False), ({"exempt": flag(True)}, True), ({"deed": text("09")}, True),
     ({"several": flag(True)}, True)],
)  # fmt: skip
def test_a_sale_coded_invalid_is_reopened_only_where_nothing_else_speaks_against_it(
    changes: dict[str, Any], odd: bool
) -> None:
    near = facts({"model_score": 0.5}, codes_valid=flag(False), **changes)
    assert ("looks_valid" in names_of(near)) != odd


@pytest.mark.parametrize(
    ("changes", "verdict", "decided_by", "numeral"),
    [
        ({"codes_valid": flag(False)}, "invalid", "codes", CODE),
        ({"deed": text("09")}, "invalid", "machine", "09"),
        ({"codes_valid": flag(False), "deed": text("09")}, "invalid", "codes", "09"),
        ({"chained": flag(True)}, "suspect", "codes", None),
        ({"codes_valid": flag(False), "chained": flag(True)}, "invalid", "codes", CODE),
        ({"several": flag(True)}, "valid", "codes", None),
        (PERSON_SAYS_NO, "invalid", "person", CODE),
        (PERSON_SAYS_NO | {"deed": text("09")}, "invalid", "person", "09"),
        (PERSON_SAYS_YES | {"deed": text("09"), "exempt": flag(True)}, "valid", "person", None),
    ],
)  # fmt: skip
def test_a_person_stands_above_codes_above_deeds_above_what_looks_odd(
    changes: dict[str, Any], verdict: str, decided_by: str, numeral: str | None
) -> None:
    screening = told(screened(**changes))
    assert (screening[0], screening[1], screening[3]) == (verdict, decided_by, numeral)


def test_reasons_are_told_in_the_order_of_the_rules() -> None:
    every = PERSON_SAYS_NO | {
        "parties": text("same party"),
        "codes_valid": flag(False),
        "nominal": flag(True),
    }
    reasons = told(screened(**every))[2]
    assert reasons is not None
    parts = reasons.split("; ")
    by_name = {rule.name: rule.reason for rule in RULES}
    assert parts == [
        "ana: interview",
        by_name["codes"],
        by_name["nominal_price"],
        by_name["parties"] + "same party",
    ]
