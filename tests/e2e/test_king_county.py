"""The real King County sales file, end to end, configured without a line of Python."""

import os
from pathlib import Path

import pyarrow.compute as pc
import pytest

from terrafusion_lib.runs.runner import RunOptions, run_county
from terrafusion_lib.store.store import open_store
from tests.support.county import project
from tests.support.require import real_data

SALES = 21_613
PARCELS = 21_436
THIRTY_THREE_BEDROOMS = "2402100895"


@pytest.mark.slow
@pytest.mark.real_data
def test_every_sale_is_accounted_for_and_every_parcel_valued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "TERRAFUSION_DATA", str(real_data("kc_house_data.csv").parent))
    settings = project(tmp_path, user="king_analyst")
    run = run_county("king_wa", RunOptions(), settings)

    tables = {row["table"]: row for row in run["tables"]}
    assert tables["sales"]["read"] == SALES
    assert tables["properties_operational"]["read"] == PARCELS
    for row in tables.values():
        assert row["read"] == row["filtered"] + row["quarantined"] + row["loaded"], row

    with open_store(settings.operational_database_url) as store:
        roll = store.read("properties_operational", county_id="king_wa")
        values = store.read_results("valuations", county_id="king_wa", run_id=run["results_run_id"])
        with store.engine.connect() as connection:
            refused = connection.exec_driver_sql(
                "SELECT table_name, source_key, reason FROM quarantine"
            ).all()
    assert {len(parcel) for parcel in roll["property_id"].to_pylist()} == {10}
    assert THIRTY_THREE_BEDROOMS not in roll["property_id"].to_pylist()
    assert any(THIRTY_THREE_BEDROOMS in key and "bedroom" in reason for _, key, reason in refused)
    assert values.num_rows == roll.num_rows == tables["properties_operational"]["loaded"]
    assert pc.sum(pc.is_valid(values["estimated_value"])).as_py() == roll.num_rows
    assert 0.9 < run["valuation"]["model_holdout_median_ratio"] < 1.1
    assert run["valuation"]["model_holdout_cod"] < 13
