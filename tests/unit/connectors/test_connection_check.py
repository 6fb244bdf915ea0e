"""The connection check: lines for what is there and what is missing, never an exception."""

from pathlib import Path

import pytest

from terrafusion_lib.connectors.check import check_sources
from terrafusion_lib.connectors.protocol import CheckItem
from terrafusion_lib.core.county import CountyConfig, SourceConfig
from terrafusion_lib.core.raw import RawType, SourceTable
from terrafusion_lib.core.settings import Settings
from tests.support import tds_pacs as pacs

PARCELS = SourceTable(
    name="parcels",
    source="files",
    table="parcels.parquet",
    columns={"Prop_ID": RawType.INTEGER},
    optional=True,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(root=tmp_path, data_dir=tmp_path)


def county(year: int, **sources: dict[str, object]) -> CountyConfig:
    connectors = {"pacs": "sql_server", "files": "file"}
    return CountyConfig(
        county_id="test_wa",
        name="Test",
        assessment_year=year,
        sources={
            name: SourceConfig(connector=connectors[name], options=options)
            for name, options in sources.items()
        },
        mapping=Path("m.yaml"),
    )


def lines(county: CountyConfig, settings: Settings, *tables: SourceTable) -> dict[str, CheckItem]:
    found = check_sources(county, {table.name: table for table in tables}, settings=settings)
    return {item.name: item for item in found}


def test_a_database_that_is_as_the_mapping_says(settings: Settings, tmp_path: Path) -> None:
    url = f"sqlite:///{pacs.build(tmp_path / 'pacs.sqlite', rows=10)}"
    found = lines(county(2026, pacs={"url": url}), settings, pacs.PROPERTY_VAL, pacs.EMPTY)
    assert all(item.ok and not item.hint for item in found.values()), found
    detail = found["pacs: table dbo.property_val"].detail
    assert detail == "all 14 columns, about 5 rows"
    assert "appraisal year is 2026" in found["pacs: year layers"].detail
    assert found["pacs: current supplement"].detail.startswith("5 properties")


def test_a_year_that_pacs_does_not_hold_is_told(settings: Settings, tmp_path: Path) -> None:
    url = f"sqlite:///{pacs.build(tmp_path / 'pacs.sqlite', rows=10)}"
    found = lines(county(2030, pacs={"url": url}), settings, pacs.PROPERTY_VAL)
    assert found["pacs: year layers"].ok is False
    assert "correct assessment_year" in found["pacs: year layers"].hint
    assert found["pacs: current supplement"].ok is False


def test_missing_tables_and_columns_are_named_one_by_one(
    settings: Settings, tmp_path: Path
) -> None:
    url = f"sqlite:///{pacs.build(tmp_path / 'pacs.sqlite', rows=10)}"
    gone = pacs.EMPTY.model_copy(update={"table": "dbo.bilding_permit"})
    wrong = pacs.PROPERTY_VAL.model_copy(update={"columns": {"markett": RawType.NUMBER}})
    found = lines(county(2026, pacs={"url": url}), settings, gone, wrong)
    assert found["pacs: table dbo.bilding_permit"].hint == "did you mean building_permit?"
    assert found["pacs: table dbo.property_val"].detail.endswith("the mapping reads: markett")
    assert found["pacs: table dbo.property_val"].hint == "markett: did you mean market?"


def test_a_source_that_is_missing_ends_its_lines_but_not_the_check(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    found = lines(
        county(2026, pacs={"url": "sqlite:///no.sqlite"}, files={"path": str(tmp_path / "files")}),
        settings,
        pacs.PROPERTY_VAL,
        PARCELS.model_copy(update={"optional": False}),
    )
    assert [name for name, item in found.items() if item.ok is False] == [
        "pacs: database",
        "files: table parcels.parquet",
    ]
    assert "pacs: table dbo.property_val" not in found


def test_an_optional_source_that_is_not_named_is_no_fault(settings: Settings) -> None:
    found = lines(county(2026, files={"path": "env:NO_PARCELS_FOLDER"}), settings, PARCELS)
    [line] = found.values()
    assert line.ok is None
    assert "(optional)" in line.detail
    assert "export NO_PARCELS_FOLDER" in line.hint


def test_a_server_is_checked_step_by_step_until_something_is_missing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, object] = {
        "host": "127.0.0.1",
        "port": 1,
        "database": "pacs_oltp",
        "user": "reader",
        "password": "env:TEST_CHECK_PASSWORD",
        "driver": "/nowhere/driver.so",
    }
    found = lines(county(2026, pacs=options), settings, pacs.PROPERTY_VAL)
    assert [(name, item.ok) for name, item in found.items()] == [
        ("pacs: driver", False),
        ("pacs: credentials", False),
    ]
    assert "export TEST_CHECK_PASSWORD" in found["pacs: credentials"].hint
    monkeypatch.setenv("TEST_CHECK_PASSWORD", "x")
    found = lines(county(2026, pacs=options), settings, pacs.PROPERTY_VAL)
    assert found["pacs: server"].ok is False
    assert "nc -vz 127.0.0.1 1" in found["pacs: server"].hint
    assert "pacs: login" not in found


def test_files_are_read_by_the_check_and_their_header_is_shown(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "sales.csv").write_text("parcel,price\n1,5\nTotal,5\n")
    wanted = SourceTable(
        name="sales", source="files", table="sales.csv", columns={"parcel": RawType.TEXT}
    )
    files = county(2026, files={"path": str(tmp_path)})
    line = lines(files, settings, wanted)["files: table sales.csv"]
    assert line.ok
    assert line.detail.endswith("1 rows of 3 lines (1 header, 1 total or ruled line)")
    missing = wanted.model_copy(update={"columns": {"owner": RawType.TEXT}})
    line = lines(files, settings, missing)["files: table sales.csv"]
    assert line.ok is False
    assert "its header is: parcel, price" in line.detail
