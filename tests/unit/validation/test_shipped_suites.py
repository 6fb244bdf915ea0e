"""Every rule of the shipped suites: a good row passes it, a bad row breaks it."""

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from terrafusion_lib.core.schema import PROPERTY_TYPES, TABLES
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.core.states.load import load_state
from terrafusion_lib.validation.base import RowRule, Severity
from terrafusion_lib.validation.rules import InSet
from terrafusion_lib.validation.suites import Suite, load_suites
from terrafusion_lib.validation.validate import validate_tables
from tests.support.canonical_rows import COUNTY, YEAR, Row, good, write_failures, write_rows
from tests.support.require import ROOT

SUITES = load_suites(ROOT / "expectations", profile=load_state("wa"))
ROLL = "properties_operational"
FUTURE = date(2060, 1, 1)
SENTINEL = date(1900, 1, 1)
CONVERSION = date(1980, 1, 1)

EVERYWHERE: dict[str, dict[str, Any]] = {
    "county_is_this_one": {"county_id": "other_wa"},
    "values_readable": {},
}
AREAS = {"areas_not_negative": {"building_area_sqft": -1.0}}
BUILDING: dict[str, dict[str, Any]] = AREAS | {
    "building_area_possible": {"building_area_sqft": 99_999_999.0},
    "year_built_possible": {"year_built": 2086},
    "effective_year_possible": {"effective_year_built": 2086},
    "counts_not_negative": {"bathrooms": -1.0},
    "bedrooms_fit_living_area": {"bedrooms": 33.0, "building_area_sqft": 1_620.0},
    "condition_on_scale": {"condition": 9.0},
}
BAD: dict[str, dict[str, dict[str, Any]]] = {
    "properties_operational": BUILDING
    | {
        "numbers_finite": {"land_value": float("nan")},
        "property_id_format": {"property_id": "no id!"},
        "parcel_number_present": {"parcel_number": None},
        "parcel_number_format": {"parcel_number": "  12 "},
        "situs_present": {"situs_address": None},
        "situs_in_state": {"situs_state": "OR"},
        "situs_zip_in_state": {"situs_zip": "97201"},
        "property_type_present": {"property_type": None},
        "property_type_known": {"property_type": "castle"},
        "property_class_format": {"property_class": "1A"},
        "class_fits_type": {"property_class": "53"},
        "vacant_land_is_vacant": {"property_type": "vacant_land"},
        "neighborhood_present": {"neighborhood_code": None},
        "inspection_cycle_valid": {"inspection_cycle": 7},
        "living_area_present": {"building_area_sqft": 0.0},
        "land_area_present": {"land_area_sqft": 0.0},
        "building_area_usual": {"building_area_sqft": 30.0, "bedrooms": 0.0},
        "land_area_possible": {"land_area_sqft": 1e12},
        "year_built_by_assessment": {"year_built": YEAR + 1},
        "effective_year_follows": {"effective_year_built": 1950},
        "bedrooms_usual": {"bedrooms": 0.0},
        "bathrooms_usual": {"bathrooms": 0.0},
        "stories_usual": {"stories": 9.0},
        "quality_on_scale": {"quality": 1000.0},
        "view_on_scale": {"view_rating": 5},
        "values_not_negative": {"taxable_value": -1.0},
        "market_value_positive": {"current_market_value": 0.0},
        "market_value_possible": {"current_market_value": 9e11},
        "market_value_usual": {"current_market_value": 5_000.0},
        "market_is_land_plus_improvements": {"land_value": 90_000.0},
        "assessed_within_market": {"assessed_value": 390_000.0},
        "taxable_within_assessed": {"taxable_value": 390_000.0},
        "current_use_within_land": {"current_use_value": 90_000.0},
        "frozen_within_market": {"senior_frozen_value": 390_000.0},
        "new_construction_within_improvements": {"new_construction_value": 310_000.0},
        "value_jump": {"prior_market_value": 100_000.0},
        "improvement_value_usual": {"building_area_sqft": 100.0, "bedrooms": 1.0},
        "exempt_is_not_taxed": {"is_exempt": True, "exemption_type": "EX"},
        "exempt_says_why": {"is_exempt": True, "taxable_value": 0.0},
        "assessment_year_is_the_runs": {"assessment_year": YEAR - 1},
        "tax_year_follows": {"tax_year": YEAR},
        "not_the_future_layer": {"source_year": 0},
        "last_sale_date_possible": {"last_sale_date": FUTURE},
        "last_sale_date_real": {"last_sale_date": CONVERSION},
        "last_sale_complete": {"last_sale_price": 0.0},
        "latitude_in_region": {"latitude": 34.05},
        "longitude_in_region": {"longitude": 119.2},
        "coordinates_complete": {"longitude": None},
        "confidential_owner_masked": {"owner_is_confidential": True},
        "attributes_are_json": {"extended_attributes": "{'a': 1"},
    },
    "sales": BUILDING
    | {
        "numbers_finite": {"sale_price": float("inf")},
        "property_on_roll": {"property_id": "absent"},
        "sale_date_readable": {"sale_date": None},
        "sale_date_present": {"sale_date": None},
        "sale_date_possible": {"sale_date": SENTINEL},
        "sale_date_real": {"sale_date": CONVERSION},
        "recorded_after_sale": {"recorded_date": date(2020, 1, 1)},
        "recorded_date_possible": {"recorded_date": FUTURE},
        "prices_not_negative": {"sale_price": -1.0},
        "sale_price_positive": {"sale_price": 0.0},
        "sale_price_possible": {"sale_price": 9e11},
        "sale_price_usual": {"sale_price": 900.0},
        "price_per_area_usual": {"sale_price": 20_000.0},
        "adjustment_usual": {"adjusted_sale_price": 100_000.0},
        "personal_property_within_price": {"personal_property_value": 400_000.0},
        "dor_code_known": {"dor_valid": None},
        "county_code_known": {"county_valid": None},
        "sale_is_coded": dict.fromkeys(
            ("dor_ratio_code", "dor_valid", "county_ratio_code", "county_valid")
        ),
        "validity_codes_agree": {"dor_valid": False},
        "ratio_not_extreme": {"total_market_value": 3_000_000.0},
        "parcel_count_positive": {"parcel_count": 0},
        "total_covers_parcel": {"parcel_market_value": 500_000.0},
        "land_only_has_no_building": {"is_land_only": True},
        "built_before_sale": {"year_built": YEAR},
        "property_type_known": {"property_type": "castle"},
        "property_class_format": {"property_class": "?"},
        "bedrooms_usual": {"bedrooms": 0.0},
        "bathrooms_usual": {"bathrooms": 0.0},
        "view_on_scale": {"view_rating": -1},
        "attributes_are_json": {"extended_attributes": "no"},
    },
    "improvements": BUILDING
    | {
        "numbers_finite": {"stories": float("nan")},
        "property_on_roll": {"property_id": "absent"},
        "effective_year_follows": {"effective_year_built": 1950},
        "percent_complete_possible": {"percent_complete": 130.0},
        "value_not_negative": {"improvement_value": -1.0},
    },
    "land_segments": {
        "numbers_finite": {"unit_price": float("-inf")},
        "property_on_roll": {"property_id": "absent"},
        "area_not_negative": {"area_sqft": -5.0},
        "area_present": {"area_sqft": 0.0, "area_acres": None},
        "areas_agree": {"area_acres": 2.0},
        "values_not_negative": {"market_value": -1.0},
        "use_value_within_market": {"use_value": 90_000.0},
        "current_use_says_which": {"current_use_code": None},
    },
    "exemptions": {
        "numbers_finite": {"exempt_value": float("nan")},
        "property_on_roll": {"property_id": "absent"},
        "value_not_negative": {"exempt_value": -1.0},
        "qualify_year_possible": {"qualify_year": 2050},
        "effective_date_possible": {"effective_date": SENTINEL},
    },
    "permits": {
        "numbers_finite": {"permit_value": float("nan")},
        "property_on_roll": {"property_id": "absent"},
        "issue_date_readable": {"issue_date": None},
        "issue_date_possible": {"issue_date": FUTURE},
        "completed_after_issue": {"completion_date": date(2020, 1, 1)},
        "completion_date_possible": {"completion_date": FUTURE},
        "figures_not_negative": {"permit_value": -1.0},
        "percent_complete_possible": {"percent_complete": -1.0},
    },
    "values_history": {
        "numbers_finite": {"market_value": float("nan")},
        "property_on_roll": {"property_id": "absent"},
        "assessment_year_possible": {"assessment_year": 0},
        "values_not_negative": {"land_value": -1.0},
        "market_is_land_plus_improvements": {"land_value": 1.0},
        "taxable_within_assessed": {"taxable_value": 400_000.0},
    },
    "parcels_geometry": {
        "numbers_finite": {"area_sqft": float("nan")},
        "shape_present": {"geometry": None},
        "latitude_in_region": {"latitude": 240_000.0},
        "longitude_in_region": {"longitude": 1_900_000.0},
        "area_positive": {"area_sqft": 0.0},
        "link_method_known": {"link_method": "guess"},
        "link_is_on_roll": {"property_id": "absent"},
    },
}
READABLE = ("values_readable", "sale_date_readable", "issue_date_readable")
TWINS = {
    "key_unique": {},
    "parcel_number_unique": {"parcel_number": "999999999999999"},
    "entered_once": {"sale_date": date(2023, 1, 2), "sale_price": 299_000.0},
    "parcel_count_consistent": {"sale_id": "one parcel"},
}
"""Rules that take two rows to break, and what both of them hold."""
IDS = {
    "properties_operational": "property_id",
    "sales": "sale_id",
    "improvements": "improvement_id",
    "land_segments": "segment_id",
    "exemptions": "owner_id",
    "permits": "permit_id",
    "parcels_geometry": "geometry_id",
}


