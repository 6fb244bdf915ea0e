"""Accepted rows, quarantine, warnings and results of whole validations, good and bad input."""

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from terrafusion_lib.core.errors import ConfigError, GateError
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.core.states.load import load_state
from terrafusion_lib.validation.results import RuleResult, TableCounts, ValidationResult
from terrafusion_lib.validation.suites import load_suites
from terrafusion_lib.validation.validate import validate_tables
from tests.support.canonical_rows import COUNTY, YEAR, Row, good, write_failures, write_rows
from tests.support.require import ROOT

SUITES = load_suites(ROOT / "expectations", profile=load_state("wa"))
PARAMETERS: dict[str, object] = {"county_id": COUNTY, "assessment_year": YEAR}
ROLL = "properties_operational"


def validate(folder: Path, tables: dict[str, Sequence[Row]], **options: Any) -> ValidationResult:
    paths = {name: write_rows(folder, name, rows) for name, rows in tables.items()}
    return check(folder, paths, **options)


def check(folder: Path, paths: dict[str, Path], **options: Any) -> ValidationResult:
    settings = {"suites": SUITES, "parameters": PARAMETERS, "data_docs": False} | options
    suites = settings.pop("suites")
    return validate_tables(suites, paths, folder / "out", settings=Settings(), **settings)


def read(folder: Path, file: str) -> list[Row]:
    rows: list[Row] = pq.read_table(folder / "out" / f"{file}.parquet").to_pylist()
    return rows


def rule(result: ValidationResult, name: str, table: str = ROLL) -> RuleResult:
    return next(item for item in result.rules if (item.table, item.rule) == (table, name))


def test_rows_are_parted_and_the_reason_shows_the_values(tmp_path: Path) -> None:
    rows = [good(ROLL), good(ROLL, property_id="33", parcel_number="33333", bedrooms=33.0)]
    result = validate(tmp_path, {ROLL: rows})
    assert result.tables == {ROLL: TableCounts(read=2, quarantined=1, accepted=1)}
    (bad,) = read(tmp_path, "quarantine")
    assert (bad["table_name"], bad["rule"]) == (ROLL, "bedrooms_fit_living_area")
    assert (bad["severity"], bad["source_key"]) == ("error", "33")
    assert bad["reason"].endswith("(building_area_sqft 1820, bedrooms 33).")
    assert json.loads(bad["row_json"])["bedrooms"] == 33
    assert [row["property_id"] for row in read(tmp_path, f"accepted/{ROLL}")] == ["1000"]


def test_the_33_bedroom_house_of_king_county_is_an_error_and_no_bedrooms_a_warning(
    tmp_path: Path,
) -> None:
    house = good(ROLL, property_id="2402100895", parcel_number="2402100895", bedrooms=33.0)
    bare = good(ROLL, property_id="3", parcel_number="33333", bedrooms=0.0, bathrooms=0.0)
    house |= {"building_area_sqft": 1_620.0, "bathrooms": 1.75}
    validate(tmp_path, {ROLL: [house, bare]})
    assert {row["source_key"] for row in read(tmp_path, "quarantine")} == {"2402100895"}
    warned = {(row["rule"], row["source_key"]) for row in read(tmp_path, "warnings")}
    assert {("bedrooms_usual", "3"), ("bathrooms_usual", "3")} <= warned
    assert len(read(tmp_path, f"accepted/{ROLL}")) == 1


def test_accepted_rows_keep_schema_order_and_values(tmp_path: Path) -> None:
    rows = [good(ROLL, property_id=f"{i:04}", parcel_number=f"{i:05}") for i in range(500, 0, -1)]
    for row in rows[::7]:
        row["condition"] = 9.0
    validate(tmp_path, {ROLL: rows})
    kept = pq.read_table(tmp_path / "out" / "accepted" / f"{ROLL}.parquet")
    assert kept.schema.equals(TABLES[ROLL].arrow_schema(), check_metadata=True)
    complete = TABLES[ROLL].column_names
    expected = [{n: row.get(n) for n in complete} for i, row in enumerate(rows) if i % 7]
    assert kept.to_pylist() == expected


