"""Great Expectations evaluates the suites, agrees with the set engine and stays offline."""

import json
import re
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from terrafusion_lib.core.settings import Settings
from terrafusion_lib.core.states.load import load_state
from terrafusion_lib.validation import great_expectations_engine as framework
from terrafusion_lib.validation.results import RuleResult, ValidationResult
from terrafusion_lib.validation.suites import load_suites
from terrafusion_lib.validation.validate import validate_tables
from tests.support.canonical_rows import COUNTY, YEAR, good, write_rows
from tests.support.require import ROOT
from tests.unit.validation.test_shipped_suites import write_bad_tables

pytestmark = pytest.mark.slow

SUITES = load_suites(ROOT / "expectations", profile=load_state("wa"))
PARAMETERS: dict[str, object] = {"county_id": COUNTY, "assessment_year": YEAR}
ROLL = "properties_operational"


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> ValidationResult:
    """All suites on tables that break every rule, with no network to reach."""
    folder = tmp_path_factory.mktemp("bad")
    paths, failures = write_bad_tables(folder)

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was tried")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "create_connection", refuse)
        return validate_tables(
            SUITES,
            paths,
            folder / "out",
            parameters=PARAMETERS,
            failures=failures,
            settings=Settings(),
        )


def test_both_engines_count_the_same_on_bad_data(bad: ValidationResult) -> None:
    assert bad.second.disagreements == ()
    broken = 0
    for table in SUITES:
        ours = {rule.rule: rule for rule in bad.rules if rule.table == table}
        path = bad.folder / "great_expectations" / f"{table}.json"
        kept = json.loads(path.read_text(encoding="utf-8"))
        theirs = {item["expectation_config"]["meta"]["rule"]: item for item in kept["results"]}
        assert theirs.keys() == ours.keys()
        for name, item in theirs.items():
            found = item["result"]
            count = found.get("unexpected_count", found.get("observed_value"))
            assert item["success"] == ours[name].passed, (table, name)
            assert not ours[name].on_rows or count == ours[name].failed, (table, name)
            broken += not item["success"]
    assert broken > 130


def test_a_rule_is_one_of_the_frameworks_own_expectations_where_it_has_one(
    bad: ValidationResult,
) -> None:
    path = bad.folder / "great_expectations" / f"{ROLL}.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    types = {
        item["expectation_config"]["meta"]["rule"]: item["expectation_config"]["type"]
        for item in kept["results"]
    }
    assert types["neighborhood_present"] == "expect_column_values_to_not_be_null"
    assert types["property_type_known"] == "expect_column_values_to_be_in_set"
    assert types["situs_zip_in_state"] == "expect_column_values_to_match_regex"
    assert types["latitude_in_region"] == "expect_column_values_to_be_between"
    assert types["effective_year_follows"] == "expect_column_pair_values_a_to_be_greater_than_b"
    assert types["table_has_rows"] == "expect_table_row_count_to_be_between"
    assert types["value_jump"] == "unexpected_rows_expectation"


def test_errors_are_critical_and_warnings_warnings(bad: ValidationResult) -> None:
    path = bad.folder / "great_expectations" / "sales.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    severity = {
        item["expectation_config"]["meta"]["rule"]: item["expectation_config"]["severity"]
        for item in kept["results"]
    }
    assert severity["prices_not_negative"] == "critical"
    assert severity["sale_price_positive"] == "warning"


def test_data_docs_open_without_a_network(bad: ValidationResult) -> None:
    pages = list((bad.folder / "data_docs").rglob("*.html"))
    assert len(pages) == 1 + 2 * len(SUITES)
    for page in pages:
        html = page.read_text(encoding="utf-8")
        assert not re.search(r"https?://|src=[\"']?//|<script|<img|<link", html), page
        assert "<style>" in html
        for link in re.findall(r'href="([^"#]+)"', html):
            assert (page.parent / link).resolve().is_file(), (page, link)


def test_the_index_and_the_pages_tell_each_rule(bad: ValidationResult) -> None:
    folder = bad.folder / "data_docs"
    index = (folder / "index.html").read_text(encoding="utf-8")
    result = (folder / "validations" / f"{ROLL}.html").read_text(encoding="utf-8")
    for rule in SUITES[ROLL].rules:
        assert rule.name in index
        assert rule.name in result
    assert "WAC 458-53-080" in index


def test_the_result_names_the_framework(bad: ValidationResult) -> None:
    assert bad.headline()["engine"].startswith("Great Expectations 1.")


def test_a_disagreement_is_told_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = framework.Evaluation.counts

    def other(self: framework.Evaluation) -> dict[str, tuple[int | None, bool]]:
        return counts(self) | {"condition_on_scale": (7, False)}

    monkeypatch.setattr(framework.Evaluation, "counts", other)
    result = validate_tables(
        SUITES,
        {ROLL: write_rows(tmp_path, ROLL, [good(ROLL)])},
        tmp_path / "out",
        parameters=PARAMETERS,
        settings=Settings(),
    )
    [different] = result.second.disagreements
    assert different.startswith(f"{ROLL}.condition_on_scale: 7 ")
    kept = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert kept["disagreements"] == [different]
    assert "1 of the rules" in kept["headline"]["engine"]
    assert result.tables[ROLL].accepted == 1


def test_an_expectation_that_cannot_be_evaluated_is_a_disagreement(tmp_path: Path) -> None:
    from terrafusion_lib.validation.session import open_session

    path = write_rows(tmp_path, ROLL, [good(ROLL)])
    suite = SUITES[ROLL]
    jump = next(rule for rule in suite.rules if rule.name == "value_jump")
    wrong = replace(suite, rules=(jump.model_copy(update={"when": "owner_name + 1 > 2"}),))
    with open_session({ROLL: path}, None, tmp_path, Settings()) as session:
        evaluations = framework.evaluate(session, [wrong], PARAMETERS)
    ours = RuleResult(ROLL, "value_jump", "change", jump.severity, "", "", True, 1, 0, True)
    [different] = framework.disagreements(evaluations, [ours])
    assert different.startswith(f"{ROLL}.value_jump: not evaluated")


def test_an_empty_table_is_evaluated_too(tmp_path: Path) -> None:
    result = validate_tables(
        SUITES,
        {ROLL: write_rows(tmp_path, ROLL, [])},
        tmp_path / "out",
        parameters=PARAMETERS,
        settings=Settings(),
    )
    assert [rule.rule for rule in result.rules if not rule.passed] == ["table_has_rows"]


def test_the_framework_is_not_loaded_with_the_package() -> None:
    code = (
        "import sys, terrafusion_lib, terrafusion_lib.validation.validate, "
        "terrafusion_lib.validation.gate, terrafusion_lib.validation.suites\n"
        "print([name for name in ('great_expectations', 'sqlalchemy', 'pandas') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", done.stderr
