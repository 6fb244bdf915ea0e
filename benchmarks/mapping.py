"""Mapping one million parcels with all their joins, against a bare scan and sort of the same files.

    python benchmarks/mapping.py            one million parcels (46 million source rows)
    python benchmarks/mapping.py --quick    forty thousand

The source is the demo county, its raw layer repeated with ids of its own. Limits: one million
parcels within 60 seconds on two idle cores; memory under 1.5 GB however many rows there are.
Mapping and the bare scan and sort run one after the other in processes of their own, so that each
has its own peak.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb
from resident import peak_mb

from terrafusion_lib.connectors.raw.layer import extract
from terrafusion_lib.core.county import load_county
from terrafusion_lib.core.raw import MANIFEST, RawManifest, read_manifest
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.demo.generate import generate
from terrafusion_lib.mappers.mapping import load_mapping
from terrafusion_lib.mappers.run import map_tables

ROOT = Path(__file__).resolve().parents[1]
YEAR = 2026
IDS = {
    "prop_id": 10**7,
    "Prop_ID": 10**7,
    "udi_parent_prop_id": 10**7,
    "owner_id": 10**7,
    "acct_id": 10**7,
    "chg_of_owner_id": 10**7,
    "bldg_permit_id": 10**7,
    "OBJECTID": 10**7,
    "imprv_id": 10**8,
    "imprv_det_id": 2 * 10**9,
}
"""Columns that tell one copy of the county from the next, and how far apart their values lie."""
NUMBERS = ("geo_id", "Parcel_ID")
COUNTY = "demo_wa"


def repeated_extract(folder: Path, parcels: int, copies: int) -> Path:
    """The raw layer of a county of `parcels` times `copies`, each table in the order of its key."""
    settings = Settings(root=ROOT, data_dir=folder)
    generate(folder / COUNTY, parcels=parcels)
    county = load_county(COUNTY, settings)
    tables = load_mapping(county.mapping).source_tables()
    source, manifest = extract(
        county,
        tables,
        range(YEAR - 4, YEAR + 1),
        settings=settings,
        clock=lambda: datetime.now(UTC),
    )
    target = folder / "raw"
    target.mkdir()
    with duckdb.connect(config={"threads": 2, "memory_limit": "4GB"}) as engine:
        engine.execute(f"SET temp_directory = '{folder / 'spill'}'")
        rows = {name: _repeat(engine, source, target, manifest, name, copies) for name in tables}
    found = {
        name: table.model_copy(update={"rows": rows[name]})
        for name, table in manifest.tables.items()
    }
    text = manifest.model_copy(update={"tables": found}).model_dump_json()
    (target / MANIFEST).write_text(text, encoding="utf-8")
    return target


def _repeat(
    engine: duckdb.DuckDBPyConnection,
    source: Path,
    target: Path,
    manifest: RawManifest,
    name: str,
    copies: int,
) -> int:
    table = manifest.tables[name]
    changed = [f"{c} + k * {step} AS {c}" for c, step in IDS.items() if c in table.columns]
    changed += [f"{c} || '-' || k AS {c}" for c in NUMBERS if c in table.columns]
    columns = f"* EXCLUDE (k) REPLACE ({', '.join(changed)})" if changed else "* EXCLUDE (k)"
    files = f"read_parquet('{source / table.file}'), range({copies if changed else 1}) AS r(k)"
    order = f"ORDER BY {', '.join(table.key)}" if table.key else ""
    path = target / table.file
    options = "COMPRESSION zstd, ROW_GROUP_SIZE 65536"  # as connectors write them
    engine.execute(f"COPY (SELECT {columns} FROM {files} {order}) TO '{path}' ({options})")
    return table.rows * (copies if changed else 1)


def measure_mapping(raw: Path, out: Path) -> dict[str, float]:
    """Seconds and rows of `map_tables`."""
    settings = Settings(root=ROOT)
    county = load_county(COUNTY, settings)
    mapping = load_mapping(county.mapping)
    started = time.perf_counter()
    result = map_tables(
        mapping,
        raw,
        out,
        county_id=COUNTY,
        assessment_year=YEAR,
        crs=county.crs,
        settings=settings,
    )
    mapped = sum(table.mapped for table in result.tables.values())
    return {"seconds": time.perf_counter() - started, "rows": mapped}


def measure_bare(raw: Path, out: Path) -> dict[str, float]:
    """Seconds of reading every raw table, sorting it by its key and writing it again."""
    out.mkdir()
    settings = Settings(root=ROOT)
    manifest = read_manifest(raw)
    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": settings.threads,
        "memory_limit": settings.duckdb_memory_limit,
        "temp_directory": str(out / "spill"),
    }
    started = time.perf_counter()
    with duckdb.connect(config=config) as engine:
        for name, table in manifest.tables.items():
            order = ", ".join(table.key) or "ALL"
            query = f"FROM read_parquet('{manifest.path(raw, name)}') ORDER BY {order}"
            engine.execute(f"COPY ({query}) TO '{out / table.file}' (COMPRESSION zstd)")
    rows = sum(table.rows for table in manifest.tables.values())
    return {"seconds": time.perf_counter() - started, "rows": rows}


def in_own_process(what: str, raw: Path, out: Path) -> dict[str, float]:
    """Run one of the measures in a process of its own; adds its peak memory."""
    command = [sys.executable, __file__, "--measure", what, str(raw), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="forty thousand parcels")
    parser.add_argument("--parcels", type=int, default=1_000_000)
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        what, raw, out = options.measure
        found = {"map": measure_mapping, "bare": measure_bare}[what](Path(raw), Path(out))
        found["peak_mb"] = peak_mb()
        print(json.dumps(found))
        return
    base, copies = (2_000, 20) if options.quick else (20_000, -(-options.parcels // 20_000))
    with tempfile.TemporaryDirectory(prefix="terrafusion-mapping-") as folder:
        raw = repeated_extract(Path(folder), base, copies)
        source_rows = sum(table.rows for table in read_manifest(raw).tables.values())
        largest = max(table.rows for table in read_manifest(raw).tables.values())
        mapped = in_own_process("map", raw, Path(folder) / "mapped")
        bare = in_own_process("bare", raw, Path(folder) / "bare")
    print(f"{base * copies:,} parcels, {source_rows:,} source rows, largest table {largest:,}")
    print(
        f"map: {mapped['seconds']:.1f} s, {source_rows / mapped['seconds']:,.0f} source rows/s, "
        f"{mapped['rows']:,.0f} canonical rows, peak {mapped['peak_mb']:,.0f} MB"
    )
    print(f"bare scan and sort: {bare['seconds']:.1f} s, peak {bare['peak_mb']:,.0f} MB")
    print(f"mapping takes {mapped['seconds'] / bare['seconds']:.2f} times the bare scan and sort")


if __name__ == "__main__":
    main()
