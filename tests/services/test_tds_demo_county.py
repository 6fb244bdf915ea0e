"""The demo county's extraction definitions over TDS: row by row what its SQLite file gives."""

import sqlite3
from pathlib import Path

import pyarrow as pa
import pytest

from terrafusion_lib.connectors.check import check_sources
from terrafusion_lib.connectors.sql_server.options import SqlServerOptions
from terrafusion_lib.connectors.sql_server_connector import SqlServerConnector
from terrafusion_lib.core.county import SourceConfig, load_county
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.demo.generate import generate
from terrafusion_lib.mappers.mapping import load_mapping
from tests.support.require import ROOT
from tests.support.tds_clients import DRIVERS, client, driver_or_skip, options_for
from tests.support.tds_server import TdsServer

pytestmark = pytest.mark.odbc
PARCELS = 400
IMPOSSIBLE = (("property_val", "last_appraisal_dt"), ("sale", "sl_dt"))
YEARS = range(2022, 2027)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("demo")
    settings = Settings(root=ROOT, data_dir=folder)
    generate(settings.county_data("demo_wa"), parcels=PARCELS)
    with sqlite3.connect(database(settings)) as connection:
        for table, column in IMPOSSIBLE:  # a day that SQL Server cannot hold
            connection.execute(f"UPDATE {table} SET {column} = NULL WHERE {column} LIKE '0000%'")
    connection.close()
    return settings


def database(settings: Settings) -> Path:
    return settings.county_data("demo_wa") / "source" / "pacs_oltp.sqlite"


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_table_of_the_mapping_is_the_same_over_tds(demo: Settings, driver: str) -> None:
    driver_or_skip(driver)
    county = load_county("demo_wa", demo)
    tables = load_mapping(county.mapping).source_tables()
    tables = {name: table for name, table in tables.items() if table.source == "pacs"}
    assert {"property_val", "sale", "imprv_detail", "wash_prop_owner_val"} <= tables.keys()
    lite = SqlServerConnector(SqlServerOptions(url=f"sqlite:///{database(demo)}"), Path("/"))
    with TdsServer(database(demo)).running() as server:
        connector = client(server, driver=driver, encrypt=False)
        read = 0
        for table in tables.values():
            want = pa.Table.from_batches(lite.read(table, YEARS), None)
            found = pa.Table.from_batches(connector.read(table, YEARS), want.schema)
            assert found.equals(want), _difference(found, want, table.name)
            read += found.num_rows
        connector.close()
    assert read > 20 * PARCELS


def test_the_shipped_county_checks_out_over_tds(demo: Settings) -> None:
    driver_or_skip("freetds")
    county = load_county("demo_wa", demo)
    with TdsServer(database(demo)).running() as server:
        options = options_for(server, driver="freetds", encrypt=False)
        pacs = SourceConfig(connector="sql_server", options=options)
        remote = county.model_copy(update={"sources": county.sources | {"pacs": pacs}})
        items = check_sources(remote, load_mapping(county.mapping).source_tables(), settings=demo)
    assert [item for item in items if not item.ok] == []
    assert len(items) > 20


def _difference(found: pa.Table, want: pa.Table, name: str) -> str:
    if found.num_rows != want.num_rows:
        return f"{name}: {found.num_rows} rows, not {want.num_rows}"
    for column in want.column_names:
        for one, other in zip(found[column].to_pylist(), want[column].to_pylist(), strict=True):
            if one != other:
                return f"{name}.{column}: {one!r}, not {other!r}"
    return f"{name}: types {found.schema} and {want.schema}"
