"""The run summary begins at the lines of the files."""

from datetime import UTC, datetime
from pathlib import Path

from terrafusion_lib.connectors.raw.layer import extract
from terrafusion_lib.core.county import CountyConfig, SourceConfig
from terrafusion_lib.core.raw import RawType, SourceTable, read_manifest
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.pipelines.connect_step import table_counts


def test_lines_records_and_rows_are_in_the_manifest_and_the_step_record(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,price\n1,5\n\nTotal,5\n")
    county = CountyConfig(
        county_id="test_wa",
        name="Test",
        assessment_year=2026,
        sources={"files": SourceConfig(connector="file", options={"path": str(tmp_path)})},
        mapping=Path("m.yaml"),
    )
    table = SourceTable(
        name="x", source="files", table="x.csv", columns={"id": RawType.TEXT}, key=("id",)
    )
    folder, _ = extract(
        county,
        {"x": table},
        [2026],
        settings=Settings(root=tmp_path, data_dir=tmp_path / "data"),
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
    )
    counts = table_counts(read_manifest(folder).tables["x"])
    assert counts == {
        "read": 1,
        "lines": 4,
        "records": 2,
        "not_records": {"header": 1, "blank lines": 1},
        "left_out": {"total or ruled line": 1},
    }
