"""The compiler over a small extract: counts that reconcile, findings that are kept, errors."""

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from terrafusion_lib.core.errors import ConfigError, MappingError
from terrafusion_lib.core.files import file_hash
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.mappers import chunks
from tests.support.raw_extract import read_mapping, run_mapping
from tests.support.refused import refused

ROLL = "properties_operational"
MAPPING = """
version: 1
source: cama
sources:
  parcel:
    table: parcel
    key: [id]
    columns:
      integer: [id, year]
      number: [land]
      text: [status, cond, use_cd, sold, name, built]
  owner:
    table: owner
    key: [parcel_id, nr]
    columns: {integer: [parcel_id, nr, share], text: [who]}
  use_code:
    table: use_code
    key: [use_cd]
    columns: {text: [use_cd, kind]}
  photo:
    table: photo
    optional: true
    columns: {integer: [parcel_id], text: [file]}
relations:
  first_owner:
    from: owner
    first_per: [parcel_id]
    order_by: [share desc]
  shares:
    from: owner
    group_by: [parcel_id]
    columns: {total: sum(share), owners: count(*)}
value_maps:
  condition: {values: {G: 4, A: 3, 01: 1, No: 2}}
tables:
  properties_operational:
    from: parcel
    joins:
      use: {to: use_code, match: {use_cd: use_cd}}
      owner: {to: first_owner, match: {parcel_id: id}}
      shares: {match: {parcel_id: id}}
      photo: {match: {parcel_id: id}}
    let: {is_gone: "status = 'X'"}
    drop:
      - {reason: retired, when: is_gone}
      - {reason: another year, when: year <> $assessment_year}
    fields:
      property_id: id
      assessment_year: year
      land_value: land
      condition: {value: cond, value_map: condition, default: 0}
      use_code: {value: use_cd, known: use.use_cd}
      property_type: use.kind
      last_sale_date: {value: sold, transform: date}
      year_built: {value: built, transform: zero_to_null}
      owner_name: owner.who
      bedrooms: shares.total
      extended_attributes:
        json: {owners: shares.owners, photo: photo.file, seen: {value: sold, transform: date}}
  sales:
    from: parcel
    joins: {prop: {to: mapped.properties_operational, match: {property_id: cast(id as text)}}}
    drop: [{reason: not on the roll, when: prop.property_id is null}]
    fields: {sale_id: id, property_id: id, sale_price: land}
"""


def extract(**changes: pa.Table) -> dict[str, pa.Table]:
    parcel = pa.table(
        {
            "id": pa.array([3, 1, 2, 4, 5, None]),
            "year": pa.array([2026, 2026, 2026, 2026, 2025, 2026]),
            "land": pa.array([10.5, 20.0, None, 7.0, 1.0, 2.0]),
            "status": ["A", "A  ", "A", "X", "A", "A"],
            "cond": ["G  ", "A", "Q", "Q", "G", "01"],
            "use_cd": ["11 ", "11", "99", "11", "11", None],
            "sold": ["2025-03-01", "0000-00-00", " ", "bad", "2025-01-01", "1900-01-01"],
            "name": ["x"] * 6,
            "built": ["1987", "0", "soon", "1", "1", "1"],
        }
    )
    owner = pa.table(
        {
            "parcel_id": pa.array([1, 1, 3]),
            "nr": pa.array([2, 1, 1]),
            "share": pa.array([50, 50, 100]),
            "who": ["SECOND", "FIRST", "PEÃ‘A"],
        }
    )
    use_code = pa.table({"use_cd": ["11"], "kind": ["residential"]})
    return {"parcel": parcel, "owner": owner, "use_code": use_code} | changes


def rows(path: Path) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()


