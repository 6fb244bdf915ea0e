"""What a mapping does not cover: columns it does not read, codes it does not know."""

from typing import Any

import pyarrow.parquet as pq

from terrafusion_lib.access.decide import require
from terrafusion_lib.access.grants import RUN, VIEW_RUNS, VIEW_SENSITIVE
from terrafusion_lib.connectors.registry import open_source
from terrafusion_lib.core.config import did_you_mean, nearest
from terrafusion_lib.core.county import CountyConfig
from terrafusion_lib.core.errors import RunError
from terrafusion_lib.core.schema import PERSONAL, TABLES
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.mappers.mapping import load_mapping
from terrafusion_lib.results.products import MAP, StepRecord, latest_record, product_folder

CANONICAL_COLUMNS = sorted({name for table in TABLES.values() for name in table.column_names})
HIDDEN = f"hidden: needs {VIEW_SENSITIVE}"


def unmapped_columns(county: CountyConfig, settings: Settings) -> list[dict[str, Any]]:
    """Columns of the source tables that the mapping does not read, with the closest canonical
    column.

    Raises
    ------
    AccessDeniedError
        The user may not run the county's steps.
    ConnectError
        The source cannot be reached.
    """
    require(settings, county.county_id, RUN)
    tables = load_mapping(county.mapping).source_tables()
    rows = []
    for source in dict.fromkeys(table.source for table in tables.values()):
        connector = open_source(county, source, settings)
        try:
            for table in (table for table in tables.values() if table.source == source):
                known = {name.casefold() for name in table.columns}
                rows += [
                    {
                        "table": table.name,
                        "column": column.name,
                        "type": column.type,
                        "nearest of ours": ", ".join(nearest(column.name, CANONICAL_COLUMNS)),
                    }
                    for column in connector.columns(table.table)
                    if column.name.casefold() not in known
                ]
        finally:
            connector.close()
    return rows


def unmapped_codes(county: CountyConfig, settings: Settings) -> list[dict[str, Any]]:
    """Codes in the last mapped extract that are missing from their value map, most rows first.

    Raises
    ------
    AccessDeniedError
        The user may not view the county's runs.
    RunError
        Nothing has been mapped yet.
    """
    require(settings, county.county_id, VIEW_RUNS)
    record = _last_map(county, settings)
    folder = product_folder(settings, county.county_id, MAP, record.fingerprint)
    maps = load_mapping(county.mapping).value_maps
    rows = []
    for row in pq.read_table(folder / "unmapped_codes.parquet").to_pylist():
        known = list(maps[row["value_map"]].values) if row["value_map"] in maps else []
        rows.append(row | {"nearest known": ", ".join(nearest(row["code"], known, count=3))})
    return sorted(rows, key=lambda row: (-row["rows"], row["table_name"], row["code"]))


def preview(
    county: CountyConfig, settings: Settings, table: str, *, rows: int
) -> list[dict[str, Any]]:
    """The first rows of a canonical table as last mapped, without empty columns.

    Personal data are `HIDDEN` from users who may not view them.

    Raises
    ------
    AccessDeniedError
        The user may not view the county's runs.
    RunError
        Nothing has been mapped yet, or the mapping does not have this table.
    """
    granted = require(settings, county.county_id, VIEW_RUNS)
    record = _last_map(county, settings)
    if table not in record.rows:
        raise RunError(
            f"The mapping has no table {table!r}",
            county=county.county_id,
            examples=list(record.rows),
            hint=did_you_mean(table, record.rows),
        )
    folder = product_folder(settings, county.county_id, MAP, record.fingerprint)
    listed = next(pq.ParquetFile(folder / f"{table}.parquet").iter_batches(rows), None)
    first_rows: list[dict[str, Any]] = listed.to_pylist() if listed is not None else []
    filled = [
        name
        for name in (first_rows[0] if first_rows else ())
        if any(row[name] for row in first_rows)
    ]
    hidden = frozenset() if VIEW_SENSITIVE in granted else PERSONAL
    return [
        {name: HIDDEN if name in hidden else row[name] for name in filled if name != "geometry"}
        for row in first_rows
    ]


def _last_map(county: CountyConfig, settings: Settings) -> StepRecord:
    record = latest_record(settings, county.county_id, MAP)
    if record is None:
        raise RunError(
            "Nothing has been mapped yet",
            county=county.county_id,
            hint=f"terrafusion run {county.county_id} --to map",
        )
    return record
