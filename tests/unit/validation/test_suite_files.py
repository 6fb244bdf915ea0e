"""Suites that are wrong are refused with the place and the nearest name."""

from pathlib import Path

import pytest

from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.validation.expressions import Scope
from terrafusion_lib.validation.rules import KINDS
from terrafusion_lib.validation.suites import STAND_INS, complete, load_suites, ordered

HEAD = "table: permits\nmeaning: One row per property and permit\nrules:\n"
COMMON = "severity: error, because: It is wrong for the county."


def suite(folder: Path, *rules: str, head: str = HEAD) -> Path:
    lines = "".join(f"  - {{{rule}, {COMMON}}}\n" for rule in rules) or "  []\n"
    (folder / "permits.yaml").write_text(head + lines, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("name: a, kind: not_nul, column: permit_id", "kind of rule 'not_nul'.*not_null"),
        ("name: a, kind: not_null, colunm: permit_id", "unknown key colunm; did you mean column"),
        ("name: a, kind: not_null, column: permit_idd", "column 'permit_idd'.*permit_id"),
        ("name: a, kind: not_null", "column: field required"),
        ("name: A b, kind: not_null, column: permit_id", "name: string should match"),
        ("name: a, kind: matches, column: permit_id, pattern: '('", "not a regular expression"),
        ("name: a, kind: matches, column: area_sqft, pattern: x", "area_sqft is number"),
        ("name: a, kind: between, column: permit_id, min: 1", "permit_id is text"),
        ("name: a, kind: between, column: area_sqft", "give min and max, or by and ranges"),
        ("name: a, kind: between, column: area_sqft, by: permit_type", "give min and max, or by"),
        ("name: a, kind: between, column: area_sqft, max: '$asessment_year'", "assessment_year"),
        ("name: a, kind: compare, column: area_sqft, operator: '=>', to: 1", "operator"),
        ("name: a, kind: expression, check: permit_valu > 0", "column 'permit_valu'.*permit_value"),
        ("name: a, kind: expression, check: read_csv('x') > 0", "function 'read_csv'"),
        ("name: a, kind: expression, check: 'area_sqft > 0; drop table x'", "'; drop table x'"),
        ("name: a, kind: expression, check: '(select 1) = 1'", "column 'select'"),
        ("name: a, kind: references, columns: [property_id], table: propertys", "'propertys'"),
        ("name: a, kind: references, columns: [permit_id], table: sales", "column 'permit_id'"),
        ("name: a, kind: share, column: nothing, max_null: 0.1", "column 'nothing'"),
        ("name: a, kind: group_size, by: [property_id], max: permit_id", "permit_id is text"),
        ("name: key_unique, kind: not_null, column: permit_id", "another rule has the same name"),
    ],
)
def test_a_wrong_rule_is_refused_by_name(tmp_path: Path, rule: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"(?is)permits.yaml.*{message}"):
        load_suites(suite(tmp_path, rule))


def test_a_rule_must_say_why(tmp_path: Path) -> None:
    rule = "  - {name: a, kind: not_null, column: permit_id, severity: error}\n"
    (tmp_path / "permits.yaml").write_text(HEAD + rule, encoding="utf-8")
    with pytest.raises(ConfigError, match="because: field required"):
        load_suites(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("table: sales\nmeaning: The sales of it\nrules: []\n", "says table: sales"),
        (
            "table: permits\nmeaning: The permits\nrulez: []\n",
            "unknown key rulez; did you mean rules",
        ),
        ("table: [permits\n", "not valid YAML at line"),
        ("table: permits\nmeaning: The permits\nrules: 3\n", "rules"),
        ("- 1\n", "does not contain a mapping"),
        ("\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "permits.yaml"),
    ],
)
def test_a_malformed_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "permits.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=message):
        load_suites(tmp_path)


def test_a_file_of_no_canonical_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "permitts.yaml").write_text(HEAD, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"canonical table 'permitts'.*did you mean permits"):
        load_suites(tmp_path)


def test_a_folder_without_suites_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has no suites"):
        load_suites(tmp_path / "absent")


def test_an_unknown_suite_that_a_county_asks_for_is_refused(tmp_path: Path) -> None:
    suite(tmp_path, "name: a, kind: not_null, column: permit_id")
    with pytest.raises(ConfigError, match=r"suite 'permit'.*did you mean permits"):
        load_suites(tmp_path, ["permit"])


