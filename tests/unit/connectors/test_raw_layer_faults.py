"""The raw layer when something fails: whole or not at all, and resumed by table."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from terrafusion_lib.connectors import retries
from terrafusion_lib.connectors.protocol import TransientError
from terrafusion_lib.connectors.raw import layer as raw_layer
from terrafusion_lib.connectors.raw.layer import RESUME_HOURS, extract
from terrafusion_lib.core.errors import ConnectError, RunError
from terrafusion_lib.core.settings import Settings
from tests.support import tds_pacs as pacs
from tests.support.fake_source import NOW, FakeConnector, county, extracts, raw_folder, run, tables
from tests.support.require import ROOT


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(root=tmp_path, data_dir=tmp_path / "data")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeConnector:
    connector = FakeConnector()
    monkeypatch.setattr(raw_layer, "open_source", lambda *_: connector)
    monkeypatch.setattr(retries, "FIRST_WAIT", 0.0)
    return connector


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


def test_two_extracts_of_a_county_at_once_are_refused(
    settings: Settings, fake: FakeConnector
) -> None:
    raw_folder(settings).mkdir(parents=True)
    with FileLock(raw_folder(settings) / ".lock"), pytest.raises(RunError) as refused:
        run(settings, tables("a"))
    assert (refused.value.county, refused.value.step) == ("test_wa", "10_connect")
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
    assert "free space in" in str(caught.value)
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
from terrafusion_lib.connectors.raw.layer import extract
from terrafusion_lib.core.settings import Settings
sys.path.insert(0, sys.argv[2])
from tests.support import tds_pacs as pacs
from tests.support.fake_source import county

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
