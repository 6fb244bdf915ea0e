"""A raw layer made by hand: Arrow tables as a finished extract, for tests of the mapping."""

from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

import pyarrow as pa
import pyarrow.parquet as pq

from terrafusion_lib.core.files import file_hash
from terrafusion_lib.core.raw import MANIFEST, RawManifest, RawTable
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.mappers.bound import Mapping
from terrafusion_lib.mappers.mapping import load_mapping
from terrafusion_lib.mappers.run import MappingResult, map_tables

COUNTY, YEAR = "test_wa", 2026


def write_extract(folder: Path, tables: dict[str, pa.Table], years: tuple[int, ...]) -> Path:
    """Write `tables` and their manifest to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    raw = {}
    for name, table in tables.items():
        path = folder / f"{name}.parquet"
        pq.write_table(table, path)
        raw[name] = RawTable(
            name=name, file=path.name, rows=table.num_rows, sha256=file_hash(path), columns={}
        )
    manifest = RawManifest(
        extract_id="test",
        county_id=COUNTY,
        years=years,
        extracted_at=datetime(2026, 1, 1, tzinfo=UTC),
        source_fingerprint="test",
        tables=raw,
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json(), encoding="utf-8")
    return folder


def read_mapping(folder: Path, text: str) -> Mapping:
    """The mapping in `text`."""
    path = folder / "mappings.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    return load_mapping(path)


def run_mapping(
    folder: Path,
    text: str,
    tables: dict[str, pa.Table],
    *,
    threads: int = 2,
    crs: str = "EPSG:2927",
) -> MappingResult:
    """Map `tables` by the mapping in `text`; products go to ``folder / "out"``."""
    raw = write_extract(folder / "raw", tables, (YEAR - 1, YEAR))
    return map_tables(
        read_mapping(folder, text),
        raw,
        folder / "out",
        county_id=COUNTY,
        assessment_year=YEAR,
        crs=crs,
        settings=Settings(root=folder, threads=threads),
    )