def test_every_row_of_the_base_is_mapped_or_filtered_with_its_reason(tmp_path: Path) -> None:
    result = run_mapping(tmp_path, MAPPING, extract())
    table = result.tables["properties_operational"]
    assert (table.read, table.mapped) == (6, 3)
    assert table.filtered == {"retired": 1, "another year": 1, "no property_id": 1}
    filtered = rows(tmp_path / "out" / "filtered" / "properties_operational.parquet")
    assert {(row["property_id"], row["reason"]) for row in filtered} == {
        ("4", "retired"),
        ("5", "another year"),
        (None, "no property_id"),
    }
    sales = result.tables["sales"]
    assert (sales.read, sum(sales.filtered.values()), sales.mapped) == (6, 3, 3)
    assert not (tmp_path / "out" / ".work").exists()


def test_values_are_looked_up_converted_coded_and_defaulted(tmp_path: Path) -> None:
    result = run_mapping(tmp_path, MAPPING, extract())
    path = result.tables["properties_operational"].path
    assert pq.read_schema(path).equals(TABLES["properties_operational"].arrow_schema())
    one, two, three = rows(path)
    assert [row["property_id"] for row in (one, two, three)] == ["1", "2", "3"]
    assert (three["land_value"], three["condition"], three["use_code"]) == (10.5, 4.0, "11")
    assert (three["last_sale_date"], three["year_built"]) == (date(2025, 3, 1), 1987)
    assert three["extended_attributes"] == '{"owners":1,"seen":"2025-03-01"}'
    assert (one["owner_name"], one["bedrooms"]) == ("FIRST", 100.0)
    assert (one["last_sale_date"], one["year_built"]) == (None, None)
    assert (two["condition"], two["owner_name"], two["extended_attributes"]) == (0.0, None, None)
    assert {row["county_id"] for row in (one, two, three)} == {"test_wa"}


def test_failures_are_kept_with_key_text_and_reason_and_blank_is_none(tmp_path: Path) -> None:
    result = run_mapping(tmp_path, MAPPING, extract())
    found = {
        (row["column_name"], row["source_key"], row["raw_value"], row["reason"])
        for row in rows(tmp_path / "out" / "failures.parquet")
    }
    assert found == {
        ("last_sale_date", "1", "0000-00-00", "not a date"),
        ("extended_attributes.seen", "1", "0000-00-00", "not a date"),
        ("year_built", "2", "soon", "not a whole number"),
        ("owner_name", "3", "PEÃ‘A", "text looks garbled by a wrong encoding (kept)"),
    }
    assert result.failures == len(found)


def test_codes_outside_a_value_map_or_code_table_are_counted(tmp_path: Path) -> None:
    result = run_mapping(tmp_path, MAPPING, extract())
    codes = rows(tmp_path / "out" / "unmapped_codes.parquet")
    assert [(row["column_name"], row["code"], row["rows"]) for row in codes] == [
        ("condition", "Q", 1),
        ("use_code", "99", 1),
    ]
    assert result.unmapped_codes == 2


def test_codes_are_text_as_written(tmp_path: Path) -> None:
    mapping = read_mapping(tmp_path, MAPPING)
    assert set(mapping.value_maps["condition"].values) == {"G", "A", "01", "No"}


@pytest.mark.parametrize(
    ("rule", "expected"), [("keep", "Q"), ("{unmapped: default, default: other}", "other")]
)
def test_what_an_unlisted_code_becomes(tmp_path: Path, rule: str, expected: str) -> None:
    words = "unmapped: keep" if rule == "keep" else rule.strip("{}")
    text = MAPPING.replace("{values: {G: 4, A: 3, 01: 1, No: 2}}", f"{{{words}, values: {{G: g}}}}")
    text = text.replace("condition: {value: cond, value_map: condition, default: 0}",
                        "zoning: {value: cond, value_map: condition}")  # fmt: skip
    result = run_mapping(tmp_path, text, extract())
    found = {row["property_id"]: row for row in rows(result.tables["properties_operational"].path)}
    assert (found["2"]["zoning"], found["3"]["zoning"]) == (expected, "g")


