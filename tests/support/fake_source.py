"""A source of three rows per table that fails on demand, and a county that reads it."""

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from terrafusion_lib.connectors.protocol import Capabilities, CheckItem, SourceColumn, raw_schema
from terrafusion_lib.connectors.raw.layer import extract
from terrafusion_lib.core.county import CountyConfig, SourceConfig
from terrafusion_lib.core.errors import ConnectError
from terrafusion_lib.core.raw import RawManifest, RawType, SourceTable
from terrafusion_lib.core.settings import Settings

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
    """A county with one source."""
    return CountyConfig(
        county_id="test_wa",
        name="Test",
        assessment_year=2026,
        sources={"pacs": SourceConfig(connector="sql_server", options={"url": url})},
        mapping=Path("m.yaml"),
    )


def tables(*names: str, kind: RawType = RawType.INTEGER) -> dict[str, SourceTable]:
    """Tables of one column."""
    return {
        name: SourceTable(name=name, source="pacs", table=name, columns={"a": kind})
        for name in names
    }


def run(
    settings: Settings, wanted: dict[str, SourceTable], **more: object
) -> tuple[Path, RawManifest]:
    """Extract the tables."""
    options: dict[str, object] = {"settings": settings, "clock": lambda: NOW} | more
    return extract(county(), wanted, [2025, 2026], **options)


def raw_folder(settings: Settings) -> Path:
    """Where the extracts lie."""
    return settings.county_data("test_wa") / "raw"


def extracts(settings: Settings) -> list[Path]:
    """Finished extracts."""
    return sorted(raw_folder(settings).glob("[!.]*"))
