"""The raw layer: data as read from the sources, immutable, with counts, hashes and freshness."""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path

from terrafusion_lib.connectors.protocol import Connector
from terrafusion_lib.connectors.raw.table import write_table
from terrafusion_lib.connectors.registry import open_source
from terrafusion_lib.core.config import parse
from terrafusion_lib.core.county import CountyConfig
from terrafusion_lib.core.errors import ConnectError, RunError
from terrafusion_lib.core.files import file_hash, fingerprint, write_json
from terrafusion_lib.core.locks import exclusive
from terrafusion_lib.core.progress import Progress, silent
from terrafusion_lib.core.raw import MANIFEST, RawManifest, RawTable, SourceTable, read_manifest
from terrafusion_lib.core.settings import Settings

PARTIAL = ".partial-"
RESUME_HOURS = 12
"""How long a finished table of a failed extract can be reused if its source cannot report its
state."""


def source_marks(
    county: CountyConfig, tables: Mapping[str, SourceTable], *, settings: Settings
) -> dict[str, str]:
    """Each table's freshness, from `Connector.freshness`."""
    with ExitStack() as stack:
        connectors = _connectors(county, tables, settings, stack)
        return _marks(connectors, tables)


def extract(
    county: CountyConfig,
    tables: Mapping[str, SourceTable],
    years: Sequence[int],
    *,
    settings: Settings,
    clock: Callable[[], datetime],
    progress: Progress = silent,
    reuse: bool = False,
) -> tuple[Path, RawManifest]:
    """Read the tables into a new folder ``data/<county>/raw/<extract id>``.

    The folder appears completely or not at all. If a read is interrupted, the next one reuses its
    finished tables, provided that definitions and freshness are the same.

    Parameters
    ----------
    tables : mapping
        What to read, by name in the raw layer.
    years : sequence of int
        Assessment years, for the filters of kind ``years``.
    reuse : bool
        Return the newest finished, undamaged extract with the same definitions, without contacting
        the sources; read them only if there is none.

    Raises
    ------
    ConnectError
        A source cannot be reached or read, or lacks a table or column.
    RunError
        Another extract of this county is running, or the raw layer cannot be written.
    """
    definitions = _definitions(county, tables, years)
    raw = settings.county_data(county.county_id) / "raw"
    if reuse and (newest := _newest(raw, definitions)):
        return newest
    started = clock()
    with (
        _writing(raw, county.county_id),
        exclusive(raw / ".lock", partial(_at_work, county.county_id)),
        ExitStack() as stack,
    ):
        connectors = _connectors(county, tables, settings, stack)
        for table in tables.values():
            connectors[table.source].verify(table)
        marks = _marks(connectors, tables)
        unfinished = _partial_folder(raw, definitions)
        read = {}
        for name, table in tables.items():
            connector, mark = connectors[table.source], marks[name]
            read[name] = _finished(unfinished, name, mark) or write_table(
                connector, table, years, unfinished, freshness=mark, progress=progress
            )
            write_json(_record(unfinished, name), read[name].model_dump(mode="json"))
        manifest = _manifest(county.county_id, years, read, definitions, started)
        return _publish(raw, unfinished, manifest)


def _definitions(
    county: CountyConfig, tables: Mapping[str, SourceTable], years: Sequence[int]
) -> str:
    """Fingerprint of the request: tables, years and sources."""
    sources = {table.source for table in tables.values()}
    return fingerprint(
        {name: table.model_dump(mode="json") for name, table in tables.items()},
        sorted(years),
        {
            name: source.model_dump(mode="json")
            for name, source in county.sources.items()
            if name in sources
        },
    )


def _source_fingerprint(definitions: str, marks: Mapping[str, str]) -> str:
    return fingerprint(definitions, dict(sorted(marks.items())))


