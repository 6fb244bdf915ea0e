"""One million rows through more than thirty rules: the set engine, Great Expectations on DuckDB,
and, for the same rules, Great Expectations on a pandas frame.

The raw limit is DuckDB reading every column of the Parquet file once.

    python benchmarks/validation.py            one million rows
    python benchmarks/validation.py --quick    one hundred thousand
"""

import argparse
import contextlib
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from resident import peak_mb

from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.core.tables import Kind
from terrafusion_lib.validation.check import check_table
from terrafusion_lib.validation.expressions import NUMBERS, Scope
from terrafusion_lib.validation.great_expectations_engine import evaluate, expectation
from terrafusion_lib.validation.rules import Between, InSet, Matches, NotNull
from terrafusion_lib.validation.session import Session, open_session
from terrafusion_lib.validation.suites import Suite, complete, load_suites, schema_rules
from terrafusion_lib.validation.validate import validate_tables

ROOT = Path(__file__).resolve().parents[1]
TABLE = TABLES["properties_operational"]
PARAMETERS = complete({"county_id": "benton_wa", "assessment_year": 2026})
SQL_TYPES = {
    Kind.TEXT: "VARCHAR",
    Kind.JSON: "VARCHAR",
    Kind.INTEGER: "BIGINT",
    Kind.NUMBER: "DOUBLE",
    Kind.MONEY: "DOUBLE",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE",
}
COLUMNS = {
    "county_id": "'benton_wa'",
    "property_id": "CAST(100000 + i AS VARCHAR)",
    "parcel_number": "lpad(CAST(i * 7919 % 10000019 AS VARCHAR), 15, '1')",
    "situs_address": "concat(i, ' W ', i % 89, 'TH AVE, KENNEWICK, WA 99336')",
    "situs_city": "'KENNEWICK'",
    "situs_state": "'WA'",
    "situs_zip": "CASE WHEN i % 50000 = 7 THEN '12345' ELSE '99336' END",
    "property_type": "['residential', 'manufactured_home', 'multifamily'][1 + i % 3]",
    "property_class": "['11', '18', '12'][1 + i % 3]",
    "neighborhood_code": "CAST(122000 + i % 97 AS VARCHAR)",
    "inspection_cycle": "1 + i % 6",
    "tax_area": "concat('K', i % 20)",
    "legal_description": "concat('LOT ', i % 60, ' BLOCK ', i % 31, ' PLAT OF DEMO NO ', i % 997)",
    "land_area_sqft": "6000 + (i * 31) % 9000",
    "building_area_sqft": "900 + (i * 17) % 2300",
    "year_built": "CASE WHEN i % 40000 = 3 THEN 2090 ELSE 1950 + i % 70 END",
    "effective_year_built": "1960 + i % 60",
    "stories": "1 + i % 2",
    "bedrooms": "CASE WHEN i % 60000 = 5 THEN 33 ELSE 1 + i % 5 END",
    "bathrooms": "1 + (i % 5) / 2.0",
    "quality": "30",
    "condition": "1 + i % 5",
    "view_rating": "i % 5",
    "land_value": "60000 + (i * 13) % 90000",
    "improvement_value": "200000 + (i * 29) % 400000",
    "current_market_value": "260000 + (i * 13) % 90000 + (i * 29) % 400000",
    "assessed_value": "260000 + (i * 13) % 90000 + (i * 29) % 400000",
    "taxable_value": "250000 + (i * 13) % 90000 + (i * 29) % 400000",
    "new_construction_value": "0",
    "prior_market_value": "250000 + (i * 13) % 90000 + (i * 29) % 400000",
    "assessment_year": "2026",
    "tax_year": "2027",
    "last_sale_id": "CAST(300000 + i AS VARCHAR)",
    "last_sale_date": "DATE '2020-01-01' + CAST(i % 2000 AS INTEGER)",
    "last_sale_price": "240000 + (i * 37) % 500000",
    "is_exempt": "false",
    "owner_name": "concat('OWNER ', i % 400000)",
    "owner_is_confidential": "false",
    "latitude": "46.15 + (i % 2000) / 10000.0",
    "longitude": "-119.4 + (i % 3000) / 10000.0",
    "source_year": "2026",
    "source_sup_num": "0",
    "data_source": "'pacs_oltp@2026/0'",
    "extended_attributes": "concat('{\"fireplaces\": ', i % 3, '}')",
}


def write_rows(path: Path, rows: int) -> None:
    """A roll with a few faults, streamed to Parquet in the canonical schema."""
    parts = [
        f"CAST({COLUMNS.get(column.name, 'NULL')} AS {SQL_TYPES[column.kind]}) AS {column.name}"
        for column in TABLE.columns
    ]
    schema = TABLE.arrow_schema()
    reader = duckdb.sql(f"SELECT {', '.join(parts)} FROM range({rows}) t(i)").to_arrow_reader(65536)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(pa.record_batch(batch.columns, schema=schema))


