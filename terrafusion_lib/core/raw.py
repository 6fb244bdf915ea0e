"""What is read from a source, and the manifest of the resulting raw layer."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from terrafusion_lib.core.config import FrozenModel, parse
from terrafusion_lib.core.errors import ConfigError

MANIFEST = "manifest.json"
POINTER = "raw.json"
"""In the connect step's product: the extract it created and its folder."""


class RawType(StrEnum):
    """Types of the raw layer. If a database declares the type, a value that does not fit is a
    source error. From a file, the value stays text, to be converted and counted by the mapping.
    """

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"
    TIMESTAMP = "timestamp"
    BOOLEAN = "boolean"
    GEOMETRY = "geometry"


def _as_text(value: object) -> object:
    """YAML's numbers, yes and no, and lists as the text that an option holds."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    return "|".join(map(str, value)) if isinstance(value, list | tuple) else value


OptionText = Annotated[str, BeforeValidator(_as_text)]
"""Text of an option; a list is written with ``|`` between its items."""


class SourceFilter(FrozenModel):
    """A filter that the source applies before it sends a row.

    ``years``: keep rows whose `column` is one of the extracted years (never year 0).
    ``equals``: keep rows whose `column` equals `value`.
    ``current_supplement``: keep rows whose (year, supplement, property) is current according to
    `association` (PACS: prop_supp_assoc).
    """

    kind: str = Field(pattern="^(years|equals|current_supplement)$")
    column: str = ""
    value: str | int | None = None
    association: str = ""
    on: dict[str, str] = Field(
        default_factory=dict, description="Column of this table: column of the association"
    )


class SourceTable(FrozenModel):
    """One table to read: only the columns needed, with filters pushed down."""

    name: str = Field(description="Name in the raw layer and in the mapping")
    source: str = Field(description="Key of the county's sources")
    table: OptionText = Field(
        description="Name at the source: dbo.property_val, a file, files, a sheet, a layer"
    )
    columns: dict[str, RawType]
    key: tuple[str, ...] = ()
    filters: tuple[SourceFilter, ...] = ()
    optional: bool = Field(
        default=False, description="If missing at the source: empty, not an error"
    )
    options: dict[str, OptionText] = Field(
        default_factory=dict, description="File sources: encoding, delimiter, date_format, sheet …"
    )


class ReadAccount(FrozenModel):
    """How the rows of a file come from its lines.

    ``lines = records + sum(not_records)`` where the format has lines, and
    ``records = rows + sum(left_out)``, always.
    """

    lines: int | None = Field(default=None, description="Physical lines; None without lines")
    records: int
    not_records: dict[str, int] = Field(
        default_factory=dict, description="Lines that are not records: header, blank …"
    )
    left_out: dict[str, int] = Field(
        default_factory=dict, description="Records without a row, by reason"
    )

    def told(self) -> str:
        """What stands between lines and rows, in words: `` of 402 lines (1 header, …)``."""
        reasons = [
            f"{count:,} {reason}" for reason, count in (self.not_records | self.left_out).items()
        ]
        lines = "" if self.lines is None else f" of {self.lines:,} lines"
        return f"{lines} ({', '.join(reasons)})" if reasons else lines


class RawTable(FrozenModel):
    """One table of a finished extract."""

    name: str
    file: str
    rows: int
    sha256: str
    freshness: str = Field(default="", description="The source's own record of its state")
    columns: dict[str, RawType]
    key: tuple[str, ...] = ()
    seconds: float = 0.0
    account: ReadAccount | None = Field(default=None, description="Of files: lines to rows")


class RawManifest(FrozenModel):
    """The immutable raw layer of one extract; stored with its Parquet files."""

    extract_id: str
    county_id: str
    years: tuple[int, ...]
    extracted_at: datetime
    source_fingerprint: str
    tables: dict[str, RawTable]

    def path(self, folder: Path, table: str) -> Path:
        """Parquet file of one table."""
        return folder / self.tables[table].file


def read_manifest(folder: Path) -> RawManifest:
    """The manifest of an extract folder; an unfinished extract has none."""
    path = folder / MANIFEST
    if not path.is_file():
        raise ConfigError(f"{folder} has no finished extract", hint="terrafusion run <county>")
    import json

    return parse(RawManifest, json.loads(path.read_text(encoding="utf-8")), where=str(path))
