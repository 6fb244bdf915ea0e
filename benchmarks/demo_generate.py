"""Generating the demo county, against copying the finished database inside SQLite.

    python benchmarks/demo_generate.py            80,000 parcels, all of Benton
    python benchmarks/demo_generate.py --quick    5,000 parcels

The raw limit is SQLite's own INSERT … SELECT of every table into a new file with the same schema,
in the same run: the least that writing these rows can cost. Limits of the demo: 60 s and 2 GB for
80,000 parcels on two cores.
"""

import argparse
import sqlite3
import tempfile
import time
from pathlib import Path

from resident import peak_mb

from terrafusion_lib.demo.generate import generate


def copy_seconds(source: Path, target: Path) -> float:
    """Seconds that SQLite needs to copy every table, key order kept, journal off."""
    started = time.perf_counter()
    database = sqlite3.connect(target, isolation_level=None)
    database.execute("pragma journal_mode=off")
    database.execute("pragma synchronous=off")
    database.execute("attach ? as made", (str(source),))
    schema = database.execute(
        "select name, sql from made.sqlite_master where type = 'table' and name not like 'sqlite_%'"
    ).fetchall()
    database.execute("begin")
    for name, sql in schema:
        database.execute(sql)
        database.execute(f"insert into main.{name} select * from made.{name}")
    database.execute("commit")
    database.close()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parcels", type=int, default=80_000)
    parser.add_argument("--quick", action="store_true", help="5,000 parcels")
    options = parser.parse_args()
    parcels = 5_000 if options.quick else options.parcels
    with tempfile.TemporaryDirectory() as folder:
        report = generate(Path(folder), parcels=parcels)
        peak = peak_mb()
        copied = copy_seconds(Path(folder) / "source/pacs_oltp.sqlite", Path(folder) / "copy.db")
    rows = sum(report.rows.values())
    print(report)
    print(f"generate        {report.seconds:8.1f} s  {rows / report.seconds:12,.0f} rows/s")
    print(f"copy in SQLite  {copied:8.1f} s  {rows / copied:12,.0f} rows/s")
    print(f"ratio           {report.seconds / copied:8.2f}")
    print(f"peak memory     {peak:8,.0f} MB")


if __name__ == "__main__":
    main()