def test_a_value_map_that_must_be_complete_stops_the_run(tmp_path: Path) -> None:
    text = MAPPING.replace("condition: {values", "condition: {unmapped: fail, values")
    with refused(MappingError, table=ROLL, column="condition", examples=("Q (1 rows)",), count=1):
        run_mapping(tmp_path, text, extract())


def test_a_required_value_that_is_null_stops_the_run(tmp_path: Path) -> None:
    text = MAPPING.replace("land_value: land", "land_value: {value: land, required: true}")
    with refused(MappingError, table=ROLL, column="land_value", count=1, examples=("2",)):
        run_mapping(tmp_path, text, extract())


def test_the_same_row_again_collapses_and_rows_that_differ_are_kept(tmp_path: Path) -> None:
    tables = extract()
    tables["parcel"] = pa.concat_tables([tables["parcel"], tables["parcel"]])
    text = MAPPING[: MAPPING.index("  sales:")]
    table = run_mapping(tmp_path, text, tables).tables["properties_operational"]
    assert (table.read, table.mapped, table.filtered["the same as another row"]) == (12, 3, 3)
    assert [row["property_id"] for row in rows(table.path)] == ["1", "2", "3"]
    worth = tables["parcel"]["land"].to_pylist()
    half = len(worth) // 2
    worth[half:] = [(value or 0) + 1 for value in worth[half:]]
    land = tables["parcel"].schema.get_field_index("land")
    column = pa.array(worth, tables["parcel"]["land"].type)
    tables["parcel"] = tables["parcel"].set_column(land, "land", column)
    table = run_mapping(tmp_path, text, tables).tables["properties_operational"]
    assert [row["property_id"] for row in rows(table.path)] == ["1", "1", "2", "2", "3", "3"]


def test_a_join_that_multiplies_rows_stops_the_run_with_its_keys(tmp_path: Path) -> None:
    doubled = pa.table({"use_cd": ["11", "11 "], "kind": ["residential", "commercial"]})
    with refused(MappingError, table="use_code", column="use_cd", examples=("11 (2 rows)",)):
        run_mapping(tmp_path, MAPPING, extract(use_code=doubled))
    text = MAPPING.replace("{to: first_owner, match: {parcel_id: id}}",
                           "{to: owner, match: {parcel_id: id}}")  # fmt: skip
    with refused(MappingError, table="owner", column="parcel_id", examples=("1 (2 rows)",)):
        run_mapping(tmp_path, text, extract())


def test_a_missing_table_or_column_is_named_with_the_nearest(tmp_path: Path) -> None:
    tables = extract()
    with refused(MappingError, table="use_code", examples=("use_codes",)):
        run_mapping(tmp_path, MAPPING, {"use_codes" if name == "use_code" else name: table
                                        for name, table in tables.items()})  # fmt: skip
    renamed = tables["parcel"].rename_columns(
        ["land_val" if name == "land" else name for name in tables["parcel"].column_names]
    )
    with refused(MappingError, table="parcel", column="land", examples=("land_val",)):
        run_mapping(tmp_path, MAPPING, extract(parcel=renamed))


def test_a_file_column_that_stayed_text_is_converted_and_counted(tmp_path: Path) -> None:
    tables = extract()
    at = tables["parcel"].column_names.index("land")
    tables["parcel"] = tables["parcel"].set_column(
        at, "land", pa.array(["$1,000", "20", "n/a", "7", "1", ""])
    )
    result = run_mapping(tmp_path, MAPPING, tables)
    found = {row["property_id"]: row for row in rows(result.tables["properties_operational"].path)}
    assert (found["3"]["land_value"], found["2"]["land_value"]) == (1000.0, None)
    failed = rows(tmp_path / "out" / "failures.parquet")
    assert {"table_name": "parcel", "column_name": "land", "source_key": "2", "raw_value": "n/a",
            "reason": "not a number"} in failed  # fmt: skip


