"""Values a county and a part of King County in a process of its own; keeps what came out.

python -m tests.support.valued_again OUT --database URL --threads 2 --shuffle 7 [--king]
"""

import argparse
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from terrafusion_lib.plugins.api import PluginContext
from terrafusion_lib.plugins.valuation.model.markets import fit_markets
from terrafusion_lib.plugins.valuation.params import ValuationParams
from terrafusion_lib.plugins.valuation.plugin import plugin
from terrafusion_lib.store.store import open_store

COUNTY, YEAR = "demo_wa", 2026
FEWER = 4
"""One sale in so many of King County: enough for trees, and every processor takes a while."""


def shuffled(table: pa.Table, seed: int) -> pa.Table:
    """The rows in another order; as they are without a seed."""
    if not seed:
        return table
    return table.take(pa.array(np.random.default_rng(seed).permutation(table.num_rows)))


def county(out: Path, database: str, threads: int, seed: int) -> None:
    with open_store(database) as store:

        def read(table: str, columns: Sequence[str] | None = None) -> pa.Table:
            return shuffled(store.read(table, county_id=COUNTY, columns=columns), seed)

        context = PluginContext(
            county_id=COUNTY,
            assessment_year=YEAR,
            valuation_date=date(YEAR, 1, 1),
            run_id="again",
            read=read,
            threads=threads,
        )
        result = plugin.run(context, ValuationParams())
    for name, table in result.tables.items():
        pq.write_table(table, out / f"{name}.parquet")


def king(out: Path, threads: int) -> None:
    from benchmarks import king_county

    frame = king_county.read_sales().iloc[::FEWER].reset_index(drop=True)
    sales, test = king_county.as_sales(frame), king_county.splits(frame)["random"]
    market = fit_markets(sales.take(~test), ValuationParams(), seed=0, threads=threads)
    found = market["residential"].predict(sales.unit.take(test))
    units = sales.unit.take(test)
    low, high = market["residential"].uncertainty.interval(units, found, 0.9)
    columns = {"value": found.value, "comparable": found.comparable_value, "low": low, "high": high}
    pq.write_table(pa.table(columns), out / "king.parquet")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--database", required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--shuffle", type=int, default=0)
    parser.add_argument("--king", action="store_true")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True)
    county(asked.out, asked.database, asked.threads, asked.shuffle)
    if asked.king:
        king(asked.out, asked.threads)


if __name__ == "__main__":
    main()