def test_a_suite_has_the_rules_of_the_schema_before_its_own(tmp_path: Path) -> None:
    loaded = load_suites(suite(tmp_path, "name: own, kind: not_null, column: permit_id"))
    names = [rule.name for rule in loaded["permits"].rules]
    schema = ["key_unique", "county_is_this_one", "numbers_finite", "property_on_roll"]
    assert names == [*schema, "own", "values_readable"]


def test_tables_are_validated_after_those_they_refer_to(tmp_path: Path) -> None:
    rule = "name: own, kind: references, columns: [property_id], table: permits"
    (tmp_path / "sales.yaml").write_text(
        f"table: sales\nmeaning: One row per sale\nrules:\n  - {{{rule}, {COMMON}}}\n", "utf-8"
    )
    suite(tmp_path, "name: own, kind: not_null, column: permit_id")
    head = "table: properties_operational\nmeaning: One row per property\nrules: []\n"
    (tmp_path / "properties_operational.yaml").write_text(head, encoding="utf-8")
    names = [item.table for item in ordered(load_suites(tmp_path))]
    assert names == ["properties_operational", "permits", "sales"]


def test_a_reference_to_a_table_that_is_not_validated_is_refused(tmp_path: Path) -> None:
    suites = load_suites(suite(tmp_path, "name: own, kind: not_null, column: permit_id"))
    with pytest.raises(
        ConfigError, match="properties_operational, which the mapping does not produce"
    ):
        ordered(suites)


def test_references_in_a_circle_are_refused(tmp_path: Path) -> None:
    for table, other in (("sales", "permits"), ("permits", "sales")):
        rule = f"name: a, kind: references, columns: [property_id], table: {other}"
        text = f"table: {table}\nmeaning: One row per thing\nrules:\n  - {{{rule}, {COMMON}}}\n"
        (tmp_path / f"{table}.yaml").write_text(text, encoding="utf-8")
    head = "table: properties_operational\nmeaning: One row per property\nrules: []\n"
    (tmp_path / "properties_operational.yaml").write_text(head, encoding="utf-8")
    with pytest.raises(ConfigError, match="refer to each other"):
        ordered(load_suites(tmp_path))


def test_expressions_quote_columns_and_fill_in_parameters() -> None:
    scope = Scope(TABLES["permits"], {"county_id": "o'brien", "assessment_year": 2026}, "x")
    assert scope.expression("Coalesce(area_sqft, 0) >= $assessment_year + 1.5") == (
        'Coalesce("area_sqft", 0) >= 2026 + 1.5'
    )
    assert scope.expression("permit_type = $county_id") == "\"permit_type\" = 'o''brien'"
    assert scope.expression("permit_type like 'it''s; --'") == "\"permit_type\" like 'it''s; --'"


@pytest.mark.parametrize(
    "rule",
    [
        "name: a, kind: between, column: area_sqft, max: '{assessment_year} + 1'",
        "name: a, kind: in_set, column: permit_type, values: ['{county_id}']",
    ],
)
def test_a_parameter_in_braces_is_refused_with_the_form_of_today(tmp_path: Path, rule: str) -> None:
    name = "$assessment_year" if "between" in rule else "$county_id"
    with pytest.raises(ConfigError) as refused:
        load_suites(suite(tmp_path, rule))
    assert name in (refused.value.hint or "")


def test_constants_are_escaped_or_refused() -> None:
    scope = Scope(TABLES["permits"], {}, "x")
    assert scope.literal("it's") == "'it''s'"
    assert scope.literal(True) == "true"
    for value in ([1], None):
        with pytest.raises(ConfigError):
            scope.literal(value)


def test_the_tax_year_follows_from_the_assessment_year() -> None:
    known = complete({"assessment_year": 2026})
    assert known["tax_year"] == 2027
    assert str(known["tax_year_end"]) == "2027-12-31"
    assert STAND_INS.keys() >= {"county_id", "assessment_year", "tax_year", "tax_year_end"}


def test_every_kind_of_rule_is_listed_in_the_reference() -> None:
    from tests.support.require import ROOT

    page = (ROOT / "docs" / "reference" / "validation.md").read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f"`{kind}`" not in page] == []
