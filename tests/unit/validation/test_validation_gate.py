"""The gate and the reconciliation."""

from pathlib import Path

import pytest

from terrafusion_lib.core.county import GateConfig
from terrafusion_lib.core.errors import GateError
from terrafusion_lib.validation.base import Severity
from terrafusion_lib.validation.gate import gate, reconcile
from terrafusion_lib.validation.results import RuleResult, TableCounts, ValidationResult

ROLL = "properties_operational"


def rule(failed: int, *, on_rows: bool = True, severity: str = "error") -> RuleResult:
    return RuleResult(
        table=ROLL,
        rule="some_rule",
        kind="expression",
        severity=Severity(severity),
        because="It must not be so.",
        source="",
        on_rows=on_rows,
        checked=100,
        failed=failed,
        passed=not failed,
        examples=("1", "2", "3", "4")[:failed],
    )


def result(quarantined: int, *rules: RuleResult, read: int = 100) -> ValidationResult:
    tables = {ROLL: TableCounts(read, quarantined, read - quarantined)}
    return ValidationResult(Path(), tables, rules or (rule(quarantined),))


def test_an_open_gate_says_nothing() -> None:
    gate(result(2), GateConfig(max_quarantined_share=0.02, min_rows={ROLL: 98}))
    gate(result(0, rule(5, severity="warning")), GateConfig(max_quarantined_share=0.0))
    gate(result(0, rule(5, severity="warning", on_rows=False)), GateConfig())


def test_too_many_quarantined_rows_close_it_and_the_main_cause_is_named() -> None:
    with pytest.raises(GateError) as caught:
        gate(result(3), GateConfig(max_quarantined_share=0.02), county="demo_wa")
    text = str(caught.value)
    assert "3 of 100 rows quarantined (3.0%, limit 2.0%)" in text
    assert "most by some_rule (3, such as 1, 2, 3)" in text
    assert "county demo_wa" in text
    assert caught.value.exit_code == 6


def test_too_few_rows_close_it() -> None:
    with pytest.raises(GateError, match="100 rows accepted, at least 101 required"):
        gate(result(0), GateConfig(min_rows={ROLL: 101}))
    with pytest.raises(GateError, match="sales: 0 rows accepted, at least 5 required"):
        gate(result(0), GateConfig(min_rows={"sales": 5}))


def test_a_roll_without_a_property_closes_it() -> None:
    with pytest.raises(GateError, match=f"{ROLL}: 0 rows accepted, at least 1"):
        gate(result(0, read=0), GateConfig())


def test_a_broken_error_rule_on_the_table_closes_it() -> None:
    with pytest.raises(GateError, match=r"some_rule \(40 of 100\): It must not be so"):
        gate(result(0, rule(40, on_rows=False)), GateConfig())


def test_every_problem_is_listed_at_once() -> None:
    with pytest.raises(GateError, match=r"quarantined.*accepted.*some_rule") as caught:
        gate(
            result(50, rule(50), rule(40, on_rows=False)),
            GateConfig(min_rows={ROLL: 90}),
        )
    assert str(caught.value).count(ROLL) == 3


def test_rows_that_are_all_accounted_for_reconcile() -> None:
    reconcile({"sales": {"read": 10, "filtered": 3, "quarantined": 2, "accepted": 5}})
    reconcile({"sales": {"read": 10, "filtered": 3, "quarantined": 2, "accepted": 9, "loaded": 5}})
    reconcile({"sales": {"read": 0}})


@pytest.mark.parametrize("accepted", [4, 6])
def test_lost_and_multiplied_rows_are_named(accepted: int) -> None:
    rows = {"read": 10, "filtered": 3, "quarantined": 2, "accepted": accepted}
    with pytest.raises(GateError, match=r"sales: 10 read, but 3 filtered \+ 2 quarantined"):
        reconcile({"sales": rows, "permits": {"read": 1, "accepted": 1}}, county="demo_wa")
