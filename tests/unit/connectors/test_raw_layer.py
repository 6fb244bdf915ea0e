"""The raw layer: what it holds, what it says of itself, and when it serves again."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from terrafusion_lib.connectors import retries
from terrafusion_lib.connectors.raw import layer as raw_layer
from terrafusion_lib.connectors.raw.layer import extract, source_marks
from terrafusion_lib.core.errors import ConnectError
from terrafusion_lib.core.files import file_hash
from terrafusion_lib.core.raw import RawType, read_manifest
from terrafusion_lib.core.settings import Settings
from tests.support import tds_pacs as pacs
from tests.support.fake_source import (
    NOW,
    FakeConnector,
    county,
    extracts,
    run,
    tables,
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(root=tmp_path, data_dir=tmp_path / "data")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeConnector:
    connector = FakeConnector()
    monkeypatch.setattr(raw_layer, "open_source", lambda *_: connector)
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.0)
    return connector


def test_the_manifest_holds_counts_hashes_freshness_and_types(
    settings: Settings, fake: FakeConnector
) -> None:
    fake.marks["b"] = ""
    folder, manifest = run(settings, tables("a", "b"))
    assert read_manifest(folder) == manifest
    assert manifest.extract_id == folder.name
    assert folder.name.startswith("20261123T120000Z-")
    assert (manifest.county_id, manifest.years, manifest.extracted_at) == (
        "test_wa",
        (2025, 2026),
        NOW,
    )
    table = manifest.tables["a"]
    assert (table.rows, table.freshness, table.columns) == (3, "mark", {"a": RawType.INTEGER})
    assert table.sha256 == file_hash(manifest.path(folder, "a"))
    assert pq.read_table(folder / "a.parquet")["a"].to_pylist() == [1, 2, 3]
    metadata = pq.ParquetFile(folder / "a.parquet").metadata
    assert metadata.row_group(0).column(0).compression == "ZSTD"
    assert sorted(path.name for path in folder.iterdir()) == [
        "a.parquet",
        "b.parquet",
        "manifest.json",
    ]


def test_the_same_source_gives_the_same_bytes(settings: Settings, fake: FakeConnector) -> None:
    _, one = run(settings, tables("a"))
    _, two = run(settings, tables("a"), clock=lambda: NOW.replace(hour=13))
    assert one.extract_id != two.extract_id
    assert one.tables["a"].sha256 == two.tables["a"].sha256
    assert one.source_fingerprint == two.source_fingerprint
    assert len(extracts(settings)) == 2


def test_an_extract_of_the_same_content_in_the_same_second_is_the_same(
    settings: Settings, fake: FakeConnector
) -> None:
    assert run(settings, tables("a")) == run(settings, tables("a"))
    assert len(extracts(settings)) == 1


def test_reuse_gives_the_newest_extract_of_the_same_definitions_without_asking(
    settings: Settings, fake: FakeConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(settings, tables("a"))
    newest = run(settings, tables("a"), clock=lambda: NOW.replace(hour=13))
    run(settings, tables("b"), clock=lambda: NOW.replace(hour=14))

    def unreachable(*_: object) -> None:
        raise ConnectError("the source was asked")

    monkeypatch.setattr(raw_layer, "open_source", unreachable)
    assert run(settings, tables("a"), reuse=True) == newest
    with pytest.raises(ConnectError, match="the source was asked"):
        run(settings, tables("a", "b"), reuse=True)


def test_reuse_reads_again_when_the_extract_is_damaged_or_missing(
    settings: Settings, fake: FakeConnector
) -> None:
    folder, _ = run(settings, tables("a"), reuse=True)
    assert fake.reads == ["a"]
    (folder / "a.parquet").write_bytes(b"no parquet")
    again, _ = run(settings, tables("a"), reuse=True, clock=lambda: NOW.replace(hour=13))
    assert again != folder


def test_a_missing_table_is_found_before_anything_is_read(
    settings: Settings, fake: FakeConnector
) -> None:
    with pytest.raises(ConnectError, match="no table gone"):
        run(settings, tables("a", "gone"))
    assert fake.reads == []


def test_an_empty_table_has_its_columns(settings: Settings, tmp_path: Path) -> None:
    path = pacs.build(tmp_path / "pacs.sqlite", rows=5)
    folder, manifest = extract(
        county(f"sqlite:///{path}"),
        {"building_permit": pacs.EMPTY},
        [2026],
        settings=settings,
        clock=lambda: NOW,
    )
    assert manifest.tables["building_permit"].rows == 0
    assert pq.read_schema(folder / "building_permit.parquet").names == list(pacs.EMPTY.columns)


def test_progress_ends_at_the_number_of_rows(settings: Settings, fake: FakeConnector) -> None:
    seen: list[tuple[str, int, int | None]] = []
    run(settings, tables("a"), progress=lambda *step: seen.append(step))
    assert seen == [("read a", 2, 3), ("read a", 3, 3)]


def test_marks_are_those_of_the_sources(settings: Settings, fake: FakeConnector) -> None:
    fake.marks["b"] = ""
    marks = source_marks(county(), tables("a", "b"), settings=settings)
    assert marks == {"a": "mark", "b": ""}
