"""Reading files with every line accounted for, against bare ``pyarrow.csv`` in the same run.

    python benchmarks/read_files.py             1,000,000 rows of 40 columns
    python benchmarks/read_files.py --quick     100,000 rows

The same rows are written as CSV (texts in quotes, as pyarrow writes them) and as fixed-width text
with a layout. Bare is ``pyarrow.csv.read_csv`` with its own defaults: parsed, typed by guess, on
all processors, without a check. The connector reads the types that a mapping declares, checks
quotes and encodings, counts lines, records and rows, and sends batches. Each round times all sides
one after another; the figure is the median of the rounds' ratios, as a busy machine slows both.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from terrafusion_lib.connectors.file_connector import FileConnector, FileOptions
from terrafusion_lib.core.raw import RawType, SourceTable

COUNTS = {"whole": 10, "money": 10, "code": 8, "text": 8, "date": 4}
KINDS = {
    "whole": RawType.INTEGER,
    "money": RawType.NUMBER,
    "code": RawType.TEXT,
    "text": RawType.TEXT,
    "date": RawType.DATE,
}
WIDTHS = {"whole": 8, "money": 12, "code": 4, "text": 20, "date": 10}
PART = 100_000
AT_LEAST = {"csv": 0.8, "fixed width": 0.5}


def columns() -> dict[str, str]:
    """Kind of each of the 40 columns."""
    return {f"{kind}_{n}": kind for kind, count in COUNTS.items() for n in range(count)}


def part(first: int, count: int) -> pa.Table:
    rng = np.random.default_rng(first)
    make: dict[str, Callable[[int], pa.Array]] = {
        "whole": lambda _: pa.array(rng.integers(0, 10**6, count)),
        "money": lambda _: pa.array((rng.integers(0, 10**8, count) / 100).round(2)),
        "code": lambda _: pa.array([f"C{n:03d}" for n in rng.integers(0, 90, count)]),
        "text": lambda n: pa.array([f"LOT {k} BLOCK {n}" for k in rng.integers(0, 10**4, count)]),
        "date": lambda _: pa.array(np.datetime64("2015-01-01") + rng.integers(0, 3000, count)),
    }
    return pa.table({name: make[kind](n) for n, (name, kind) in enumerate(columns().items())})


def write(folder: Path, rows: int) -> None:
    """The CSV file, the fixed-width file and its layout."""
    starts = np.cumsum([1, *(WIDTHS[kind] for kind in columns().values())])
    layout = [
        f"{name},{start},{WIDTHS[kind]}"
        for (name, kind), start in zip(columns().items(), starts, strict=False)
    ]
    (folder / "layout.csv").write_text("\n".join(["name,start,length", *layout]))
    schema = part(0, 1).schema
    with (
        arrow_csv.CSVWriter(folder / "rows.csv", schema) as writer,
        (folder / "rows.txt").open("w", encoding="utf-8", newline="") as fixed,
    ):
        for first in range(0, rows, PART):
            some = part(first, min(PART, rows - first))
            writer.write(some)
            texts = [
                np.char.ljust(np.array(some[name].cast(pa.string()), str), WIDTHS[kind])
                for name, kind in columns().items()
            ]
            fixed.writelines(f"{''.join(line)}\n" for line in zip(*texts, strict=True))


def bare(folder: Path) -> int:
    return int(arrow_csv.read_csv(folder / "rows.csv").num_rows)


def connector(folder: Path, file: str, **options: str) -> int:
    kinds = {name: KINDS[kind] for name, kind in columns().items()}
    table = SourceTable(name="rows", source="files", table=file, columns=kinds, options=options)
    source = FileConnector(FileOptions(path=str(folder)), folder)
    rows = sum(batch.num_rows for batch in source.read(table, []))
    account = source.account(table)
    if account is None or account.records != rows:
        raise SystemExit(f"{file} is not accounted for: {account}")
    return rows


SIDES: dict[str, Callable[[Path], int]] = {
    "bare pyarrow.csv": bare,
    "csv": lambda folder: connector(folder, "rows.csv"),
    "fixed width": lambda folder: connector(folder, "rows.txt", layout="layout.csv"),
}


def timed(side: str, folder: Path, rows: int) -> tuple[float, float]:
    """Seconds, and seconds of the processor."""
    started, busy = time.perf_counter(), time.process_time()
    count = SIDES[side](folder)
    if count != rows:
        raise SystemExit(f"{side} gave {count:,} rows, not {rows:,}")
    return time.perf_counter() - started, time.process_time() - busy


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--quick", action="store_true", help="100,000 rows")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    rows = 100_000 if arguments.quick else arguments.rows
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), rows)
        rounds = [
            {side: timed(side, Path(name), rows) for side in SIDES} for _ in range(arguments.rounds)
        ]
    print(f"{rows:,} rows of {len(columns())} columns, {len(rounds)} rounds")
    missed = []
    for side in SIDES:
        wall = statistics.median(one[side][0] for one in rounds)
        busy = statistics.median(one[side][1] for one in rounds)
        ratio = statistics.median(one["bare pyarrow.csv"][0] / one[side][0] for one in rounds)
        print(f"  {side:18} {wall:7.2f} s, processor {busy:6.2f} s, {ratio:5.2f} of bare's speed")
        missed += [side] if ratio < AT_LEAST.get(side, 0) else []
    if missed:
        raise SystemExit(f"slower than promised: {', '.join(missed)}")


if __name__ == "__main__":
    main()
