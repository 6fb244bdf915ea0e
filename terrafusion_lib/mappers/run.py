"""Map a raw layer to the canonical tables."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from terrafusion_lib.core.errors import MappingError
from terrafusion_lib.core.progress import Progress, silent
from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.core.sql import literal
from terrafusion_lib.mappers.findings import FAILURES, UNMAPPED_CODES, Findings
from terrafusion_lib.mappers.mapping import MAPPED, Mapping
from terrafusion_lib.mappers.model import Table
from terrafusion_lib.mappers.relations import prepare_all, require_unique
from terrafusion_lib.mappers.session import Session, open_session
from terrafusion_lib.mappers.stage import (
    DROP,
    Stage,
    define_value_maps,
    key_text,
    stage_table,
    staged,
)

BATCH_ROWS = 65_536


@dataclass(frozen=True)
class MappedTable:
    """One canonical table: its file and counts; ``read == sum(filtered) + mapped``."""

    path: Path
    read: int
    filtered: dict[str, int]
    mapped: int


@dataclass(frozen=True)
class MappingResult:
    """What `map_tables` wrote, and how much of it needs a look."""

    tables: dict[str, MappedTable]
    failures: int
    """Values that could not be converted (``failures.parquet``)."""
    unmapped_codes: int
    """Rows with a code that its value map does not list (``unmapped_codes.parquet``)."""


def map_tables(
    mapping: Mapping,
    raw_dir: Path,
    out_dir: Path,
    *,
    county_id: str,
    assessment_year: int,
    crs: str,
    settings: Settings,
    progress: Progress = silent,
) -> MappingResult:
    """Map an extract to canonical tables.

    Writes ``<table>.parquet`` (the canonical schema exactly, sorted by key),
    ``filtered/<table>.parquet`` (key and reason of rows left out), ``failures.parquet`` and
    ``unmapped_codes.parquet``. Rows with equal keys are all kept: validation quarantines them.

    Parameters
    ----------
    raw_dir : Path
        Folder of a finished extract.
    crs : str
        The county's projected system, for areas and coordinates.

    Raises
    ------
    MappingError
        The mapping does not fit the raw tables, a join loses or multiplies rows, a required
        value is null, or a value map with ``unmapped: fail`` met an unknown code.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    (out_dir / "filtered").mkdir(exist_ok=True)
    tables: dict[str, MappedTable] = {}
    with (
        open_session(
            mapping,
            raw_dir,
            out_dir,
            county_id=county_id,
            assessment_year=assessment_year,
            crs=crs,
            settings=settings,
        ) as session,
        Findings(session, out_dir / FAILURES, out_dir / UNMAPPED_CODES) as findings,
    ):
        define_value_maps(session)
        for name, table in mapping.file.tables.items():
            stage = make_stage(session, name, table)
            findings.add(name, table, stage)
            tables[name] = _finish(session, name, out_dir, progress)
        findings.add_raw()
        return MappingResult(tables, findings.failures, findings.unmapped)


def make_stage(session: Session, name: str, table: Table) -> Stage:
    """Stage a canonical table, rows to drop still in it; rows must be those of its base.

    Raises
    ------
    MappingError
        A join lost or multiplied rows.
    """
    prepare_all(session, table.base, table.joins)
    stage = stage_table(session, name, table)
    create = f"CREATE TABLE {staged(name)} AS"
    for select in stage.selects:
        session.run(f"{create} {select}", where=name)
        create = f"INSERT INTO {staged(name)}"
    rows = session.rows(f"SELECT count(*) FROM {staged(name)}", where=name)[0][0]
    read = session.count(table.base)
    if rows != read:
        for alias, join in table.joins.items():
            require_unique(session, alias, join, where=name)
        raise MappingError(f"{read:,} rows became {rows:,}", table=name)
    _check_required(session, name, table)
    return stage


def _check_required(session: Session, name: str, table: Table) -> None:
    for column, item in table.fields.items():
        if not item.required:
            continue
        empty = f'FROM {staged(name)} WHERE "{DROP}" IS NULL AND "{column}" IS NULL'
        key = key_text(TABLES[name])
        found = session.rows(
            f"SELECT {key}, count(*) OVER () {empty} ORDER BY 1 LIMIT 5", where=name
        )
        if found:
            raise MappingError(
                "A required value is null",
                table=name,
                column=column,
                count=found[0][1],
                examples=[row[0] for row in found],
                hint="map it, give a default, or drop these rows with a reason",
            )


def _finish(session: Session, name: str, out_dir: Path, progress: Progress) -> MappedTable:
    """Write a staged table and the keys left out, then drop it; later tables read the file."""
    canonical = TABLES[name]
    keys = ", ".join(f'"{key}"' for key in canonical.key)
    columns = ", ".join(f'"{column}"' for column in canonical.column_names)
    path = out_dir / f"{name}.parquet"
    mapped = _stream(
        session,
        f'SELECT {columns} FROM {staged(name)} WHERE "{DROP}" IS NULL '
        f"ORDER BY {keys}, hash({columns})",
        canonical.arrow_schema(),
        path,
        lambda done: progress(f"map {name}", done, None),
    )
    progress(f"map {name}", mapped, mapped)
    key_fields = [pa.field(key, canonical.arrow_schema().field(key).type) for key in canonical.key]
    left_out = _stream(
        session,
        f'SELECT {keys}, "{DROP}" FROM {staged(name)} WHERE "{DROP}" IS NOT NULL ORDER BY ALL',
        pa.schema([*key_fields, pa.field("reason", pa.string(), nullable=False)]),
        out_dir / "filtered" / path.name,
    )
    reasons = f'SELECT "{DROP}", count(*) FROM {staged(name)} WHERE "{DROP}" IS NOT NULL GROUP BY 1'
    filtered = dict(session.rows(f"{reasons} ORDER BY 1", where=name))
    session.run(f"DROP TABLE {staged(name)}", where=name)
    view = f"CREATE VIEW {session.identifier(MAPPED + name)} AS FROM read_parquet"
    session.run(f"{view}({literal(str(path))})", where=name)
    return MappedTable(path, mapped + left_out, filtered, mapped)


def _stream(
    session: Session,
    query: str,
    schema: pa.Schema,
    path: Path,
    report: Callable[[int], object] | None = None,
) -> int:
    """Write a query to Parquet with exactly this schema, batch by batch; returns the rows."""
    done = 0
    reader = session.reader(query, BATCH_ROWS, where=path.stem)
    with session.fitting(path.stem), pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in reader:
            arrays = [batch.column(i).cast(item.type) for i, item in enumerate(schema)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            done += batch.num_rows
            if report:
                report(done)
    return done
