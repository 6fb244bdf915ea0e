"""Results to explore: what is not there is said in a sentence that leads on."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from terrafusion_lib.core.errors import AccessDeniedError, RunError
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.pipelines.notebook_tables import review_reasons
from terrafusion_lib.results import reader
from terrafusion_lib.results.products import RECORD, StepRecord
from tests.support.refused import refused
from tests.support.users_project import add_county

COUNTY = "king_wa"
VALUES = {
    "property_id": ["0012", "13", "14", "15"],
    "assessment_year": [2015] * 4,
    "estimated_value": [1e5, 2e5, 3e5, None],
    "review_reasons": ["low_confidence", "large_change,low_confidence", None, None],
}


def valued(settings: Settings, year: int) -> Path:
    folder = settings.county_data(COUNTY) / "steps" / "60_value" / f"fingerprint{year}"
    folder.mkdir(parents=True)
    record: dict[str, Any] = dict.fromkeys(StepRecord.__dataclass_fields__)
    record |= {"fingerprint": folder.name, "assessment_year": year, "started_at": str(year)}
    (folder / RECORD).write_text(json.dumps(record | {"run_id": f"run{year}"}))
    pq.write_table(pa.table(VALUES), folder / "valuations.parquet")
    return folder


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    add_county(tmp_path, COUNTY, {"username": "ann", "roles": ["analyst"]})
    found = Settings(root=tmp_path, data_dir=tmp_path / "data", operational_url="", user="ann")
    monkeypatch.setattr(reader, "get_settings", lambda: found)
    return found


@pytest.fixture
def found(settings: Settings) -> reader.Results:
    valued(settings, 2015)
    return reader.latest_results(COUNTY, 2015)


def test_a_year_without_values_says_which_years_have_some(settings: Settings) -> None:
    for year in (2015, 2014):
        valued(settings, year)
    with refused(RunError, county=COUNTY, next="terrafusion run king_wa --year 2026") as caught:
        reader.latest_results(COUNTY, 2026)
    assert "2014, 2015" in caught.value.what
    assert reader.latest_results(COUNTY).run_id == "run2015"


def test_personal_data_are_for_the_roles_that_may_see_them(found: reader.Results) -> None:
    with pytest.raises(AccessDeniedError) as refused:
        found.properties(("property_id", "owner_name"))
    assert refused.value.permission == "reporting:view_sensitive"


def test_a_county_without_values_says_what_to_run(settings: Settings) -> None:
    with refused(RunError, county=COUNTY, hint="terrafusion run king_wa"):
        reader.latest_results(COUNTY, 2026)


def test_rows_are_those_that_equal_what_is_given(found: reader.Results) -> None:
    assert [row["property_id"] for row in found.rows("valuations", property_id="13")] == ["13"]
    assert len(found.rows("valuations", assessment_year=2015, estimated_value=100_000)) == 1
    assert len(found.rows("valuations", review_reasons=None)) == 2
    assert len(found.rows("valuations")) == 4


def test_a_filter_on_an_unknown_column_is_a_sentence(found: reader.Results) -> None:
    with refused(RunError, table="valuations") as caught:
        found.rows("valuations", propertyid="13")
    assert caught.value.examples[0] == "property_id"
    with refused(RunError, table="valuations"):
        found.rows("valuations", foo=1)


def test_a_filter_of_another_type_says_how_to_write_it(found: reader.Results) -> None:
    with refused(RunError, column="property_id", hint='property_id="13"'):
        found.rows("valuations", property_id=13)
    with refused(RunError, table="valuations", column="assessment_year"):
        found.rows("valuations", assessment_year="this year")


def test_an_unknown_property_column_is_a_sentence(found: reader.Results) -> None:
    with refused(RunError, table="properties_operational"):
        found.properties(("property_id", "cty"))


def test_reasons_for_review_are_counted_one_by_one(found: reader.Results) -> None:
    step: Any = SimpleNamespace(name="60_value", folder=found.folder)
    assert review_reasons(step) == [
        {"reason": "low_confidence", "properties": 2, "for_this_reason_alone": 1},
        {"reason": "large_change", "properties": 1, "for_this_reason_alone": 0},
    ]