def test_a_row_that_breaks_two_rules_is_counted_once_and_told_twice(tmp_path: Path) -> None:
    result = validate(tmp_path, {ROLL: [good(ROLL, condition=9.0, view_rating=9), good(ROLL)]})
    assert result.tables[ROLL].quarantined == 2, "both share a key"
    rules = [row["rule"] for row in read(tmp_path, "quarantine")]
    assert rules == ["key_unique", "key_unique", "condition_on_scale", "view_on_scale"]


def test_children_of_a_quarantined_property_go_with_it_for_their_own_reason(
    tmp_path: Path,
) -> None:
    tables = {
        "sales": [good("sales"), good("sales", property_id="2", sale_id="2")],
        "values_history": [good("values_history", property_id="2")],
        "parcels_geometry": [good("parcels_geometry", property_id="2")],
        ROLL: [good(ROLL), good(ROLL, property_id="2", parcel_number="22222", condition=9.0)],
    }
    result = validate(tmp_path, tables)
    quarantined = {name: counts.quarantined for name, counts in result.tables.items()}
    assert quarantined == {"sales": 1, "values_history": 1, "parcels_geometry": 0, ROLL: 1}
    reasons = {row["table_name"]: row for row in read(tmp_path, "quarantine")}
    assert reasons["sales"]["rule"] == "property_on_roll"
    assert reasons["sales"]["source_key"] == "2/2"
    assert "property_id 2" in reasons["values_history"]["reason"]
    assert list(result.tables) == list(tables), "in the order given"


def test_rows_that_share_a_key_are_all_quarantined(tmp_path: Path) -> None:
    rows = [good(ROLL), good(ROLL, land_area_sqft=1.0), good(ROLL, property_id="2")]
    result = validate(tmp_path, {ROLL: [row | {"parcel_number": None} for row in rows]})
    assert result.tables[ROLL] == TableCounts(read=3, quarantined=2, accepted=1)
    assert rule(result, "key_unique").examples == ("1000", "1000")


def test_a_failed_conversion_is_an_error_or_a_warning_as_the_suite_says(tmp_path: Path) -> None:
    rows = [good("sales", sale_id=str(i), sale_date=date(2024, 1, i)) for i in range(1, 5)]
    rows[1]["sale_date"] = rows[2]["sale_date"] = None
    failures = write_failures(
        tmp_path,
        ("sales", "sale_date", "2/1000", "0000-00-00", "not a date"),
        ("sales", "sale_date", "3/1000", "1753-01-01", "placeholder date"),
        ("sales", "excise_number", "4/1000", "PeÃ±a", "text looks garbled"),
        ("house_sales", "price", "77", "12k", "not a number"),
    )
    result = validate(tmp_path, {"sales": rows, ROLL: [good(ROLL)]}, failures=failures)
    assert [row["source_key"] for row in read(tmp_path, "quarantine")] == ["2/1000"]
    warned = {(row["rule"], row["source_key"]) for row in read(tmp_path, "warnings")}
    assert {("values_readable", "3/1000"), ("values_readable", "4/1000")} <= warned
    source = rule(result, "source_readable", "house_sales")
    assert (source.failed, source.examples, source.passed) == (1, ("77",), False)


def test_infinite_and_undefined_numbers_are_quarantined_with_readable_json(tmp_path: Path) -> None:
    values = (float("nan"), float("inf"), float("-inf"))
    rows = [
        good(ROLL, property_id=str(i), parcel_number=f"1000{i}", current_use_value=value)
        for i, value in enumerate(values)
    ]
    result = validate(tmp_path, {ROLL: [*rows, good(ROLL)]})
    assert result.tables[ROLL].accepted == 1
    shown = [
        json.loads(row["row_json"])["current_use_value"]
        for row in read(tmp_path, "quarantine")
        if row["rule"] == "numbers_finite"
    ]
    assert shown == ["nan", "inf", "-inf"]


def test_an_empty_table_gives_empty_files_and_no_breach_of_rows(tmp_path: Path) -> None:
    result = validate(tmp_path, {ROLL: [], "sales": []})
    assert set(result.tables.values()) == {TableCounts(0, 0, 0)}
    assert all(not item.failed for item in result.rules if item.on_rows)
    assert not rule(result, "table_has_rows").passed
    assert read(tmp_path, "quarantine") == read(tmp_path, "warnings") == []
    assert pq.read_schema(tmp_path / "out" / "accepted" / "sales.parquet").names


