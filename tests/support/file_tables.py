"""Tables of files, read as a county reads them."""

from pathlib import Path

import pyarrow as pa

from terrafusion_lib.connectors.file_connector import FileConnector, FileOptions
from terrafusion_lib.connectors.protocol import raw_schema
from terrafusion_lib.core.raw import ReadAccount, SourceTable


def source(path: Path) -> FileConnector:
    return FileConnector(FileOptions(path=str(path)), Path("/"))


def table(file: object, options: dict[str, object] | None = None, **columns: str) -> SourceTable:
    return SourceTable.model_validate(
        {"name": "t", "source": "files", "table": file, "columns": columns}
        | {"options": options or {}}
    )


def read(folder: Path, wanted: SourceTable) -> tuple[list[dict[str, object]], ReadAccount]:
    """Rows and their account."""
    connector = source(folder)
    batches = list(connector.read(wanted, [2026]))
    account = connector.account(wanted)
    assert account is not None
    rows = pa.Table.from_batches(batches, None if batches else raw_schema(wanted))
    assert account.records == rows.num_rows + sum(account.left_out.values())
    return rows.to_pylist(), account