def plain_suite() -> Suite:
    """Rules that both Great Expectations engines have expectations for: no conditions, no SQL."""
    common = {"severity": "error", "because": "A rule of the benchmark."}
    rules = [rule for rule in schema_rules(TABLE) if rule.kind != "finite"]
    for column in TABLE.columns:
        name = column.name
        if column.kind in NUMBERS and name in COLUMNS:
            limits = {"min": -1_000, "max": 1_000_000}
            rules.append(
                Between(name=f"{name}_range", kind="between", column=name, **limits, **common)
            )
    rules += [
        NotNull(name=f"{name}_present", kind="not_null", column=name, **common)
        for name in ("parcel_number", "situs_address", "neighborhood_code", "owner_name")
    ]
    zips = {"column": "situs_zip", "pattern": "99[0-4][0-9]{2}"}
    rules.append(Matches(name="zip", kind="matches", **zips, **common))
    types = ("residential", "manufactured_home")
    rules.append(InSet(name="type", kind="in_set", column="property_type", values=types, **common))
    return Suite(TABLE.name, "benchmark", tuple(rules))


def timed(label: str, rules: int, work: Callable[[], object], limit: float | None = None) -> float:
    """Run, print seconds and the ratio to the raw limit."""
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    ratio = f"{seconds / limit:6.1f} x the raw limit" if limit else ""
    print(f"{label:<52} {rules:>4} rules {seconds:7.2f} s  {ratio}")
    return seconds


@contextlib.contextmanager
def session(path: Path, folder: Path) -> Iterator[Session]:
    with open_session({TABLE.name: path}, None, folder, Settings()) as opened:
        yield opened


def on_duckdb(path: Path, folder: Path, suite: Suite) -> None:
    with session(path, folder) as opened:
        evaluate(opened, [suite], PARAMETERS)


def on_pandas(path: Path, suite: Suite) -> None:
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("frame").add_dataframe_asset("frame")
    batch = asset.add_batch_definition_whole_dataframe("all")
    scope = Scope(TABLE, PARAMETERS)
    rules = [expectation(rule, scope) for rule in suite.rules]
    compiled = context.suites.add(gx.ExpectationSuite(name="frame", expectations=rules))
    definition = gx.ValidationDefinition(name="frame", data=batch, suite=compiled)
    frame = pq.read_table(path).to_pandas()
    context.validation_definitions.add(definition).run(
        batch_parameters={"dataframe": frame}, result_format="SUMMARY"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true")
    rows = 100_000 if parser.parse_args().quick else 1_000_000
    logging.disable(logging.WARNING)
    suites = load_suites(ROOT / "expectations")
    shipped, plain = suites[TABLE.name], plain_suite()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        path = folder / "roll.parquet"
        write_rows(path, rows)
        columns = ", ".join(f"max({column.name})" for column in TABLE.columns)
        print(f"{rows:,} rows of {len(TABLE.columns)} columns")
        with session(path, folder) as opened:
            scan = f"SELECT {columns} FROM checked.{TABLE.name}"
            limit = timed("raw limit: read every column", 0, lambda: opened.rows(scan))
            timed(
                "set engine, shipped suite",
                len(shipped.rules),
                lambda: check_table(opened, shipped, PARAMETERS),
                limit,
            )
        timed(
            "set engine, shipped suite, with all it writes",
            len(shipped.rules),
            lambda: validate_tables(
                {TABLE.name: shipped},
                {TABLE.name: path},
                folder / "out",
                parameters=PARAMETERS,
                settings=Settings(),
                data_docs=False,
            ),
            limit,
        )
        with session(path, folder) as opened:
            timed(
                "set engine, plain rules",
                len(plain.rules),
                lambda: check_table(opened, plain, PARAMETERS),
                limit,
            )
        import_time = timed(
            "import great_expectations", 0, lambda: __import__("great_expectations")
        )
        timed(
            "Great Expectations on DuckDB, shipped suite",
            len(shipped.rules),
            lambda: on_duckdb(path, folder, shipped),
            limit,
        )
        ours = timed(
            "Great Expectations on DuckDB, plain rules",
            len(plain.rules),
            lambda: on_duckdb(path, folder, plain),
            limit,
        )
        memory = peak_mb()
        peer = timed(
            "Great Expectations on a pandas frame, plain rules",
            len(plain.rules),
            lambda: on_pandas(path, plain),
            limit,
        )
        frame = peak_mb()
        print(f"on DuckDB in {ours / peer:.2f} of the time on the frame")
        print(f"peak memory {memory:,.0f} MB without the frame, {frame:,.0f} MB with it")
        print(f"(the import, {import_time:.1f} s, is paid once per run)")


if __name__ == "__main__":
    main()