def example(table: str, rule: str, number: int) -> Row:
    """The bad row of one rule, with a key and a parcel number of its own."""
    own: Row = {"parcel_number": f"1{number:014d}"} if table == "properties_operational" else {}
    if table in IDS:
        own[IDS[table]] = rule
    if table == "sales":
        own["sale_date"] = date(2024, 1, 1 + number % 28)
        own["sale_price"] = 365_000.0 + number
    if table == "values_history":
        own["assessment_year"] = 1950 + number
    return good(table, **own | (EVERYWHERE | BAD[table]).get(rule, {}))


def twins(table: str, rule: str) -> list[Row]:
    rows = []
    for number in (1, 2):
        row = example(table, rule, 900 + number) | TWINS[rule]
        if rule in ("parcel_number_unique", "entered_once"):
            row[IDS[table]] = f"{rule}_{number}"
        if rule == "parcel_count_consistent":
            row["property_id"] = ["1000", "key_unique_ok"][number - 1]
        if rule == "key_unique" and table == "values_history":
            row["assessment_year"] = 1949
        rows.append(row)
    return rows


def key_of(table: str, row: Row) -> str:
    return "/".join(str(row[name]) for name in TABLES[table].key if name != "county_id")


def bad_rows(table: str) -> dict[str, list[Row]]:
    """Bad rows by the rule that they break."""
    rules = [rule.name for rule in SUITES[table].row_rules]
    return {
        rule: twins(table, rule) if rule in TWINS else [example(table, rule, number)]
        for number, rule in enumerate(rules)
    }