def test_a_county_without_a_column_is_not_accused_of_it(tmp_path: Path) -> None:
    keys = {"county_id": COUNTY, "property_id": "1", "assessment_year": YEAR}
    result = validate(tmp_path, {ROLL: [keys]})
    assert result.tables[ROLL] == TableCounts(read=1, quarantined=0, accepted=1)
    assert rule(result, "taxable_within_assessed").checked == 0
    assert rule(result, "taxable_within_assessed").share == 0.0


def test_text_of_every_script_passes_through(tmp_path: Path) -> None:
    name = "Ōtani 大谷 'ʻokina' \"q\" \\ {x} %s 👩‍🌾"
    rows = [
        good(ROLL, owner_name=name, condition=9.0),
        good(ROLL, property_id="é", owner_name=name),
    ]
    validate(tmp_path, {ROLL: rows})
    found = {row["source_key"]: json.loads(row["row_json"]) for row in read(tmp_path, "quarantine")}
    assert found["1000"]["owner_name"] == found["é"]["owner_name"] == name
    reasons = [row["reason"] for row in read(tmp_path, "quarantine")]
    assert any("property_id é" in reason or "é" in reason for reason in reasons)


def test_geometry_stays_out_of_the_quarantined_row(tmp_path: Path) -> None:
    tables = {"parcels_geometry": [good("parcels_geometry", latitude=0.0)], ROLL: [good(ROLL)]}
    validate(tmp_path, tables)
    (row,) = read(tmp_path, "quarantine")
    assert "geometry" not in json.loads(row["row_json"])


def test_examples_are_the_first_five_keys(tmp_path: Path) -> None:
    rows = [good(ROLL, property_id=f"{i:03}", parcel_number=None) for i in range(40)]
    found = rule(validate(tmp_path, {ROLL: rows}), "parcel_number_present")
    assert (found.checked, found.failed, found.share) == (40, 40, 1.0)
    assert found.examples == ("000", "001", "002", "003", "004")


def test_a_table_without_a_suite_is_held_to_its_schema(tmp_path: Path) -> None:
    rows = [good(ROLL, condition=9.0), good(ROLL, property_id="2", county_id="x")]
    result = validate(tmp_path, {ROLL: rows}, suites={})
    assert [row["rule"] for row in read(tmp_path, "quarantine")] == ["county_is_this_one"]
    assert len(result.rules) == 4


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    rows = [
        good(ROLL, property_id=str(i), condition=float(i % 7), parcel_number=None)
        for i in range(2_000)
    ]
    outputs = []
    for run in ("a", "b"):
        folder = tmp_path / run
        folder.mkdir()
        validate(folder, {ROLL: rows})
        files = sorted((folder / "out").rglob("*.*"))
        outputs.append({file.name: file.read_bytes() for file in files if file.is_file()})
    assert outputs[0] == outputs[1]
    assert set(outputs[0]) >= {"quarantine.parquet", "warnings.parquet", "results.json"}


def test_working_files_are_removed_and_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    validate(
        tmp_path,
        {ROLL: [good(ROLL)], "sales": [good("sales")]},
        progress=lambda _, done, total: told.append((done, total)),
    )
    assert told == [(0, 2), (1, 2), (2, 2)]
    assert not list((tmp_path / "out").glob(".work"))


def test_results_are_kept_as_plain_json(tmp_path: Path) -> None:
    result = validate(tmp_path, {ROLL: [good(ROLL, condition=9.0)]})
    kept = json.loads((tmp_path / "out" / "results.json").read_text(encoding="utf-8"))
    assert kept["tables"][ROLL] == {"read": 1, "quarantined": 1, "accepted": 0}
    assert kept["headline"]["failed_errors"] == 1
    assert kept["headline"]["rows_quarantined"] == 1
    (summary,) = result.summary()
    assert (summary["table"], summary["errors"], summary["rules"]) == (ROLL, 1, len(result.rules))
    broken = [item for item in kept["rules"] if item["rule"] == "condition_on_scale"]
    assert broken[0]["examples"] == ["1000"]
    assert broken[0]["share"] == 1.0