def _newest(raw: Path, definitions: str) -> tuple[Path, RawManifest] | None:
    """The newest finished extract with these definitions whose files are unchanged."""
    for path in sorted(raw.glob(f"[!.]*/{MANIFEST}"), reverse=True):
        manifest = read_manifest(path.parent)
        marks = {name: table.freshness for name, table in manifest.tables.items()}
        if manifest.source_fingerprint == _source_fingerprint(definitions, marks) and all(
            _intact(path.parent, table) for table in manifest.tables.values()
        ):
            return path.parent, manifest
    return None


def _intact(folder: Path, table: RawTable) -> bool:
    path = folder / table.file
    return path.is_file() and file_hash(path) == table.sha256


def _connectors(
    county: CountyConfig, tables: Mapping[str, SourceTable], settings: Settings, stack: ExitStack
) -> dict[str, Connector]:
    names = dict.fromkeys(table.source for table in tables.values())
    return {
        name: stack.enter_context(closing(open_source(county, name, settings))) for name in names
    }


def _marks(
    connectors: Mapping[str, Connector], tables: Mapping[str, SourceTable]
) -> dict[str, str]:
    return {name: connectors[table.source].freshness(table) for name, table in tables.items()}


@contextmanager
def _writing(raw: Path, county_id: str) -> Iterator[None]:
    """Explain why a file cannot be written or a source file cannot be read."""
    try:
        yield
    except OSError as error:
        if error.filename and not Path(str(error.filename)).is_relative_to(raw):
            raise ConnectError(f"The source cannot be read: {error}", county=county_id) from error
        raise RunError(
            f"The raw layer cannot be written: {error}",
            county=county_id,
            step="10_connect",
            cause="the disk is full, or the folder is not writable",
            hint=f"free space in {raw}, or make it writable, and run again; finished tables are "
            "kept",
        ) from error


def _at_work(county_id: str) -> RunError:
    return RunError(
        "Another extract of this county is running",
        county=county_id,
        step="10_connect",
        hint="wait until it ends, or stop that process",
    )


def _partial_folder(raw: Path, definitions: str) -> Path:
    """Folder of the extract in progress; folders with other definitions are deleted."""
    partial = raw / f"{PARTIAL}{definitions}"
    for other in raw.glob(f"{PARTIAL}*"):
        if other != partial:
            shutil.rmtree(other)
    partial.mkdir(exist_ok=True)
    return partial


def _record(partial: Path, name: str) -> Path:
    return partial / f"{name}.json"


def _finished(partial: Path, name: str, mark: str) -> RawTable | None:
    """The table from an interrupted extract; None if it must be read again."""
    record = _record(partial, name)
    if not record.is_file():
        return None
    table = parse(RawTable, json.loads(record.read_text(encoding="utf-8")), where=str(record))
    hours = (time.time() - record.stat().st_mtime) / 3600
    fresh = table.freshness == mark and (mark or hours < RESUME_HOURS)
    return table if fresh and _intact(partial, table) else None


def _manifest(
    county_id: str,
    years: Sequence[int],
    tables: dict[str, RawTable],
    definitions: str,
    now: datetime,
) -> RawManifest:
    content = fingerprint({name: table.sha256 for name, table in tables.items()}, definitions)
    marks = {name: table.freshness for name, table in tables.items()}
    return RawManifest(
        extract_id=f"{now:%Y%m%dT%H%M%SZ}-{content[:8]}",
        county_id=county_id,
        years=tuple(sorted(years)),
        extracted_at=now,
        source_fingerprint=_source_fingerprint(definitions, marks),
        tables=tables,
    )


def _publish(raw: Path, partial: Path, manifest: RawManifest) -> tuple[Path, RawManifest]:
    """Write the manifest and give the folder its final name."""
    folder = raw / manifest.extract_id
    if folder.exists():  # the same content in the same second
        shutil.rmtree(partial)
        return folder, read_manifest(folder)
    kept = {table.file for table in manifest.tables.values()}
    for leftover in partial.iterdir():
        if leftover.name not in kept:
            leftover.unlink()
    write_json(partial / MANIFEST, manifest.model_dump(mode="json"))
    partial.rename(folder)
    return folder, manifest