def write_bad_tables(folder: Path) -> tuple[dict[str, Path], Path]:
    """Every canonical table with a good row and a bad row per rule, and failed conversions."""
    failures, paths = [], {}
    for table in SUITES:
        rows = [good(table)]
        if table == "properties_operational":
            rows.append(good(table, property_id="key_unique_ok", parcel_number="1234567"))
        for rule, bad in bad_rows(table).items():
            rows += bad
            if rule in READABLE:
                column = {"values_readable": TABLES[table].column_names[-1]}.get(
                    rule, rule.removesuffix("_readable")
                )
                key = key_of(table, bad[0])
                failures.append((table, column, key, "0000-00-00", "not a date"))
        paths[table] = write_rows(folder, table, rows)
    return paths, write_failures(folder, *failures)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, set[str]]]:
    """Keys that break each rule, by table and rule, of the bad tables."""
    folder = tmp_path_factory.mktemp("bad")
    paths, failures = write_bad_tables(folder)
    out = folder / "out"
    validate_tables(
        SUITES,
        paths,
        out,
        parameters={"county_id": COUNTY, "assessment_year": YEAR},
        failures=failures,
        settings=Settings(),
        data_docs=False,
    )
    found: dict[str, dict[str, set[str]]] = {name: {} for name in SUITES}
    for file in ("quarantine", "warnings"):
        for row in pq.read_table(out / f"{file}.parquet").to_pylist():
            found[row["table_name"]].setdefault(row["rule"], set()).add(row["source_key"])
    return found


EVERY = [(name, rule) for name, suite in SUITES.items() for rule in suite.row_rules]


@pytest.mark.parametrize(
    ("table", "rule"), EVERY, ids=[f"{table}-{rule.name}" for table, rule in EVERY]
)
def test_each_rule_catches_its_bad_row_and_spares_the_good_one(
    table: str, rule: RowRule, broken: dict[str, dict[str, set[str]]]
) -> None:
    assert rule.name in (EVERYWHERE | BAD[table] | TWINS), "the rule has no bad example"
    expected = {key_of(table, row) for row in bad_rows(table)[rule.name]}
    caught = broken[table].get(rule.name, set())
    assert expected <= caught
    assert key_of(table, good(table)) not in caught


