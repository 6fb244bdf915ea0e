"""The raw layer: whole or not at all, resumable by table, reusable, and what it says of itself."""

import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from terrafusion_lib.connectors import raw_layer, retries
from terrafusion_lib.connectors.protocol import (
    Capabilities,
    CheckItem,
    SourceColumn,
    TransientError,
    raw_schema,
)
from terrafusion_lib.connectors.raw_layer import RESUME_HOURS, extract, source_marks
from terrafusion_lib.core.county import CountyConfig, SourceConfig
from terrafusion_lib.core.errors import ConnectError, RunError
from terrafusion_lib.core.files import file_hash
from terrafusion_lib.core.raw import RawManifest, RawType, SourceTable, read_manifest
from terrafusion_lib.core.settings import Settings
from tests.support import tds_pacs as pacs
from tests.support.require import ROOT

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


CAPABILITIES = Capabilities(
    pushdown=True, row_estimate=True, freshness=True, cancel=True, retries=2
)


@dataclass
class FakeConnector:
    """Three rows per table; `trouble` names errors to raise after the first batch, in order."""

    trouble: dict[str, list[BaseException]] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)
    name: str = "fake"
    capabilities: Capabilities = CAPABILITIES

    def check(self) -> list[CheckItem]:
        return []

    def tables(self) -> list[str]:
        return []

    def columns(self, table: str) -> list[SourceColumn]:
        return []

    def verify(self, table: SourceTable) -> None:
        if table.table == "gone":
            raise ConnectError("pacs has no table gone", table="gone")

    def row_estimate(self, table: SourceTable, years: object) -> int | None:
        return 3

    def freshness(self, table: SourceTable) -> str:
        return self.marks.get(table.name, "mark")

    def read(
        self, table: SourceTable, years: object, *, batch_rows: int = 1
    ) -> Generator[pa.RecordBatch]:
        self.reads.append(table.name)
        schema = raw_schema(table)
        yield pa.record_batch([pa.array([1, 2])], schema=schema)
        if self.trouble.get(table.name):
            raise self.trouble[table.name].pop(0)
        yield pa.record_batch([pa.array([3])], schema=schema)

    def close(self) -> None:
        pass


def county(url: str = "sqlite:///x") -> CountyConfig:
    return CountyConfig(
        county_id="test_wa",
        name="Test",
        assessment_year=2026,
        sources={"pacs": SourceConfig(connector="sql_server", options={"url": url})},
        mapping=Path("m.yaml"),
    )


def tables(*names: str, kind: RawType = RawType.INTEGER) -> dict[str, SourceTable]:
    return {
        name: SourceTable(name=name, source="pacs", table=name, columns={"a": kind})
        for name in names
    }


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(root=tmp_path, data_dir=tmp_path / "data")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeConnector:
    connector = FakeConnector()
    monkeypatch.setattr(raw_layer, "open_source", lambda *_: connector)
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.0)
    return connector


def run(
    settings: Settings, wanted: dict[str, SourceTable], **more: object
) -> tuple[Path, RawManifest]:
    options: dict[str, object] = {"settings": settings, "clock": lambda: NOW} | more
    return extract(county(), wanted, [2025, 2026], **options)


def raw_folder(settings: Settings) -> Path:
    return settings.county_data("test_wa") / "raw"


def extracts(settings: Settings) -> list[Path]:
    return sorted(raw_folder(settings).glob("[!.]*"))


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


def test_a_passing_fault_begins_the_table_again_without_doubling_rows(
    settings: Settings, fake: FakeConnector
) -> None:
    fake.trouble["a"] = [TransientError("deadlock"), TransientError("cut")]
    _, manifest = run(settings, tables("a"))
    assert fake.reads == ["a", "a", "a"]
    assert manifest.tables["a"].rows == 3


def test_a_fault_that_does_not_pass_ends_the_extract(
    settings: Settings, fake: FakeConnector
) -> None:
    fake.trouble["b"] = [TransientError("deadlock")] * 3
    with pytest.raises(TransientError, match="deadlock"):
        run(settings, tables("a", "b"))
    fake.trouble["b"] = [ConnectError("login refused")]
    fake.reads.clear()
    with pytest.raises(ConnectError, match="login refused"):
        run(settings, tables("a", "b"))
    assert fake.reads == ["b"]
    assert extracts(settings) == []


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), ConnectError("server gone")])
def test_a_broken_extract_goes_on_with_the_tables_that_are_missing(
    settings: Settings, fake: FakeConnector, stop: BaseException
) -> None:
    fake.trouble["b"] = [stop]
    with pytest.raises(type(stop)):
        run(settings, tables("a", "b", "c"))
    assert extracts(settings) == []
    assert not list(raw_folder(settings).rglob("*.tmp"))
    fake.reads.clear()
    _, manifest = run(settings, tables("a", "b", "c"))
    assert fake.reads == ["b", "c"]
    assert [table.rows for table in manifest.tables.values()] == [3, 3, 3]
    assert not list(raw_folder(settings).glob(".partial*"))


