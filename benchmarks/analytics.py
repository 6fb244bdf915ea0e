"""Market aggregations over ten million synthetic sales on DuckDB and on ClickHouse's engine.

The sales lie in ten years and 200 neighborhoods. Each analysis runs through `analyze`, on two
threads; the best of three is shown, as a ratio to a bare scan of the same rows (count, sum and
plain mean by the same groups, no quantiles) on that engine. Where other processes hold the two
cores, elapsed time says little: processor time divided by two is what the analyses take on two
cores of their own, and is held against the limit of three seconds.

    python benchmarks/analytics.py [--rows 10000000] [--quick] [--engine duckdb|chdb|both]
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from terrafusion_lib.analytics.dialect import Dialect
from terrafusion_lib.analytics.queries import analyze
from terrafusion_lib.analytics.store import AnalyticsStore, open_analytics
from terrafusion_lib.core.settings import Settings
from tests.support.fact_rows import COUNTY, partition

YEARS = range(2015, 2025)
MARKET = ("sales_by_month", "price_trend")
LIMIT_SECONDS = 3.0
REPEATS = 3
THREADS = 2


def bare(dialect: Dialect) -> str:
    return f"""SELECT neighborhood_code, {dialect.month("sale_date")}, property_class, count(*),
      sum(adjusted_sale_price), avg(adjusted_sale_price) FROM fact_sales
      WHERE county_valid AND is_primary_parcel AND adjusted_sale_price > 0 GROUP BY 1, 2, 3"""


def best(work: Callable[[], object]) -> tuple[float, float]:
    """Least elapsed seconds, and least processor seconds divided by the threads."""
    elapsed, used = [], []
    for _ in range(REPEATS):
        start, processor = time.perf_counter(), time.process_time()
        work()
        elapsed.append(time.perf_counter() - start)
        used.append((time.process_time() - processor) / THREADS)
    return min(elapsed), min(used)


def ask(store: AnalyticsStore, name: str) -> Callable[[], object]:
    first, last = YEARS[0], YEARS[-1]
    return lambda: analyze(store, name, county_id=COUNTY, first_year=first, last_year=last)


def measure(settings: Settings, label: str, rows: int) -> None:
    store = open_analytics(settings)
    start = time.perf_counter()
    each = rows // len(YEARS)
    store.apply(partition("fact_sales", year, each, codes=200) for year in YEARS)
    loaded = time.perf_counter() - start
    print(f"{label}: {each * len(YEARS):,} sales made, loaded and checked in {loaded:.1f} s")
    _, limit = best(lambda: store.query(bare(store.dialect), {}))
    totals = [0.0, 0.0]
    for name in MARKET:
        elapsed, used = best(ask(store, name))
        totals = [totals[0] + elapsed, totals[1] + used]
        print(
            f"  {name:16} {elapsed:5.2f} s elapsed, {used:5.2f} s of two cores, "
            f"{used / limit:4.1f} times a bare scan"
        )
    verdict = "within" if totals[1] <= LIMIT_SECONDS else "OVER"
    print(
        f"  together         {totals[0]:5.2f} s elapsed, {totals[1]:5.2f} s of two cores, "
        f"{verdict} {LIMIT_SECONDS:.0f} s"
    )
    store.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--engine", choices=("duckdb", "chdb", "both"), default="both")
    options = parser.parse_args()
    rows = 500_000 if options.quick else options.rows
    with tempfile.TemporaryDirectory() as folder:
        for engine in ("duckdb", "chdb") if options.engine == "both" else (options.engine,):
            url = f"chdb://{folder}/clickhouse" if engine == "chdb" else ""
            settings = Settings(
                root=Path(folder), data_dir=Path(folder), analytics_url=url, threads=THREADS
            )
            measure(settings, engine, rows)


if __name__ == "__main__":
    main()