def test_there_are_rules_enough_and_each_says_why() -> None:
    for name, least in (("properties_operational", 30), ("sales", 30)):
        assert len(SUITES[name].rules) >= least
    assert set(SUITES) == set(TABLES)
    for suite in SUITES.values():
        for rule in suite.rules:
            assert rule.because.endswith("."), rule.name
            assert rule.because[0].isupper() or rule.because[0].isdigit(), rule.name


@pytest.mark.parametrize("table", ["properties_operational", "sales"])
def test_the_property_types_of_the_suites_are_the_canonical_ones(table: str) -> None:
    rule = next(rule for rule in SUITES[table].rules if rule.name == "property_type_known")
    assert isinstance(rule, InSet)
    assert set(rule.values) == set(PROPERTY_TYPES)


def test_ranges_name_only_property_types() -> None:
    for suite in SUITES.values():
        for rule in suite.rules:
            assert set(getattr(rule, "ranges", {})) <= set(PROPERTY_TYPES), rule.name


LAWFUL: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "current-use parcel: assessed and taxable below market": [
        (ROLL, {"assessed_value": 310_000.0, "taxable_value": 310_000.0, "property_class": "83"})
    ],
    "senior exemption: taxed on the frozen value": [
        (ROLL, {"senior_frozen_value": 150_000.0, "taxable_value": 60_000.0})
    ],
    "manufactured home on leased land: no land": [
        (
            ROLL,
            {
                "property_type": "manufactured_home",
                "land_area_sqft": None,
                "land_value": 0.0,
                "current_use_value": None,
                "current_market_value": 300_000.0,
                "assessed_value": 300_000.0,
                "taxable_value": 300_000.0,
            },
        )
    ],
    "two owners: their shares are rounded": [(ROLL, {"current_market_value": 380_002.0})],
    "confidential owner: masked": [
        (ROLL, {"owner_is_confidential": True, "owner_name": "CONFIDENTIAL"})
    ],
    "fully exempt property": [
        (ROLL, {"is_exempt": True, "exemption_type": "EX", "taxable_value": 0.0})
    ],
    "sale price 0": [("sales", {"sale_price": 0.0, "adjusted_sale_price": 0.0})],
    "quit claim: invalid in both studies": [
        ("sales", {"deed_type": "QCD", "dor_valid": False, "county_valid": False})
    ],
    "sale without a date": [("sales", {"sale_date": None})],
    "multi-parcel sale: one row per parcel": [
        ("sales", {"parcel_count": 2, "total_market_value": 700_000.0}),
        ("sales", {"parcel_count": 2, "total_market_value": 700_000.0, "property_id": "2000"}),
    ],
    "feature without a parcel id": [
        ("parcels_geometry", {"property_id": None, "link_method": "unlinked"})
    ],
    "multi-polygon parcel": [("parcels_geometry", {"part_count": 3})],
}


@pytest.mark.parametrize("trap", LAWFUL)
def test_what_pacs_lawfully_holds_is_never_quarantined(trap: str, tmp_path: Path) -> None:
    rows: dict[str, list[Row]] = {ROLL: [good(ROLL, property_id="2000", parcel_number="22222")]}
    for table, changes in LAWFUL[trap]:
        rows.setdefault(table, []).append(good(table, **changes))
    if good(ROLL)["property_id"] not in {row["property_id"] for row in rows[ROLL]}:
        rows[ROLL].append(good(ROLL))
    result = validate_tables(
        SUITES,
        {name: write_rows(tmp_path, name, bad) for name, bad in rows.items()},
        tmp_path / "out",
        parameters={"county_id": COUNTY, "assessment_year": YEAR},
        settings=Settings(),
        data_docs=False,
    )
    quarantine = pq.read_table(tmp_path / "out" / "quarantine.parquet").to_pylist()
    assert quarantine == []
    assert all(counts.quarantined == 0 for counts in result.tables.values())


def severities(suite: Suite) -> dict[str, Severity]:
    return {rule.name: rule.severity for rule in suite.rules}


def test_what_a_county_legitimately_has_is_never_quarantined() -> None:
    sales, roll = severities(SUITES["sales"]), severities(SUITES["properties_operational"])
    lawful = [sales[name] for name in ("sale_price_positive", "validity_codes_agree")]
    lawful += [roll[name] for name in ("situs_present", "value_jump", "bedrooms_usual")]
    assert set(lawful) == {Severity.WARNING}
