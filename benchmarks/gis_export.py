"""Exports of parcels with 30 attributes, against bare pyogrio and ogr2ogr in the same run.

    python benchmarks/gis_export.py             100,000 parcels; memory with 500,000
    python benchmarks/gis_export.py --quick     20,000 parcels; memory with 100,000
    python benchmarks/gis_export.py --formats geopackage kml

*ours* goes from the tables as the store gives them (roll and shapes apart, WGS 84) to the finished
file: link, choose, order, write, check. *pyogrio* writes a ready frame with Arrow (GeoParquet:
geopandas). *ogr2ogr* translates a FlatGeobuf of the same records. All three in WGS 84; a second
line has the county's system: there everybody reprojects, geopandas by ``to_crs``, and *ready* is
pyogrio with a frame that lies in that system already. Sides alternate; the figure is the median of
the rounds' ratios, the time the best. By default the next batch is made by a second thread while
GDAL writes the last, as exports do (--threads 1: not).

Memory is the largest resident size of a process that opens the operational database (SQLite) and
exports all parcels, the tables included.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from resident import peak_mb

from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.core.tables import Kind, TableSpec
from terrafusion_lib.plugins.api import PluginContext
from terrafusion_lib.plugins.gis_export.format import load_format
from terrafusion_lib.plugins.gis_export.params import GisExportParams
from terrafusion_lib.plugins.gis_export.plan import make_plan

COUNTY, COUNTY_CRS, WGS84 = "bench_wa", "EPSG:2927", "EPSG:4326"
ROUNDS = 5
DRIVERS = {
    "geopackage": "GPKG",
    "flatgeobuf": "FlatGeobuf",
    "file_geodatabase": "OpenFileGDB",
    "geojson": "GeoJSON",
    "kml": "KML",
    "shapefile": "ESRI Shapefile",
}
SUFFIXES = {"file_geodatabase": ".gdb", "shapefile": ".shp"}
FORMATS = ("geopackage", "flatgeobuf", "file_geodatabase", "geoparquet", "geojson", "kml")
ATTRIBUTES = (
    "property_id",
    "parcel_number",
    "situs_address",
    "situs_city",
    "situs_zip",
    "property_type",
    "property_class",
    "neighborhood_code",
    "tax_area",
    "zoning",
    "land_area_sqft",
    "building_area_sqft",
    "basement_area_sqft",
    "garage_area_sqft",
    "year_built",
    "effective_year_built",
    "stories",
    "bedrooms",
    "bathrooms",
    "quality",
    "is_waterfront",
    "land_value",
    "improvement_value",
    "current_market_value",
    "assessed_value",
    "taxable_value",
    "assessment_year",
    "last_sale_date",
    "last_sale_price",
    "is_exempt",
)
MEMORY_FORMATS = ("geopackage", "geoparquet", "geojson")


def canonical(spec: TableSpec, columns: dict[str, Any], rows: int) -> pa.Table:
    """A canonical table of these columns, the others null."""
    return pa.table(
        [
            pa.array(columns[field.name], field.type)
            if field.name in columns
            else pa.nulls(rows, field.type)
            for field in spec.arrow_schema()
        ],
        schema=pa.schema([field.with_nullable(True) for field in spec.arrow_schema()]),
    )


def tables(rows: int) -> dict[str, pa.Table]:
    """Roll and shapes: squares with eight corners, in an order unlike the roll's."""
    rng, number = np.random.default_rng(1), np.arange(rows)
    side = int(np.ceil(np.sqrt(rows)))
    west, south = -119.9 + number % side * 0.0008, 45.9 + number // side * 0.0006
    corners = np.array([(0, 0), (0.5, 0.05), (1, 0), (1.02, 0.5), (1, 1), (0.5, 1.05), (0, 1)])
    x = np.round(west[:, None] + corners[:, 0] * 0.0008, 8)
    y = np.round(south[:, None] + corners[:, 1] * 0.0006, 8)
    shapes = shapely.to_wkb(shapely.polygons(np.stack([x, y], -1)))
    ids = np.array([f"{100_000 + n}" for n in number.tolist()], dtype=object)
    spec = TABLES["properties_operational"]
    roll: dict[str, Any] = {"county_id": [COUNTY] * rows, "property_id": ids}
    roll |= {"longitude": west, "latitude": south, "data_source": ["bench"] * rows}
    for column in spec.columns:
        if column.name in ATTRIBUTES and column.name not in roll:
            roll[column.name] = invented(column.kind, column.name, rng, number)
    key = np.array([f"{n:08d}" for n in rng.permutation(rows).tolist()], dtype=object)
    layer = {
        "county_id": [COUNTY] * rows,
        "geometry_id": key,
        "property_id": ids,
        "geometry": shapes,
    }
    linked = canonical(TABLES["parcels_geometry"], layer, rows).sort_by("geometry_id")
    return {"properties_operational": canonical(spec, roll, rows), "parcels_geometry": linked}


