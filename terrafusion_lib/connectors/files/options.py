"""How to read one table of files: ``options`` of a source table in the mapping."""

from pydantic import Field, model_validator

from terrafusion_lib.core.config import FrozenModel, parse
from terrafusion_lib.core.raw import SourceTable

YES_OR_NO = "^(yes|no)?$"
KEEP = "^(keep)?$"


class TableOptions(FrozenModel):
    """Everything that a mapping may say about a table's files (``docs/reference/files.md``)."""

    encoding: str = Field(default="", description="Default utf-8; for shapes, what the file says")
    delimiter: str = Field(default="", max_length=1, description="By default that of the suffix")
    quote: str = Field(
        default='"', pattern="^(none|[ -~])$", description="Quote mark; none: quote marks are text"
    )
    escape: str = Field(default="", pattern="^[ -~]?$", description="Character before a mark")
    line_breaks: str = Field(
        default="",
        pattern=YES_OR_NO,
        description="In quoted values; default: only where unambiguous",
    )
    header: str = Field(default="", pattern="^(none)?$", description="none: the file has no header")
    names: str = Field(default="", description="Column names if there is no header, separated by |")
    header_row: int = Field(
        default=0, ge=0, description="Line or sheet row with the header; default: the first"
    )
    skip_lines: int = Field(default=0, ge=0, description="Lines between header and first record")
    layout: str = Field(default="", description="Fixed width: CSV file of name, start, length")
    short_lines: str = Field(default="", pattern=YES_OR_NO, description="Fixed width: blanks lost")
    repeated_headers: str = Field(default="", pattern=KEEP, description="keep: they are rows")
    total_lines: str = Field(default="", pattern=KEEP, description="keep: they are rows")
    missing_columns: str = Field(
        default="", pattern="^(null)?$", description="null: some of several files may lack a column"
    )
    date_format: str = Field(
        default="", description="strptime formats, separated by |; default ISO 8601"
    )
    null_values: str = Field(default="", description="Texts that mean null, separated by |")
    sheet: str = Field(
        default="", description="Sheets of a workbook, separated by |; default: the first"
    )
    layer: str = Field(default="", description="Layer of a file of shapes with more than one")
    crs: str = Field(
        default="EPSG:4326", description="System of the shapes as read; empty: the file's own"
    )

    @model_validator(mode="after")
    def _fit_together(self) -> "TableOptions":
        if self.names and not (self.header or self.layout):
            raise ValueError("names requires a file without a header: add header: none")
        if self.header and self.header_row > 1:
            raise ValueError("header: none and header_row contradict each other; use skip_lines")
        if self.delimiter and not self.delimiter.isascii():
            raise ValueError("delimiter must be one ASCII character")
        return self

    @property
    def date_formats(self) -> list[str]:
        return listed(self.date_format)

    @property
    def nulls(self) -> list[str]:
        return listed(self.null_values)


def listed(text: str) -> list[str]:
    """Parts of an option that are separated by ``|``."""
    return [item for item in text.split("|") if item]


def table_options(table: SourceTable) -> TableOptions:
    """The options of a source table, checked."""
    return parse(TableOptions, table.options, where=f"options of source table {table.name}")
