"""The main job on the small demo county: run, skip, explain, fail, resume, compare."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
import shapely

from terrafusion_lib.core.errors import GateError, RunError, TerraFusionError
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.jobs.request import list_jobs
from terrafusion_lib.results.current import current_run
from terrafusion_lib.results.unfit_shapes import unfit_shapes
from terrafusion_lib.runs.diff import diff_runs
from terrafusion_lib.runs.ledger import list_runs, load_summary
from terrafusion_lib.runs.lock import county_lock
from terrafusion_lib.runs.runner import RunOptions, run_county
from terrafusion_lib.store.audit import broken_entries
from terrafusion_lib.store.store import open_store

COUNTY = "demo_wa"
STEPS = ["10_connect", "20_map", "30_validate", "40_load", "50_specialize", "60_value", "70_report"]


@pytest.fixture(scope="module")
def settings(finished_project: tuple[Settings, dict]) -> Settings:
    return finished_project[0]


@pytest.fixture(scope="module")
def first(finished_project: tuple[Settings, dict]) -> dict:
    return finished_project[1]


def actions(settings: Settings, **options: object) -> dict[str, tuple[str, str]]:
    from terrafusion_lib.core.county import load_county

    plan = RunOptions(**options).plan(load_county(COUNTY, settings), settings)
    return {step.name: (step.action, step.reason) for step in plan.steps.values()}


def test_every_source_row_is_loaded_quarantined_or_filtered(first: dict) -> None:
    tables = {row["table"]: row for row in first["tables"]}
    assert {"properties_operational", "sales", "values_history", "parcels_geometry"} <= set(tables)
    for row in tables.values():
        assert row["read"] == row["filtered"] + row["quarantined"] + row["loaded"], row
    assert tables["properties_operational"]["loaded"] > 500
    assert tables["properties_operational"]["quarantined"] > 0
    assert tables["properties_operational"]["filtered"] > 0


def test_great_expectations_counts_what_the_set_engine_counts(first: dict) -> None:
    results = Path(first["products"]["30_validate"]) / "results.json"
    kept = json.loads(results.read_text(encoding="utf-8"))
    assert kept["headline"]["engine"].startswith("Great Expectations ")
    assert kept["disagreements"] == []


def test_the_run_is_promoted_with_its_notebooks(first: dict, settings: Settings) -> None:
    folder = current_run(settings, COUNTY)
    assert folder is not None
    assert folder.name == first["run_id"]
    assert {path.stem for path in folder.glob("*.ipynb")} == set(STEPS)
    assert json.loads((folder / "run.json").read_text())["status"] == "COMPLETED"
    assert not (settings.county_data(COUNTY) / "staging" / first["run_id"]).exists()


def test_every_property_has_a_value_or_a_reason(first: dict, settings: Settings) -> None:
    with open_store(settings.operational_database_url) as store:
        roll = store.read("properties_operational", county_id=COUNTY, columns=["property_id"])
        values = store.read_results(
            "valuations", county_id=COUNTY, run_id=first["results_run_id"]
        ).to_pylist()
    assert sorted(row["property_id"] for row in values) == sorted(roll["property_id"].to_pylist())
    assert all(
        (row["estimated_value"] is None) == (row["not_valued_reason"] is not None) for row in values
    )


def test_the_published_values_stand_beside_what_a_property_is_known_by(first: dict) -> None:
    with (Path(first["products"]["70_report"]) / "valuations.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:4] == ["property_id", "parcel_number", "situs_address", "property_type"]
    assert len({row["property_id"] for row in rows}) == len(rows) > 500
    book = openpyxl.load_workbook(Path(first["products"]["70_report"]) / "valuations.xlsx")
    header, *cells = book["valuations"].iter_rows(values_only=True)
    assert list(header) == list(rows[0])
    assert [row[0] for row in cells] == [row["property_id"] for row in rows]
    both = [row for row in rows if row["estimated_value"] and row["current_market_value"]]
    for row in both[:50]:
        change = float(row["estimated_value"]) / float(row["current_market_value"]) - 1
        assert float(row["change_pct"]) == pytest.approx(100 * change, abs=0.006)


def test_exports_know_which_shapes_of_this_load_are_unfit(first: dict, settings: Settings) -> None:
    with open_store(settings.operational_database_url) as store:
        loaded = store.last_load_fingerprint(COUNTY)
        columns = ["geometry_id", "geometry"]
        layer = store.read("parcels_geometry", county_id=COUNTY, columns=columns)
    shapes = shapely.from_wkb(layer["geometry"].to_pylist(), on_invalid="ignore")
    unfit = ~shapely.is_valid(shapes) | shapely.is_missing(shapes) | shapely.is_empty(shapes)
    expected = {
        name for name, odd in zip(layer["geometry_id"].to_pylist(), unfit, strict=True) if odd
    }
    assert unfit_shapes(settings, COUNTY, loaded) == expected
    assert unfit_shapes(settings, COUNTY, "a different load") is None


def test_the_ledger_holds_who_what_and_the_hashes(first: dict, settings: Settings) -> None:
    run = next(run for run in list_runs(settings, COUNTY) if run["run_id"] == first["run_id"])
    assert (run["status"], run["username"], run["note"]) == ("COMPLETED", "ana", "first")
    assert run["promoted_at"] is not None
    steps = load_summary(settings, first["run_id"])["steps"]
    assert [step["step"] for step in steps] == STEPS
    assert all(step["status"] == "completed" and step["seconds"] > 0 for step in steps)
    assert all(len(digest) == 64 for step in steps for digest in step["outputs"].values())


def test_the_valuation_is_a_job_and_the_promotion_is_audited(
    first: dict, settings: Settings
) -> None:
    job = list_jobs(COUNTY, settings=settings)[-1]
    assert (job["plugin"], job["status"], job["username"]) == ("valuation", "COMPLETED", "ana")
    assert job["result_location"] == first["products"]["60_value"]
    with open_store(settings.operational_database_url) as store, store.engine.connect() as reading:
        assert broken_entries(reading) == []
        entries = reading.exec_driver_sql(
            "SELECT action, detail_json FROM audit_log ORDER BY entry"
        ).all()[:4]
    actions = [action for action, _ in entries]
    assert actions == ["access:granted", "access:granted", "valuation:run", "run:promote"]
    assert "pipeline:run" in entries[0][1]
    assert first["run_id"] in entries[2][1]
    assert first["run_id"] in entries[3][1]


def test_an_unchanged_second_run_reuses_every_step(first: dict, settings: Settings) -> None:
    assert {action for action, _ in actions(settings).values()} == {"reuse"}
    second = run_county(COUNTY, RunOptions(), settings)
    assert [step["status"] for step in second["steps"]] == ["reused"] * len(STEPS)
    assert second["results_run_id"] == first["results_run_id"]
    assert diff_runs(first, second) == []


def test_a_changed_suite_runs_validation_and_what_follows(first: dict, settings: Settings) -> None:
    suite = settings.root / "expectations" / "sales.yaml"
    before = suite.read_text()
    try:
        suite.write_text(before + "\n# touched\n")
        planned = actions(settings)
    finally:
        suite.write_text(before)
    assert planned["20_map"][0] == "reuse"
    assert planned["30_validate"] == ("run", "changed: files expectations")
    assert planned["40_load"] == ("run", "30_validate runs")


def test_a_damaged_product_is_made_again(first: dict, settings: Settings) -> None:
    product = Path(first["products"]["20_map"]) / "sales.parquet"
    content = product.read_bytes()
    try:
        product.write_bytes(content[:-1])
        assert actions(settings)["20_map"] == ("run", "its product is damaged: sales.parquet")
    finally:
        product.write_bytes(content)


def test_force_and_range_decide_what_runs(first: dict, settings: Settings) -> None:
    assert actions(settings, force=("value",))["60_value"] == ("run", "asked by force")
    assert list(actions(settings, last="map")) == ["10_connect", "20_map"]
    with pytest.raises(RunError, match="Cannot begin at 30_validate: 10_connect must run first"):
        actions(settings, first="30", year=2025)
    with pytest.raises(RunError, match="no step 'mpa'"):
        actions(settings, first="mpa")


def test_a_lost_database_is_loaded_and_valued_again(first: dict, settings: Settings) -> None:
    elsewhere = settings.model_copy(
        update={"operational_url": f"sqlite:///{settings.data_path / 'other.db'}"}
    )
    planned = actions(elsewhere)
    assert planned["30_validate"][0] == "reuse"
    assert planned["40_load"][0] == "run"


def test_two_runs_of_a_county_do_not_interleave(first: dict, settings: Settings) -> None:
    with (
        county_lock(settings.county_data(COUNTY), run_id="other", user="somebody"),
        pytest.raises(RunError, match="run other of somebody"),
    ):
        run_county(COUNTY, RunOptions(), settings)


def test_a_failed_run_is_explained_and_resumed(first: dict, settings: Settings) -> None:
    notebook = settings.root / "notebooks" / "70_report.ipynb"
    good = notebook.read_text()
    broken = json.loads(good)
    broken["cells"][-2]["source"] = "raise ValueError('a broken cell')"
    before = current_run(settings, COUNTY)
    try:
        notebook.write_text(json.dumps(broken))
        with pytest.raises(TerraFusionError, match="a broken cell"):
            run_county(COUNTY, RunOptions(note="breaks"), settings)
    finally:
        notebook.write_text(good)
    failed = list_runs(settings, COUNTY)[0]
    assert failed["status"] == "FAILED"
    assert "a broken cell" in failed["message"]
    assert current_run(settings, COUNTY) == before
    resumed = run_county(COUNTY, RunOptions(), settings, resume=True)
    assert resumed["run_id"] == failed["run_id"]
    assert list_runs(settings, COUNTY)[0]["status"] == "COMPLETED"
    with pytest.raises(RunError, match="no failed run to resume"):
        run_county(COUNTY, RunOptions(), settings, resume=True)


def test_the_gate_stops_a_run_before_loading(first: dict, settings: Settings) -> None:
    config = settings.county_configs_path / COUNTY / "county.yaml"
    before = config.read_text()
    try:
        config.write_text(before + "\ngate: {max_quarantined_share: 0.0}\n")
        with pytest.raises(GateError, match="quarantin"):
            run_county(COUNTY, RunOptions(), settings)
    finally:
        config.write_text(before)
    steps = {
        step["step"]: step["status"]
        for step in load_summary(settings, list_runs(settings, COUNTY)[0]["run_id"])["steps"]
    }
    assert steps["30_validate"] == "not finished"
    assert steps["40_load"] == "not finished"


def test_the_mapping_review_names_unread_columns_unknown_codes_and_shows_rows(
    first: dict, settings: Settings
) -> None:
    from terrafusion_lib.core.county import load_county
    from terrafusion_lib.pipelines.mapping_review import (
        HIDDEN,
        preview,
        unmapped_codes,
        unmapped_columns,
    )

    county = load_county(COUNTY, settings)
    columns = {(row["table"], row["column"]) for row in unmapped_columns(county, settings)}
    assert ("sale", "sl_price") not in columns
    assert columns
    codes = {(row["table_name"], row["code"]): row for row in unmapped_codes(county, settings)}
    assert codes["properties_operational", "X9"]["rows"] == 2
    for user, seen in (("ana", False), ("ada", True)):
        by = settings.model_copy(update={"user": user})
        (row,) = preview(county, by, "properties_operational", rows=1)
        assert [row[name] != HIDDEN for name in ("owner_name", "situs_address")] == [seen, True]
    shown = preview(county, settings, "sales", rows=2)
    assert len(shown) == 2
    assert shown[0]["county_id"] == COUNTY
    with pytest.raises(RunError, match="did you mean sales"):
        preview(county, settings, "sailes", rows=1)


def test_the_command_line_speaks_in_sentences(settings: Settings) -> None:
    command = [sys.executable, "-m", "terrafusion_lib.cli", "run", "bentn_wa"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=settings.root, check=False)
    assert done.returncode == 2
    assert "did you mean benton_wa" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_and_import_load_no_heavy_framework() -> None:
    heavy = [
        "great_expectations",
        "ploomber",
        "pandas",
        "pyarrow",
        "duckdb",
        "lonboard",
        "numpy",
        "sqlalchemy",
        "lightgbm",
    ]
    code = (
        "import sys, terrafusion_lib, terrafusion_lib.cli as c\n"
        "try: c.app(['--help'])\n"
        "except SystemExit: pass\n"
        f"loaded = [m for m in {heavy!r} if m in sys.modules]\n"
        "sys.exit(f'loaded {loaded}' if loaded else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
