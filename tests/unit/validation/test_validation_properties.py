"""For any rows: accepted and quarantined rows are all the rows, and what passed is sound."""

import math
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terrafusion_lib.core.settings import Settings
from terrafusion_lib.core.states.load import load_state
from terrafusion_lib.validation.suites import load_suites
from terrafusion_lib.validation.validate import validate_tables
from tests.support.canonical_rows import COUNTY, YEAR, Row, good, write_rows
from tests.support.require import ROOT

SUITES = load_suites(ROOT / "expectations", profile=load_state("wa"))
ROLL = "properties_operational"
IDS = st.sampled_from(["1", "2", "3", "4", "5", "6", "é"])
NUMBERS = st.one_of(st.none(), st.floats(), st.integers(-10, 400_000).map(float))
PROPERTY = st.fixed_dictionaries(
    {
        "property_id": IDS,
        "condition": NUMBERS,
        "bedrooms": NUMBERS,
        "land_value": NUMBERS,
        "year_built": st.one_of(st.none(), st.integers(-5, 2100)),
        "owner_name": st.text(max_size=5),
        "county_id": st.sampled_from([COUNTY, COUNTY, COUNTY, "other"]),
    }
)
SALE = st.fixed_dictionaries({"property_id": IDS, "sale_id": IDS, "sale_price": NUMBERS})


def run(folder: Path, roll: list[Row], sales: list[Row]) -> dict[str, tuple[list[Row], list[Row]]]:
    """Accepted and quarantined rows by table."""
    paths = {ROLL: write_rows(folder, ROLL, roll), "sales": write_rows(folder, "sales", sales)}
    result = validate_tables(
        SUITES,
        paths,
        folder / "out",
        parameters={"county_id": COUNTY, "assessment_year": YEAR},
        settings=Settings(),
        data_docs=False,
    )
    quarantine = pq.read_table(folder / "out" / "quarantine.parquet").to_pylist()
    found = {}
    for name, rows in ((ROLL, roll), ("sales", sales)):
        accepted = pq.read_table(folder / "out" / "accepted" / f"{name}.parquet").to_pylist()
        counts = result.tables[name]
        assert (counts.read, counts.accepted) == (len(rows), len(accepted))
        assert counts.read == counts.quarantined + counts.accepted
        found[name] = (accepted, [row for row in quarantine if row["table_name"] == name])
    return found


def sound(row: Row) -> bool:
    """An independent reading of four rules."""
    numbers = [row[name] for name in ("condition", "bedrooms", "land_value")]
    finite = all(number is None or math.isfinite(number) for number in numbers)
    condition = row["condition"] is None or 1 <= row["condition"] <= 5
    return finite and condition and row["county_id"] == COUNTY


@pytest.mark.slow
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PROPERTY, max_size=12), st.lists(SALE, max_size=8))
def test_every_row_is_accepted_or_quarantined(roll: list[Row], sales: list[Row]) -> None:
    with TemporaryDirectory() as folder:
        rows = [good(ROLL, **row) for row in roll]
        found = run(Path(folder), rows, [good("sales", **row) for row in sales])
    accepted, quarantined = found[ROLL]
    assert all(sound(row) for row in accepted)
    keys = Counter((row["county_id"], row["property_id"]) for row in rows)
    assert all(keys[row["county_id"], row["property_id"]] == 1 for row in accepted)
    told = {row["source_key"] for row in quarantined}
    assert told == {row["property_id"] for row in rows} - {
        row["property_id"]
        for row in accepted
        if not any(q["source_key"] == row["property_id"] for q in quarantined)
    }
    on_roll = {row["property_id"] for row in accepted}
    assert all(row["property_id"] in on_roll for row in found["sales"][0])