def test_a_changed_type_is_a_clear_error(tmp_path: Path) -> None:
    owner = pa.table({"parcel_id": pa.array([[1]]), "nr": [1], "share": [1], "who": ["A"]})
    with pytest.raises(MappingError, match="does not fit the data") as caught:
        run_mapping(tmp_path, MAPPING, extract(owner=owner))
    assert "Traceback" not in str(caught.value)


def test_an_empty_source_gives_empty_tables(tmp_path: Path) -> None:
    tables = {name: table.slice(0, 0) for name, table in extract().items()}
    result = run_mapping(tmp_path, MAPPING, tables)
    assert [(t.read, t.mapped) for t in result.tables.values()] == [(0, 0), (0, 0)]
    for name, table in result.tables.items():
        assert pq.read_schema(table.path).equals(TABLES[name].arrow_schema())


def test_another_year_or_no_extract_is_refused(tmp_path: Path) -> None:
    run_mapping(tmp_path, MAPPING, extract())
    manifest = tmp_path / "raw" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("[2025,2026]", "[2024]"))
    from tests.support import raw_extract

    def map_again() -> None:
        raw_extract.map_tables(
            read_mapping(tmp_path, MAPPING),
            tmp_path / "raw",
            tmp_path / "out",
            county_id="test_wa",
            assessment_year=2026,
            crs="EPSG:2927",
            settings=raw_extract.Settings(root=tmp_path),
        )

    with refused(MappingError, county="test_wa", examples=(2024,), next="--year 2026"):
        map_again()
    manifest.unlink()
    with pytest.raises(ConfigError, match="no finished extract"):
        map_again()


def test_neither_chunks_nor_threads_change_a_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hashes(threads: int) -> dict[str, str]:
        run_mapping(tmp_path, MAPPING, extract(), threads=threads)
        out = tmp_path / "out"
        found = {path.name: file_hash(path) for path in sorted(out.rglob("*.parquet"))}
        shutil.rmtree(out)
        return found

    whole = hashes(2)
    monkeypatch.setattr(chunks, "LEAST_ROWS", 2)
    monkeypatch.setattr(chunks, "WORK_ROWS", 4)
    assert hashes(1) == whole
    assert hashes(2) == whole


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("from: parcel\n    joins:", "from: parcels\n    joins:", "did you mean parcel"),
        ("total: sum(share)", "total: share", "column total: «share» is no aggregate"),
        ("land_value: land", "land_value: sum(land)", "it aggregates rows"),
        ("match: {parcel_id: id}}\n      shares", "match: {parcel: id}}\n      shares",
         "no column parcel"),
        ("condition: {value: cond, value_map: condition, default: 0}",
         "condition: {value: cond, value_map: conditon}", "did you mean condition"),
        ("default: 0", "default: none", "'none' does not fit a column of kind number"),
        ("property_id: id\n      assessment", "assessment", "key column property_id is not mapped"),
        ("  first_owner:\n    from: owner", "  first_owner:\n    from: shares",
         "shares is defined further down. Next: move shares up"),
        ("order_by: [share desc]", "order_by: []", "first_per and order_by need each other"),
        ("transform: zero_to_null", "transform: [integer, number]", "one conversion is enough"),
        ("json: {owners", "value: id\n        json: {owners", "give a value, or json"),
        ("key: [id]", "key: [idd]", "no key column idd.*did you mean id"),
        ("source: cama", "", "source parcel names no source system"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_mapping_is_named_with_its_place(
    tmp_path: Path, right: str, wrong: str, message: str
) -> None:
    assert right in MAPPING
    with pytest.raises(MappingError) as caught:
        read_mapping(tmp_path, MAPPING.replace(right, wrong, 1))
    assert all(part in str(caught.value) for part in message.split(".*"))
    assert "mappings.yaml" in str(caught.value)
