"""Two demo counties, generated once: a small one for the traps, a larger one for the figures."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from terrafusion_lib.demo.generate import DemoReport, generate
from terrafusion_lib.demo.traps import traps


@dataclass(frozen=True)
class Demo:
    folder: Path
    report: DemoReport
    database: sqlite3.Connection
    traps: dict[str, list[dict[str, Any]]]

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self.database.execute(query, values).fetchall()

    def one(self, query: str, *values: object) -> Any:
        return self.rows(query, *values)[0][0]

    def trapped(self, trap: str, key: str = "prop_id") -> str:
        """The keys that carry a trap, as an SQL list."""
        return "(" + ",".join(str(row[key]) for row in self.traps[trap]) + ")"

    def truth(self, name: str) -> pa.Table:
        return pq.read_table(self.folder / "truth" / f"{name}.parquet")


def _made(folder: Path, parcels: int) -> Iterator[Demo]:
    report = generate(folder, parcels=parcels)
    database = sqlite3.connect(folder / "source" / "pacs_oltp.sqlite")
    yield Demo(folder, report, database, traps(folder))
    database.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    yield from _made(tmp_path_factory.mktemp("demo_small"), 600)


@pytest.fixture(scope="session")
def county(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    yield from _made(tmp_path_factory.mktemp("demo_county"), 8_000)
