"""The real sales of King County: the 33-bedroom house is caught, and no other house is lost."""

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.core.states.load import load_state
from terrafusion_lib.validation.suites import load_suites
from terrafusion_lib.validation.validate import validate_tables
from tests.support.require import ROOT, real_data

QUERY = """
    SELECT 'king_wa' AS county_id, id || '-' || left(date, 8) AS sale_id, id AS property_id,
           CAST(strptime(left(date, 8), '%Y%m%d') AS DATE) AS sale_date, price AS sale_price,
           price AS adjusted_sale_price, true AS dor_valid, true AS county_valid,
           1 AS parcel_count, true AS is_primary_parcel, false AS is_land_only,
           'residential' AS property_type, sqft_lot AS land_area_sqft,
           sqft_living AS building_area_sqft, yr_built AS year_built, floors AS stories,
           bedrooms, bathrooms, grade AS quality, condition, view AS view_rating
    FROM read_csv($path, types = {'id': 'VARCHAR', 'date': 'VARCHAR'})
"""


@pytest.mark.real_data
def test_the_33_bedroom_house_is_quarantined_and_nothing_else(tmp_path: Path) -> None:
    source = real_data("kc_house_data.csv")
    found = duckdb.sql(QUERY, params={"path": str(source)}).to_arrow_table()
    sales = TABLES["sales"].arrow_schema()
    columns = [
        found[item.name].cast(item.type)
        if item.name in found.column_names
        else pa.nulls(len(found), item.type)
        for item in sales
    ]
    pq.write_table(pa.table(columns, schema=sales), tmp_path / "sales.parquet")
    roll = TABLES["properties_operational"].arrow_schema()
    ids = found["property_id"].unique()
    values = {
        "county_id": pa.array(["king_wa"] * len(ids)),
        "property_id": ids,
        "assessment_year": pa.array([2015] * len(ids)),
    }
    columns = [values.get(item.name, pa.nulls(len(ids), item.type)) for item in roll]
    pq.write_table(pa.table(columns, schema=roll), tmp_path / "properties_operational.parquet")
    tables = {name: tmp_path / f"{name}.parquet" for name in ("properties_operational", "sales")}
    result = validate_tables(
        load_suites(ROOT / "expectations", profile=load_state("wa")),
        tables,
        tmp_path / "out",
        parameters={"county_id": "king_wa", "assessment_year": 2015},
        settings=Settings(),
        data_docs=False,
    )
    assert (result.tables["sales"].read, result.tables["sales"].accepted) == (21_613, 21_612)
    (row,) = pq.read_table(tmp_path / "out" / "quarantine.parquet").to_pylist()
    assert row["source_key"] == "2402100895-20140625/2402100895"
    assert "building_area_sqft 1620, bedrooms 33" in row["reason"]
    warned = {rule.rule: rule.failed for rule in result.rules if rule.table == "sales"}
    assert warned["bedrooms_usual"] == 14, "13 houses without a bedroom and the 33"
    assert warned["bathrooms_usual"] == 10