def test_a_finished_table_is_read_again_when_its_source_changed(
    settings: Settings, fake: FakeConnector
) -> None:
    fake.trouble["b"] = [ConnectError("gone")]
    with pytest.raises(ConnectError):
        run(settings, tables("a", "b"))
    fake.marks["a"] = "another mark"
    fake.reads.clear()
    run(settings, tables("a", "b"))
    assert fake.reads == ["a", "b"]


@pytest.mark.parametrize(
    ("hours", "read"), [(RESUME_HOURS - 1, ["b"]), (RESUME_HOURS + 1, ["a", "b"])]
)
def test_a_finished_table_of_unknown_freshness_serves_for_some_hours(
    settings: Settings, fake: FakeConnector, hours: int, read: list[str]
) -> None:
    fake.marks = {"a": "", "b": ""}
    fake.trouble["b"] = [ConnectError("gone")]
    with pytest.raises(ConnectError):
        run(settings, tables("a", "b"))
    [record] = raw_folder(settings).glob(".partial*/a.json")
    then = time.time() - hours * 3600
    os.utime(record, (then, then))
    fake.reads.clear()
    run(settings, tables("a", "b"))
    assert fake.reads == read


def test_a_damaged_finished_table_is_read_again(settings: Settings, fake: FakeConnector) -> None:
    fake.trouble["b"] = [ConnectError("gone")]
    with pytest.raises(ConnectError):
        run(settings, tables("a", "b"))
    [file] = raw_folder(settings).glob(".partial*/a.parquet")
    file.write_bytes(file.read_bytes()[:-1])
    fake.reads.clear()
    run(settings, tables("a", "b"))
    assert fake.reads == ["a", "b"]


def test_other_definitions_do_not_take_up_a_broken_extract(
    settings: Settings, fake: FakeConnector
) -> None:
    fake.trouble["b"] = [ConnectError("gone")]
    with pytest.raises(ConnectError):
        run(settings, tables("a", "b"))
    fake.reads.clear()
    run(settings, tables("a", "b") | {"a": tables("a")["a"].model_copy(update={"key": ("a",)})})
    assert fake.reads == ["a", "b"]


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


def test_two_extracts_of_a_county_at_once_are_refused(
    settings: Settings, fake: FakeConnector
) -> None:
    raw_folder(settings).mkdir(parents=True)
    with (raw_folder(settings) / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(RunError, match=r"Another extract .*county test_wa"):
            run(settings, tables("a"))
    run(settings, tables("a"))


@contextmanager
def small_disk(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_said_and_leaves_no_half_table(
    settings: Settings, fake: FakeConnector
) -> None:
    with small_disk(20), pytest.raises(RunError, match="raw layer cannot be written") as caught:
        run(settings, tables("a"))
    assert "make room in" in str(caught.value)
    assert extracts(settings) == []
    assert not list(raw_folder(settings).rglob("*.parquet*"))
    run(settings, tables("a"))


def test_a_place_that_cannot_be_written_is_said(settings: Settings, fake: FakeConnector) -> None:
    raw_folder(settings).parent.mkdir(parents=True)
    raw_folder(settings).write_text("a file where the folder should be")
    with pytest.raises(RunError, match="raw layer cannot be written"):
        run(settings, tables("a"))


def test_a_source_file_that_cannot_be_read_is_not_taken_for_a_full_disk(
    settings: Settings, fake: FakeConnector, tmp_path: Path
) -> None:
    error = PermissionError(13, "Permission denied", str(tmp_path / "sales.csv"))
    fake.trouble["a"] = [error]
    with pytest.raises(ConnectError, match="source cannot be read"):
        run(settings, tables("a"))


KILLED = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from terrafusion_lib.connectors.raw_layer import extract
from terrafusion_lib.core.settings import Settings
sys.path.insert(0, sys.argv[2])
from tests.support import tds_pacs as pacs
from tests.unit.connectors.test_raw_layer import county

def progress(task, done, total):
    if task == "read property_val":
        os.kill(os.getpid(), signal.SIGKILL)

folder = Path(sys.argv[1])
extract(county(f"sqlite:///{folder / 'pacs.sqlite'}"),
    {"imprv_detail": pacs.LIVE_DETAIL, "property_val": pacs.PROPERTY_VAL}, [2025, 2026],
    settings=Settings(root=folder, data_dir=folder / "data"),
    clock=lambda: datetime.now(UTC), progress=progress)
"""


def test_kill_9_in_the_middle_leaves_no_extract_and_the_next_one_goes_on(
    settings: Settings, tmp_path: Path
) -> None:
    path = pacs.build(tmp_path / "pacs.sqlite")
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(ROOT)], cwd=ROOT, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert extracts(settings) == []
    [record] = raw_folder(settings).glob(".partial*/imprv_detail.json")
    before = json.loads(record.read_text())
    folder, manifest = extract(
        county(f"sqlite:///{path}"),
        {"imprv_detail": pacs.LIVE_DETAIL, "property_val": pacs.PROPERTY_VAL},
        [2025, 2026],
        settings=settings,
        clock=lambda: NOW,
    )
    assert manifest.tables["imprv_detail"].model_dump(mode="json") == before
    assert manifest.tables["property_val"].rows == pacs.ROWS
    assert sorted(path.suffix for path in folder.iterdir()) == [".json", ".parquet", ".parquet"]
