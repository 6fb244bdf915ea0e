"""What every plugin must keep, built in or from another package."""

import subprocess
import sys

import pyarrow as pa
import pytest
from terrafusion_lib.core.result_tables import RESULT_TABLES

from terrafusion_lib.core.config import FrozenModel, parse
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.plugins.registry import load_plugin, plugin_names
from tests.support.synthetic_market import COUNTY, SyntheticMarket, synthetic_market

NAMES = plugin_names()


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    return synthetic_market(600)


@pytest.fixture(scope="module", params=NAMES)
def finished(request: pytest.FixtureRequest, market: SyntheticMarket):
    plugin = load_plugin(request.param)
    return plugin, plugin.run(market.context(), plugin.Params())


@pytest.mark.parametrize("name", NAMES)
def test_name_permissions_and_params(name: str) -> None:
    plugin = load_plugin(name)
    assert plugin.name == name
    assert plugin.permissions
    assert all(":" in permission for permission in plugin.permissions)
    assert f"{name}:run" in plugin.permissions
    assert issubclass(plugin.Params, FrozenModel)
    assert plugin.Params() == plugin.Params()


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_described(name: str) -> None:
    schema = load_plugin(name).Params.model_json_schema()
    for field, entry in schema["properties"].items():
        assert entry.get("description"), f"{name}.{field} has no description"


@pytest.mark.parametrize("name", NAMES)
def test_unknown_parameters_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="unknown key no_such_parameter"):
        parse(load_plugin(name).Params, {"no_such_parameter": 1}, where="test")


def test_result_tables_follow_the_schema(finished) -> None:
    _, result = finished
    assert result.tables
    for name, table in result.tables.items():
        assert table.schema == RESULT_TABLES[name].arrow_schema(), name
        assert table.num_rows > 0, name
        assert set(table["run_id"].to_pylist()) == {"run-1"}
        assert set(table["county_id"].to_pylist()) == {COUNTY}
        for column in RESULT_TABLES[name].columns:
            assert column.nullable or table[column.name].null_count == 0, column.name


def test_keys_of_result_tables_are_unique(finished) -> None:
    _, result = finished
    for name, table in result.tables.items():
        keys = table.select(RESULT_TABLES[name].key)
        assert keys.group_by(keys.column_names).aggregate([]).num_rows == table.num_rows, name


def test_the_summary_is_flat(finished) -> None:
    _, result = finished
    assert result.summary
    for name, item in result.summary.items():
        assert item is None or isinstance(item, str | int | float), name


def test_same_inputs_same_bytes(finished, market: SyntheticMarket) -> None:
    plugin, result = finished
    again = plugin.run(market.context(), plugin.Params())
    assert again.summary == result.summary
    for name, table in result.tables.items():
        assert serialized(again.tables[name]) == serialized(table), name


def serialized(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()


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
