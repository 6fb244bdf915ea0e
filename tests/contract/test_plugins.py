"""What every plugin must keep, built in or from another package, run as production runs it."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from terrafusion_lib.access.grants import Grants
from terrafusion_lib.core.config import FrozenModel, parse
from terrafusion_lib.core.declared import result_tables
from terrafusion_lib.core.errors import AccessDeniedError, ConfigError
from terrafusion_lib.core.progress import silent
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.jobs.execute import FinishedJob, execute, run_job
from terrafusion_lib.jobs.request import find_job, list_jobs, replay, submit
from terrafusion_lib.jobs.results import job_results
from terrafusion_lib.pipelines.steps import notebook_of, steps
from terrafusion_lib.plugins.registry import load_plugin, plugin_names
from tests.support.require import ROOT
from tests.support.stored_market import store_market
from tests.support.synthetic_market import COUNTY

NAMES = plugin_names()


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return store_market(tmp_path_factory.mktemp("market"))


@pytest.fixture(scope="module", params=NAMES)
def finished(request: pytest.FixtureRequest, settings: Settings) -> tuple[str, FinishedJob]:
    return request.param, run_job(request.param, COUNTY, settings=settings, progress=silent)


@pytest.mark.parametrize("name", NAMES)
def test_a_plugin_declares_what_it_is(name: str) -> None:
    plugin = load_plugin(name)
    assert plugin.name == name
    assert plugin.title
    assert f"{name}:run" in plugin.permissions
    assert set(plugin.requires(plugin.Params())) >= set(plugin.permissions)
    assert issubclass(plugin.Params, FrozenModel)
    for action in plugin.actions:
        assert action.title
        assert bool(action.permissions) == action.needs_county
    if plugin.notebook:
        assert (ROOT / "notebooks" / f"{plugin.notebook}.ipynb").is_file()


@pytest.mark.parametrize("name", NAMES)
def test_its_permissions_are_permissions(name: str) -> None:
    plugin = load_plugin(name)
    asked = {*plugin.permissions, *(item for a in plugin.actions for item in a.permissions)}
    everybody = Grants.of("*:*")
    assert all(permission in everybody for permission in asked)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_described(name: str) -> None:
    plugin = load_plugin(name)
    for model in (plugin.Params, *(action.Params for action in plugin.actions)):
        for field, entry in model.model_json_schema().get("properties", {}).items():
            assert entry.get("description"), f"{name}.{field} has no description"


@pytest.mark.parametrize("name", NAMES)
def test_unknown_parameters_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="unknown key no_such_parameter"):
        parse(load_plugin(name).Params, {"no_such_parameter": 1}, where="test")


@pytest.mark.parametrize("name", NAMES)
def test_its_tables_are_kept_by_run_and_county(name: str) -> None:
    for table in load_plugin(name).tables:
        assert table.key[:2] == ("run_id", "county_id")
        assert result_tables()[table.name] == table
    for fact in load_plugin(name).facts:
        assert fact.source in {table.name for table in load_plugin(name).tables}


@pytest.mark.parametrize("name", NAMES)
def test_its_steps_stand_in_the_main_job(name: str) -> None:
    for spec in load_plugin(name).steps:
        assert steps()[spec.name] == spec
        assert spec.plugin == name
        assert notebook_of(spec, Settings(root=ROOT)).is_file()


def test_its_job_completes_and_is_told(
    finished: tuple[str, FinishedJob], settings: Settings
) -> None:
    name, done = finished
    job = find_job(done.job_id, settings=settings)
    assert (job["plugin"], job["status"], job["username"]) == (name, "COMPLETED", "ann")
    assert (job["progress"], job["reason_code"], job["lease_until"]) == (1.0, None, None)
    assert job["run_id"] == job["job_id"]
    assert done.job_id in {row["job_id"] for row in list_jobs(COUNTY, name, settings=settings)}


def test_result_tables_follow_the_schema_and_are_read_back(
    finished: tuple[str, FinishedJob], settings: Settings
) -> None:
    _, done = finished
    assert done.result.tables
    stored = job_results(done.job_id, settings=settings)
    assert set(done.result.tables) <= set(stored.tables)
    for name, table in done.result.tables.items():
        spec = result_tables()[name]
        assert table.schema == spec.arrow_schema(), name
        assert table.num_rows > 0, name
        assert set(table["run_id"].to_pylist()) == {done.job_id}
        assert set(table["county_id"].to_pylist()) == {COUNTY}
        for column in spec.columns:
            assert column.nullable or table[column.name].null_count == 0, column.name
        keys = table.select(spec.key)
        assert keys.group_by(keys.column_names).aggregate([]).num_rows == table.num_rows, name
        ordered = table.sort_by([(key, "ascending") for key in spec.key])
        assert stored.results.table(name).equals(ordered), name


def test_its_files_lie_where_the_job_says(finished: tuple[str, FinishedJob]) -> None:
    name, done = finished
    assert bool(done.result.files) == bool(load_plugin(name).published_in)
    for item in done.metadata.get("files", ()):
        assert (Path(done.location) / item["name"]).stat().st_size == item["bytes"]


def test_the_summary_is_flat(finished: tuple[str, FinishedJob]) -> None:
    _, done = finished
    assert done.result.summary
    for name, item in done.result.summary.items():
        assert item is None or isinstance(item, str | int | float), name


def test_a_stored_request_gives_the_same_result_again(
    finished: tuple[str, FinishedJob], settings: Settings
) -> None:
    _, done = finished
    again = execute(replay(done.job_id, settings=settings), settings=settings, progress=silent)
    assert again.job_id != done.job_id
    assert again.result.summary == done.result.summary
    for name, table in done.result.tables.items():
        assert serialized(again.result.tables[name]) == serialized(table), name


def serialized(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    table = table.drop_columns(["run_id"])
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("name", NAMES)
def test_who_may_not_run_it_makes_no_job(name: str, settings: Settings) -> None:
    clerk = settings.model_copy(update={"user": "cleo"})
    before = len(list_jobs(COUNTY, name, settings=settings))
    with pytest.raises(AccessDeniedError) as refused:
        submit(name, COUNTY, settings=clerk)
    assert refused.value.permission == f"{name}:run"
    assert len(list_jobs(COUNTY, name, settings=settings)) == before


def test_a_plugin_is_declared_without_its_engine() -> None:
    code = (
        "import sys; from terrafusion_lib.core.declared import declared_plugins\n"
        f"assert set(declared_plugins()) == set({NAMES!r})\n"
        "heavy = ['scipy', 'pandas', 'pyarrow', 'lightgbm', 'geopandas', 'sqlalchemy', 'duckdb']\n"
        "sys.exit(str([name for name in heavy if name in sys.modules]).strip('[]') or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""
    assert done.returncode == 0


def test_names_are_known_without_importing_a_plugin() -> None:
    code = (
        "import sys; from terrafusion_lib.plugins.registry import plugin_names\n"
        "assert 'valuation' in plugin_names()\n"
        "loaded = [m for m in sys.modules if m.startswith('terrafusion_lib.plugins.valuation')]\n"
        "heavy = [m for m in ('numpy', 'scipy', 'pyarrow', 'pandas') if m in sys.modules]\n"
        "sys.exit(f'{loaded} {heavy}' if loaded or heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