def drop_column(table: pa.Table) -> pa.Table:
    return table.drop_columns(["condition"])


def text_column(table: pa.Table) -> pa.Table:
    index = table.schema.get_field_index("land_value")
    return table.set_column(index, "land_value", table["land_value"].cast(pa.string()))


def more_columns(table: pa.Table) -> pa.Table:
    return table.append_column("surprise", pa.array(["x"]))


def other_order(table: pa.Table) -> pa.Table:
    return table.select(table.column_names[::-1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop_column, "condition is missing"),
        (text_column, "land_value is string, not double"),
        (more_columns, "surprise is unknown"),
        (other_order, "in a different order"),
    ],
)
def test_a_file_that_is_not_canonical_is_refused(tmp_path: Path, change: Any, message: str) -> None:
    path = write_rows(tmp_path, ROLL, [good(ROLL)])
    pq.write_table(change(pq.read_table(path)), path)
    with pytest.raises(GateError, match=rf"{message}.*table {ROLL}"):
        check(tmp_path, {ROLL: path})


def test_a_missing_or_broken_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GateError, match="does not exist"):
        check(tmp_path, {ROLL: tmp_path / "absent.parquet"})
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 no")
    with pytest.raises(GateError, match="not a readable Parquet file"):
        check(tmp_path, {ROLL: broken})


def test_a_file_that_breaks_off_and_a_lack_of_memory_are_told(tmp_path: Path) -> None:
    rows = [good(ROLL, property_id=f"{i:09}", parcel_number=str(i)) for i in range(40_000)]
    path = write_rows(tmp_path, ROLL, rows)
    tight = Settings(duckdb_memory_limit="4MB")
    with pytest.raises(GateError, match=r"could not be checked.*MEMORY_LIMIT"):
        validate_tables(
            SUITES, {ROLL: path}, tmp_path / "out", parameters=PARAMETERS, settings=tight
        )
    content = bytearray(path.read_bytes())
    content[100:20_000] = bytes(19_900)
    path.write_bytes(content)
    with pytest.raises(GateError, match=rf"could not be checked.*table {ROLL}"):
        check(tmp_path, {ROLL: path})


def test_unreadable_failed_conversions_are_refused(tmp_path: Path) -> None:
    path = write_rows(tmp_path, ROLL, [good(ROLL)])
    with pytest.raises(GateError, match=r"failed conversions cannot be read.*absent"):
        check(tmp_path, {ROLL: path}, failures=tmp_path / "absent.parquet")
    with pytest.raises(GateError, match="failed conversions cannot be read"):
        check(tmp_path, {ROLL: path}, failures=path)


def test_a_table_that_is_not_canonical_is_refused(tmp_path: Path) -> None:
    path = write_rows(tmp_path, ROLL, [good(ROLL)])
    with pytest.raises(ConfigError, match="'parcels' is not a canonical table"):
        check(tmp_path, {"parcels": path})


def test_a_parameter_that_no_one_gave_is_named(tmp_path: Path) -> None:
    path = write_rows(tmp_path, ROLL, [good(ROLL)])
    with pytest.raises(ConfigError, match=r"suite properties_operational.*'assessment_year'"):
        check(tmp_path, {ROLL: path}, parameters={"county_id": COUNTY})


@pytest.mark.parametrize("condition", ["abs(last_sale_date) > 1", "owner_name + 1 > 2"])
def test_a_rule_that_does_not_fit_the_types_is_named(tmp_path: Path, condition: str) -> None:
    text = (
        f"table: {ROLL}\nmeaning: One row per property\nrules:\n"
        f"  - {{name: odd, kind: expression, check: {condition}, severity: error, "
        "because: It makes no sense.}\n"
    )
    (tmp_path / f"{ROLL}.yaml").write_text(text, encoding="utf-8")
    path = write_rows(tmp_path, ROLL, [good(ROLL)])
    with pytest.raises(ConfigError, match=rf"The rule odd cannot be evaluated.*{ROLL}"):
        check(tmp_path, {ROLL: path}, suites=load_suites(tmp_path))