def invented(kind: Kind, name: str, rng: np.random.Generator, number: np.ndarray) -> Any:
    if kind is Kind.TEXT:
        return [f"{name[:8]} {n % 997}" for n in number.tolist()]
    if kind is Kind.BOOLEAN:
        return rng.random(number.size) < 0.1
    if kind is Kind.DATE:
        return [date(2000 + n % 25, 1 + n % 12, 1 + n % 28) for n in number.tolist()]
    if name == "assessment_year":
        return np.full(number.size, 2026)
    if kind is Kind.INTEGER:
        return rng.integers(1900, 2026, number.size)
    return rng.uniform(0, 1e6, number.size).round(2)


@dataclass(frozen=True)
class Bench:
    """The input in every form, and a folder to write to."""

    tables: dict[str, pa.Table]
    frames: dict[str, Any]
    source: Path
    work: Path
    threads: int = 1

    def ours(self, name: str, crs: str) -> Path:
        def read(table: str, columns: Any = None) -> pa.Table:
            return self.tables[table].select(columns)

        context = PluginContext(
            COUNTY,
            2026,
            date(2026, 1, 1),
            "bench",
            read,
            threads=self.threads,
            unfit_shapes=frozenset(),  # as the step that published the layer found
        )
        params = GisExportParams(
            export_format=name,
            attributes=ATTRIBUTES,
            crs=None if load_format(name).crs else crs,
        )
        plan = make_plan(context, params)
        (path,) = (self.work / file for file in plan.files() if file.endswith(plan.format.suffix))
        plan.files()[path.name](path)
        return path

    def pyogrio(self, name: str, crs: str) -> Path:
        return self._frame(
            self.frames[WGS84].to_crs(crs) if crs != WGS84 else self.frames[crs], name
        )

    def ready(self, name: str, crs: str) -> Path:
        return self._frame(self.frames[crs], name)

    def _frame(self, frame: Any, name: str) -> Path:
        import pyogrio

        path = self.work / f"frame{SUFFIXES.get(name, '.' + name)}"
        if name == "geoparquet":
            frame.to_parquet(path, compression="zstd", write_covering_bbox=True)
            return path
        options = {"RFC7946": "YES"} if name == "geojson" else {}
        pyogrio.write_dataframe(
            frame, path, driver=DRIVERS[name], layer="parcels", use_arrow=True, **options
        )
        return path

    def ogr2ogr(self, name: str, crs: str) -> Path:
        path = self.work / f"ogr{SUFFIXES.get(name, '.' + name)}"
        command = ["ogr2ogr", "-f", DRIVERS[name], str(path), str(self.source), "-nln", "parcels"]
        command += ["-t_srs", crs] if crs != WGS84 else []
        command += ["-lco", "RFC7946=YES"] if name == "geojson" else []
        subprocess.run(command, check=True, capture_output=True)
        return path


def ready_frame(found: dict[str, pa.Table]) -> Any:
    """The frame that a person would have in hand."""
    import geopandas as gpd

    roll = found["properties_operational"].select(list(ATTRIBUTES))
    shapes = found["parcels_geometry"].select(["geometry_id", "property_id", "geometry"])
    joined = shapes.join(roll, "property_id").sort_by("geometry_id").to_pandas()
    geometry = shapely.from_wkb(joined.pop("geometry"))
    return gpd.GeoDataFrame(joined, geometry=geometry, crs=WGS84)


def timed(work: Callable[[], Path]) -> float:
    start = time.perf_counter()
    path = work()
    seconds = time.perf_counter() - start
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    for companion in path.parent.glob(f"{path.stem}.*"):
        companion.unlink()
    return seconds


