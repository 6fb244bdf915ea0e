"""Parts of a run: lock, followed events, run ids, and the difference of two runs."""

import io
import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from terrafusion_lib.core.commands import program
from terrafusion_lib.core.errors import RunError
from terrafusion_lib.runs.diff import diff_runs
from terrafusion_lib.runs.lock import county_lock
from terrafusion_lib.runs.progress import FollowEvents
from terrafusion_lib.runs.text import cell, facts, show_run, table


def test_the_lock_tells_who_holds_it_and_is_free_after_a_kill(tmp_path: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from terrafusion_lib.runs.lock import county_lock\n"
        f"with county_lock(Path({str(tmp_path)!r}), run_id='r1', user='ann'):\n"
        "    print('held', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "held"
        with (
            pytest.raises(RunError, match=f"run r1 of ann, process {other.pid}"),
            county_lock(tmp_path, run_id="r2", user="bob"),
        ):
            pass
        other.kill()
        other.wait()
    with county_lock(tmp_path, run_id="r2", user="bob"):
        assert json.loads((tmp_path / "run.holder.json").read_text())["run_id"] == "r2"


def test_events_of_another_process_are_shown_up_to_the_last(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    path = tmp_path / "events.jsonl"
    follow = FollowEvents(path, lambda task, done, total: seen.append((task, done, total)), every=9)
    with follow, path.open("a") as file:
        for done in range(3):
            file.write(json.dumps({"task": "map", "done": done, "total": 2}) + "\n")
    assert seen == [("map", 0, 2), ("map", 1, 2), ("map", 2, 2)]


def test_run_ids_sort_by_time_and_can_be_said() -> None:
    from terrafusion_lib.runs.runner import new_run_id

    early, late = (new_run_id(datetime(2026, 11, day, tzinfo=UTC)) for day in (1, 2))
    assert early < late
    assert re.fullmatch(r"20261101-000000-[a-z]+-[a-z]+", early)


def run(**changes: object) -> dict:
    base = {
        "steps": [{"step": "20_map", "fingerprint": "f1", "outputs": {"sales.parquet": "a" * 64}}],
        "tables": [{"table": "sales", "read": 10, "filtered": 1, "quarantined": 2, "loaded": 7}],
        "expectations": {"failed_errors": 2},
        "valuation": {"cod": 9.1},
    }
    return base | changes


def test_equal_runs_do_not_differ_and_changes_are_listed_by_kind() -> None:
    assert diff_runs(run(), run()) == []
    other = run(
        steps=[{"step": "20_map", "fingerprint": "f2", "outputs": {"sales.parquet": "b" * 64}}],
        valuation={"cod": 8.7, "prd": 1.01},
    )
    assert [
        (row["what"], row["item"], row["one"], row["other"]) for row in diff_runs(run(), other)
    ] == [
        ("step", "20_map", "f1", "f2"),
        ("output", "20_map/sales.parquet", "a" * 16, "b" * 16),
        ("valuation", "cod", 9.1, 8.7),
        ("valuation", "prd", None, 1.01),
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "yes"),
        (12345, "12,345"),
        (12345.6, "12,346"),
        (0.98765, "0.988"),
        ("x", "x"),
    ],
)
def test_cells_read_well(value: object, text: str) -> None:
    assert cell(value) == text


def printed(*shown: object) -> str:
    console = Console(width=120, record=True, file=io.StringIO())
    for part in shown:
        show_run(console, part) if isinstance(part, dict) else console.print(part)
    return console.export_text()


def test_years_have_no_separator_and_a_column_has_one_format() -> None:
    rows = [{"assessment_year": 2026, "rows": 2026, "cod": cod} for cod in (4.688, 7.5, 0.067)]
    lines = printed(table(rows)).splitlines()
    assert [line.split()[1::2] for line in lines if "2026" in line] == [
        ["2026", "2,026", cod] for cod in ("4.7", "7.5", "0.1")
    ]
    assert "2026" in printed(facts("Facts", {"assessment_year": 2026}))


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED"])
def test_rows_of_a_run_read_from_left_to_right_also_when_its_file_is_sorted(status: str) -> None:
    names = ("county_name", "assessment_year", "run_id", "username", "started_at", "finished_at")
    stored = dict.fromkeys(names, "x") | run() | {"status": status, "message": "It [broke]"}
    stored["steps"] = [{"step": "20_map", "status": "failed", "reason": "new", "seconds": 0.0}]
    shown = printed(json.loads(json.dumps(stored, sort_keys=True)))
    assert re.search(r"table .*read .*filtered .*quarantined .*loaded", shown)
    assert "It [broke]" in shown


def test_square_brackets_of_a_cell_are_text_not_style() -> None:
    console = Console(width=100, file=io.StringIO())
    console.print(table([{"next": 'pip install "terrafusion[object-store]"'}]))
    assert "terrafusion[object-store]" in console.file.getvalue()  # type: ignore[attr-defined]


def test_a_failed_run_shows_its_next_command_as_typed_and_whole() -> None:
    console = Console(width=60, file=io.StringIO())
    told = "The gate stopped the run. " * 3 + "Next: terrafusion run <county> --resume."
    head = {"county_name": "Demo", "assessment_year": 2026, "run_id": "r1", "status": "FAILED"}
    head |= {"username": "ann", "started_at": "a", "finished_at": "b", "county_id": "demo_wa"}
    steps = [{"step": "20_map", "status": "failed", "reason": "asked", "seconds": 1.0}]
    show_run(console, run(**head, steps=steps, message=told))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert f"Next: {program('terrafusion')} run demo_wa --resume." in shown
