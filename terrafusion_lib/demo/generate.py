"""Generates the demo county: a PACS database, its parcel layer and the truth about both."""

import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.files import write_json
from terrafusion_lib.core.progress import Progress, silent
from terrafusion_lib.demo.county import County, build_county
from terrafusion_lib.demo.parcel_layer import features, linked, write_parcel_layer
from terrafusion_lib.demo.parcels import Kind
from terrafusion_lib.demo.tables import all_tables
from terrafusion_lib.demo.traps import write_truth
from terrafusion_lib.demo.uses import index_of
from terrafusion_lib.demo.write import table_writer

FEWEST, MOST = 300, 120_000
DATABASE, LAYER, REPORT = "pacs_oltp.sqlite", "parcels.parquet", "demo.json"


@dataclass(frozen=True)
class DemoReport:
    """What was generated, and the figures that it was calibrated to."""

    parcels: int
    year: int
    seed: int
    rows: dict[str, int]
    features: int
    link_rate: float
    mean_single_family_value: float
    single_family_land_share: float
    median_price: float
    median_ratio: float
    seconds: float
    database_bytes: int

    def __str__(self) -> str:
        return (
            f"{self.parcels:,} parcels, {sum(self.rows.values()):,} rows in {len(self.rows)} "
            f"tables ({self.database_bytes / 1e6:,.0f} MB), {self.features:,} features "
            f"({self.link_rate:.1%} linked) in {self.seconds:.1f} s. Mean single-family value "
            f"${self.mean_single_family_value:,.0f} (land {self.single_family_land_share:.0%}), "
            f"median valid price ${self.median_price:,.0f}, "
            f"median ratio {self.median_ratio:.3f}."
        )


def generate(
    out_dir: Path,
    *,
    parcels: int = 20_000,
    year: int = 2026,
    seed: int = 20_260_101,
    progress: Progress = silent,
) -> DemoReport:
    """Write ``source/pacs_oltp.sqlite``, ``source/parcels.parquet`` and ``truth/*.parquet``.

    Built beside `out_dir` and renamed into place whole; an earlier demo county is replaced. The
    same arguments give the same rows.

    Parameters
    ----------
    out_dir : Path
        The county's data folder, such as ``data/demo_wa``.
    parcels : int
        Active real and manufactured-home properties: on the roll, not deleted, not a child of an
        undivided interest (whose parent counts). Benton County has 83,000.
    year : int
        Appraisal year.
    seed : int
        Seed of every random stream.

    Raises
    ------
    ConfigError
        `parcels` or `year` is out of range.
    """
    _check(parcels, year)
    started = time.monotonic()
    out_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out_dir, prefix=".demo.") as temporary:
        source = Path(temporary) / "source"
        source.mkdir()
        progress("simulate the county", 0, 1)
        county = build_county(parcels, year, seed)
        progress("simulate the county", 1, 1)
        rows = _write_database(county, source / DATABASE, progress)
        count = write_parcel_layer(county, source / LAYER)
        write_truth(county, Path(temporary) / "truth")
        report = _report(county, rows, count, started, (source / DATABASE).stat().st_size)
        write_json(source / REPORT, asdict(report))
        for folder in ("source", "truth"):
            _replace(Path(temporary) / folder, out_dir / folder)
    return report


def generated_parcels(out_dir: Path) -> int | None:
    """Parcels of the demo county in `out_dir`; None when there is none."""
    report = out_dir / "source" / REPORT
    if not report.is_file() or not (out_dir / "truth").is_dir():
        return None
    return int(json.loads(report.read_text("utf-8"))["parcels"])


def _check(parcels: int, year: int) -> None:
    if not FEWEST <= parcels <= MOST:
        raise ConfigError(
            f"A demo county has {FEWEST:,} to {MOST:,} parcels, not {parcels:,}",
            hint="terrafusion demo generate --parcels 20000",
        )
    if not 2023 <= year <= 2060:
        raise ConfigError(f"The demo county's appraisal year is 2023 to 2060, not {year}")


def _write_database(county: County, path: Path, progress: Progress) -> dict[str, int]:
    with table_writer(path) as writer:
        for name, columns in all_tables(county):
            writer.append(name, columns)
            progress(f"write {DATABASE}", sum(writer.rows.values()), None)
    total = sum(writer.rows.values())
    progress(f"write {DATABASE}", total, total)
    return writer.rows


def _replace(new: Path, old: Path) -> None:
    """Move the earlier folder aside, into the temporary one, and the new one into its place."""
    if old.exists():
        old.rename(new.with_name(f"earlier_{new.name}"))
    new.rename(old)


def _report(
    county: County, rows: dict[str, int], count: int, started: float, size: int
) -> DemoReport:
    p, values, sales = county.properties, county.values, county.sales
    house = np.isin(p["use"], index_of("11", "14", "18"))
    on_roll = house & np.isin(p["kind"], (Kind.LAND, Kind.UDI_PARENT, Kind.LEASED_MH))
    land, total = values.land[:, -1], values.land[:, -1] + values.improvement[:, -1]
    plain = (sales.kind == 0) & ~sales.land_only & ~sales.legacy & house[sales.primary]
    price, row = sales.price[plain], sales.primary[plain]
    when = sales.date[plain].astype("datetime64[Y]").astype(np.int64) + 1970
    value = (values.land + values.improvement)[row, when - values.years[0]]
    return DemoReport(
        county.parcels,
        county.year,
        county.seed,
        dict(sorted(rows.items())),
        count,
        round(float(linked(features(county)).mean()), 4),
        round(float(total[on_roll].mean())),
        round(float(land[on_roll].sum() / total[on_roll].sum()), 3),
        float(np.median(price)),
        round(float(np.median(value / price)), 3),
        round(time.monotonic() - started, 1),
        size,
    )
