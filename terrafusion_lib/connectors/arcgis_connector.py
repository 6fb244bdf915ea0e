"""Feature layers of an ArcGIS server (FeatureServer or MapServer) over REST."""

import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path

import pyarrow as pa
from pydantic import Field, field_validator

from terrafusion_lib.connectors.arcgis.answers import objects
from terrafusion_lib.connectors.arcgis.client import ArcGisClient
from terrafusion_lib.connectors.arcgis.layer import ArcGisLayer
from terrafusion_lib.connectors.arrow_batches import raw_batch
from terrafusion_lib.connectors.protocol import (
    BATCH_ROWS,
    Capabilities,
    CheckItem,
    SourceColumn,
    find_columns,
    find_table,
)
from terrafusion_lib.core.config import FrozenModel
from terrafusion_lib.core.errors import ConfigError, ConnectError, TerraFusionError
from terrafusion_lib.core.files import fingerprint
from terrafusion_lib.core.raw import SourceFilter, SourceTable
from terrafusion_lib.core.secrets import is_reference, resolve
from terrafusion_lib.core.sql import literal

EVERYTHING = "1=1"


class ArcGisOptions(FrozenModel):
    """Options for reaching the service."""

    url: str = Field(
        description="Service address ending in FeatureServer or MapServer, or a reference"
    )
    token: str = Field(default="", description="Reference to the token; empty for a public service")
    pages: str = Field(default="", description="Folder for the pages of an interrupted read")
    timeout: float = Field(default=60, gt=0, description="Timeout, seconds")
    retries: int = Field(default=5, ge=0, description="Retries per request")

    @field_validator("token")
    @classmethod
    def _refuse_plain(cls, value: str) -> str:
        if value and not is_reference(value):
            raise ValueError("use a reference such as env:ARCGIS_TOKEN, not the token")
        return value

    @field_validator("url")
    @classmethod
    def _web_only(cls, value: str) -> str:
        if not is_reference(value) and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with https:// or http://, or be a reference")
        return value


class ArcGisConnector:
    """Layers as tables, by name or id; ``geometry`` is WKB in WGS 84.

    Requests are retried and pages are kept, so restarting a table, in this process or another,
    requests only what is missing.
    """

    name = "arcgis"
    Options = ArcGisOptions
    capabilities = Capabilities(
        pushdown=True, row_estimate=True, freshness=True, cancel=True, retries=2
    )

    def __init__(self, options: ArcGisOptions, folder: Path) -> None:
        self.options = options
        self._folder = folder
        self._opened: ArcGisClient | None = None

    def check(self) -> list[CheckItem]:
        try:
            names = self.tables()
        except TerraFusionError as error:
            return [CheckItem("service", False, error.what, error.hint or "")]
        return [CheckItem("service", True, f"{self._url()}: {len(names)} layers and tables")]

    def tables(self) -> list[str]:
        return sorted(self._layers())

    def columns(self, table: str) -> list[SourceColumn]:
        return self._layer(table).columns()

    def verify(self, table: SourceTable) -> None:
        if not self._absent(table):
            find_columns(list(table.columns), self.columns(table.table), table=table.table)

    def row_estimate(self, table: SourceTable, years: Sequence[int]) -> int | None:
        if self._absent(table):
            return 0
        return self._layer(table.table).count(where(table, years))

    def freshness(self, table: SourceTable) -> str:
        return "absent" if self._absent(table) else self._layer(table.table).freshness()

    def read(
        self, table: SourceTable, years: Sequence[int], *, batch_rows: int = BATCH_ROWS
    ) -> Generator[pa.RecordBatch]:
        if self._absent(table):
            return
        layer = self._layer(table.table)
        source_names = find_columns(list(table.columns), layer.columns(), table=table.table)
        names = [column.name for column in source_names.values()]
        for page in layer.read(names, where(table, years)):
            columns = [column.combine_chunks() for column in page.columns]
            batch = raw_batch(columns, table)
            for start in range(0, batch.num_rows, batch_rows):
                yield batch.slice(start, batch_rows)

    def close(self) -> None:
        self._opened = None

    def _url(self) -> str:
        url = resolve(self.options.url, what="address of the ArcGIS service")
        if not url.startswith(("http://", "https://")):
            raise ConfigError("The address of the ArcGIS service must begin with https://")
        return url

    def _client(self) -> ArcGisClient:
        self._opened = self._opened or ArcGisClient(
            self._url(),
            token=resolve(self.options.token, what="ArcGIS token"),
            timeout=self.options.timeout,
            retries=self.options.retries,
        )
        return self._opened

    def _layers(self) -> dict[str, str]:
        """Ids of layers and tables, by name."""
        found, url = self._client().ask(), self._url()
        items = [
            item
            for kind in ("layers", "tables")
            for item in objects(found.get(kind), kind, place=url, keys=("id", "name"))
        ]
        if not items:
            raise ConnectError(
                f"{self._url()} has no layers",
                hint="give a service's address, which ends in FeatureServer or MapServer",
            )
        return {str(item["name"]): str(item["id"]) for item in items}

    def _layer(self, table: str) -> ArcGisLayer:
        layers = self._layers()
        if table not in layers.values():
            table = layers[find_table(table, list(layers), source=self._url())]
        kept = fingerprint(self._url(), table)
        base = self._folder / self.options.pages if self.options.pages else _temporary()
        return ArcGisLayer(self._client(), table, base / kept)

    def _absent(self, table: SourceTable) -> bool:
        """Whether the table is optional and missing from the service."""
        if not table.optional:
            return False
        layers = self._layers()
        known = {name.casefold() for name in layers} | set(layers.values())
        return table.table.casefold() not in known


def where(table: SourceTable, years: Sequence[int]) -> str:
    """The mapping's filters as a condition for the server.

    Raises
    ------
    ConfigError
        A filter is specific to PACS.
    """
    return " AND ".join(_condition(item, years, table) for item in table.filters) or EVERYTHING


def _condition(item: SourceFilter, years: Sequence[int], table: SourceTable) -> str:
    if item.kind == "years":
        return f"{item.column} IN ({', '.join(str(year) for year in sorted(set(years) - {0}))})"
    if item.kind != "equals":
        raise ConfigError(
            f"An ArcGIS layer cannot be filtered by {item.kind}",
            table=table.table,
            hint="filter by years or equals, or filter in the mapping",
        )
    if item.value is None:
        return f"{item.column} IS NULL"
    return f"{item.column} = {literal(item.value)}"


def _temporary() -> Path:
    return Path(tempfile.gettempdir()) / "terrafusion-arcgis"