def compare(bench: Bench, name: str, crs: str, rounds: int) -> None:
    sides: dict[str, Callable[[str, str], Path]] = {"ours": bench.ours, "pyogrio": bench.pyogrio}
    if crs != WGS84:
        sides["ready"] = bench.ready
    if name in DRIVERS and shutil.which("ogr2ogr"):
        sides["ogr2ogr"] = bench.ogr2ogr
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(rounds):
        for side, run in sides.items():
            seconds[side].append(timed(lambda run=run: run(name, crs)))  # type: ignore[misc]
    text = f"{name:17} {crs:10} ours {min(seconds['ours']):6.2f} s"
    for side in list(sides)[1:]:
        ratios = [a / b for a, b in zip(seconds["ours"], seconds[side], strict=True)]
        text += f"   {side} {min(seconds[side]):6.2f} s, ratio {statistics.median(ratios):.2f}"
    print(text, flush=True)


def store_parcels(root: Path, rows: int) -> None:
    """Load the parcels into an operational database (run in a process of its own)."""
    from terrafusion_lib.store.store import open_store

    paths = {}
    for name, table in tables(rows).items():
        paths[name] = root / f"{name}.parquet"
        pq.write_table(table, paths[name])
    with open_store(settings(root).operational_database_url) as store:
        store.migrate()
        store.load(
            COUNTY, paths, run_id="bench", fingerprint="bench", clock=lambda: datetime.now(UTC)
        )


def settings(root: Path) -> Settings:
    return Settings(root=root, data_dir=root / "data", operational_url="")


def export_stored(root: Path, name: str) -> None:
    """Export all parcels from the database; prints the time and the largest resident size."""
    from terrafusion_lib.store.store import open_store

    start = time.perf_counter()
    with open_store(settings(root).operational_database_url) as store:

        def read(table: str, columns: Any = None) -> pa.Table:
            return store.read(table, county_id=COUNTY, columns=columns)

        context = PluginContext(COUNTY, 2026, date(2026, 1, 1), "bench", read, crs=COUNTY_CRS)
        params = GisExportParams(export_format=name, attributes=ATTRIBUTES)
        plan = make_plan(context, params)
        for file, write in plan.files().items():
            write(root / file)
    size = sum(path.stat().st_size for path in root.glob(f"{COUNTY}_*"))
    peak = peak_mb() / 1024
    print(
        f"{name:17} {plan.records:,} records from SQLite: {time.perf_counter() - start:.1f} s, "
        f"{size / 1e6:,.0f} MB on disk, {peak:.2f} GB at most",
        flush=True,
    )
    for path in root.glob(f"{COUNTY}_*"):
        path.unlink()


def memory(root: Path, rows: int) -> None:
    def child(*arguments: str) -> None:
        subprocess.run([sys.executable, __file__, "--child", *arguments], check=True)

    child("store", str(root), str(rows))
    for name in MEMORY_FORMATS:
        child("export", str(root), name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rows", type=int)
    parser.add_argument("--formats", nargs="*", default=FORMATS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        task, root, detail = options.child
        if task == "store":
            store_parcels(Path(root), int(detail))
        else:
            export_stored(Path(root), detail)
        return
    warnings.simplefilter("ignore")
    rows = options.rows or (20_000 if options.quick else 100_000)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        found = tables(rows)
        frame = ready_frame(found)
        source = root / "source.fgb"
        frame.to_file(source, driver="FlatGeobuf", layer="parcels")
        (root / "work").mkdir()
        frames = {WGS84: frame, COUNTY_CRS: frame.to_crs(COUNTY_CRS)}
        bench = Bench(found, frames, source, root / "work", options.threads)
        print(f"{rows:,} parcels, {len(ATTRIBUTES)} attributes, {options.threads} threads")
        for format_name in options.formats:
            fixed = load_format(format_name).crs
            for crs in (WGS84,) if fixed else (WGS84, COUNTY_CRS):
                compare(bench, format_name, crs, ROUNDS)
        if not options.no_memory:
            memory(root, options.rows or (100_000 if options.quick else 500_000))


if __name__ == "__main__":
    main()
