"""What every connector must do, whatever its source: one suite over all of them.

A connector of another package is added to `CASES` by its own tests.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from terrafusion_lib.connectors.protocol import (
    Capabilities,
    CheckItem,
    Connector,
    SourceColumn,
    raw_schema,
)
from terrafusion_lib.connectors.registry import load_connector, open_connector
from terrafusion_lib.core.county import SourceConfig
from terrafusion_lib.core.errors import ConnectError
from terrafusion_lib.core.raw import RawType, SourceTable
from terrafusion_lib.core.settings import Settings
from tests.support import tds_pacs as pacs
from tests.support.refused import refused
from tests.support.tds_clients import driver_or_skip, options_for
from tests.support.tds_server import TdsServer

ROWS = 1_500
COLUMNS = {
    "prop_id": RawType.INTEGER,
    "market": RawType.NUMBER,
    "legal_desc": RawType.TEXT,
    "inspected": RawType.DATE,
    "changed": RawType.TIMESTAMP,
    "flag": RawType.BOOLEAN,
}


@dataclass(frozen=True)
class Case:
    """A source that holds property_val and an empty building_permit under some names."""

    source: SourceConfig
    full: str
    empty: str


def expected(folder: Path) -> pa.Table:
    """The rows that every source holds."""
    source = SourceConfig(
        connector="sql_server", options={"url": f"sqlite:///{folder / 'pacs.sqlite'}"}
    )
    connector = opened(source)
    return pa.Table.from_batches(connector.read(wanted("property_val"), [2025, 2026]))


def wanted(name: str, **columns: RawType) -> SourceTable:
    return SourceTable(
        name="wanted",
        source="s",
        table=name,
        columns=columns or COLUMNS,
        key=("prop_val_yr", "sup_num", "prop_id") if "property_val" in name else (),
    )


def opened(source: SourceConfig) -> Connector:
    return open_connector(source, settings=Settings(root=Path("/")), folder=Path("/"))


@contextmanager
def sqlite_case(folder: Path) -> Iterator[Case]:
    options = {"url": f"sqlite:///{folder / 'pacs.sqlite'}"}
    source = SourceConfig(connector="sql_server", options=options)
    yield Case(source, "dbo.property_val", "dbo.building_permit")


def tds_case(driver: str, *, arrow: bool) -> Callable[[Path], object]:
    @contextmanager
    def case(folder: Path) -> Iterator[Case]:
        driver_or_skip(driver)
        with TdsServer(folder / "pacs.sqlite").running() as server:
            options = options_for(server, driver=driver, arrow=arrow, encrypt=False)
            source = SourceConfig(connector="sql_server", options=options)
            yield Case(source, "dbo.property_val", "dbo.building_permit")

    return case


def file_case(suffix: str, write: Callable[[pa.Table, Path], None]) -> Callable[[Path], object]:
    @contextmanager
    def case(folder: Path) -> Iterator[Case]:
        files = folder / "files"
        shutil.rmtree(files, ignore_errors=True)
        files.mkdir()
        rows = expected(folder)
        write(rows, files / f"property_val{suffix}")
        write(
            pa.table({"bldg_permit_id": pa.array([], pa.int64())}),
            files / f"building_permit{suffix}",
        )
        source = SourceConfig(connector="file", options={"path": str(files)})
        yield Case(source, f"property_val{suffix}", f"building_permit{suffix}")

    return case


def write_excel(rows: pa.Table, path: Path) -> None:
    book = Workbook()
    book.active.append(rows.column_names)
    for row in rows.to_pylist():
        row["changed"] = str(row["changed"] or "")  # a workbook's own times end at milliseconds
        book.active.append(list(row.values()))
    book.save(path)


CASES = {
    "sqlite": sqlite_case,
    "freetds pyodbc": tds_case("freetds", arrow=False),
    "microsoft arrow-odbc": tds_case("microsoft", arrow=True),
    "microsoft pyodbc": tds_case("microsoft", arrow=False),
    "csv": file_case(".csv", pc.write_csv),
    "parquet": file_case(".parquet", pq.write_table),
    "excel": file_case(".xlsx", write_excel),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("contract")
    pacs.build(path / "pacs.sqlite", rows=ROWS)
    return path


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest, folder: Path) -> Iterator[Case]:
    with CASES[request.param](folder) as found:
        yield found


@pytest.fixture
def connector(case: Case) -> Iterator[Connector]:
    found = opened(case.source)
    yield found
    found.close()


def test_every_connector_is_registered_under_its_name(connector: Connector) -> None:
    assert load_connector(connector.name) is type(connector)
    assert isinstance(connector.capabilities, Capabilities)


def test_the_check_says_that_all_is_well(connector: Connector) -> None:
    items = connector.check()
    assert items
    assert all(isinstance(item, CheckItem) and item.ok and item.detail for item in items), items


def test_tables_and_columns_are_listed(connector: Connector, case: Case) -> None:
    names = {name.rpartition(".dbo")[0] or name for name in connector.tables()}
    assert {case.full, case.full.removeprefix("dbo.")} & names
    columns = connector.columns(case.full)
    assert all(isinstance(column, SourceColumn) for column in columns)
    assert set(COLUMNS) <= {column.name for column in columns}


def test_rows_and_types_are_the_same_from_every_source(
    connector: Connector, case: Case, folder: Path
) -> None:
    batches = list(connector.read(wanted(case.full), [2025, 2026]))
    assert {batch.schema for batch in batches} == {raw_schema(wanted(case.full))}
    assert pa.Table.from_batches(batches).equals(expected(folder))


def test_columns_come_in_the_order_asked(connector: Connector, case: Case) -> None:
    one = wanted(case.full, market=RawType.NUMBER, prop_id=RawType.INTEGER)
    batch = next(connector.read(one, [2025, 2026]))
    assert batch.schema.names == ["market", "prop_id"]


def test_batches_are_bounded(connector: Connector, case: Case) -> None:
    batches = list(connector.read(wanted(case.full), [2025, 2026], batch_rows=400))
    assert max(batch.num_rows for batch in batches) <= 400
    assert sum(batch.num_rows for batch in batches) == ROWS + 2


def test_an_empty_table_gives_no_rows(connector: Connector, case: Case) -> None:
    empty = wanted(case.empty, bldg_permit_id=RawType.INTEGER)
    assert sum(batch.num_rows for batch in connector.read(empty, [2026])) == 0
    assert connector.row_estimate(empty, [2026]) == 0


def test_a_missing_table_is_named_with_the_nearest(connector: Connector, case: Case) -> None:
    wrong = wanted(case.full.replace("property_val", "property_vall"))
    for call in (lambda: list(connector.read(wrong, [2026])), lambda: connector.verify(wrong)):
        with pytest.raises(ConnectError, match=r"has no table .*did you mean .*property_val"):
            call()


def test_missing_columns_are_all_named_with_the_nearest(connector: Connector, case: Case) -> None:
    wrong = wanted(case.full, markett=RawType.NUMBER, zzz=RawType.TEXT, flag=RawType.BOOLEAN)
    for call in (lambda: list(connector.read(wrong, [2026])), lambda: connector.verify(wrong)):
        with refused(ConnectError, column="markett, zzz", next="did you mean market?") as caught:
            call()
        assert caught.value.table in (case.full, Path(case.full).name)


def test_an_absent_table_may_be_optional(connector: Connector, case: Case) -> None:
    gone = wanted(f"gone_{case.full.removeprefix('dbo.')}").model_copy(update={"optional": True})
    assert list(connector.read(gone, [2026])) == []
    connector.verify(gone)
    assert connector.freshness(gone) == "absent"


def test_freshness_is_the_same_while_nothing_changes(connector: Connector, case: Case) -> None:
    mark = connector.freshness(wanted(case.full))
    assert mark
    assert connector.freshness(wanted(case.full)) == mark


def test_estimates_are_near(connector: Connector, case: Case) -> None:
    assert connector.row_estimate(wanted(case.full), [2026]) == ROWS + 2


def test_a_stream_may_be_left_early_and_the_connector_used_again(
    connector: Connector, case: Case
) -> None:
    stream = connector.read(wanted(case.full), [2025, 2026], batch_rows=100)
    next(stream)
    stream.close()
    connector.close()
    assert sum(b.num_rows for b in connector.read(wanted(case.full), [2025, 2026])) == ROWS + 2
