"""The connection check of a county: every requirement for reading its data, line by line."""

from collections.abc import Mapping
from contextlib import closing

from terrafusion_lib.connectors.protocol import Accounting, CheckItem, Connector
from terrafusion_lib.connectors.registry import open_source
from terrafusion_lib.core.county import CountyConfig
from terrafusion_lib.core.errors import TerraFusionError
from terrafusion_lib.core.raw import RawType, SourceFilter, SourceTable
from terrafusion_lib.core.settings import Settings

LAYERS = SourceTable(
    name="pacs_system",
    source="",
    table="pacs_system",
    columns={"appr_yr": RawType.INTEGER, "tax_yr": RawType.INTEGER},
)
CURRENT = "prop_supp_assoc"


def check_sources(
    county: CountyConfig, tables: Mapping[str, SourceTable], *, settings: Settings
) -> list[CheckItem]:
    """Driver, login, database, and every table and column that the mapping reads.

    Does not raise for anything missing at a source; the lines report it.

    Raises
    ------
    ConfigError
        The county's configuration is wrong.
    """
    items: list[CheckItem] = []
    for name in dict.fromkeys(table.source for table in tables.values()):
        wanted = [table for table in tables.values() if table.source == name]
        with closing(open_source(county, name, settings)) as connector:
            lines = connector.check()
            reached = not any(item.ok is False for item in lines)
            if all(table.optional for table in wanted):
                lines = [_unless_ok(item) for item in lines]
            if reached:
                lines += [_table_line(connector, table, county) for table in wanted]
                lines += _layer_lines(connector, county)
        items += [
            CheckItem(f"{name}: {item.name}", item.ok, item.detail, item.hint) for item in lines
        ]
    return items


def _unless_ok(item: CheckItem) -> CheckItem:
    """The same line for an optional source."""
    if item.ok:
        return item
    return CheckItem(item.name, None, f"{item.detail} (optional)", item.hint)


def _table_line(connector: Connector, table: SourceTable, county: CountyConfig) -> CheckItem:
    line = f"table {table.table}"
    try:
        connector.verify(table)
        if isinstance(connector, Accounting):
            detail = f"all {len(table.columns)} columns, {connector.look(table)}"
            return CheckItem(line, True, detail)
        rows = connector.row_estimate(table, [county.assessment_year])
    except TerraFusionError as error:
        return _failed(line, error)
    about = "unknown number of" if rows is None else f"about {rows:,}"
    return CheckItem(line, True, f"all {len(table.columns)} columns, {about} rows")


def _layer_lines(connector: Connector, county: CountyConfig) -> list[CheckItem]:
    """What PACS says about its year layers, if the source is PACS."""
    names = {name.rpartition(".")[2].casefold() for name in connector.tables()}
    if not {LAYERS.table, CURRENT} <= names:
        return []
    year = county.assessment_year
    try:
        rows = [row for batch in connector.read(LAYERS, [year]) for row in batch.to_pylist()]
        current = SourceTable(
            name=CURRENT,
            source="",
            table=CURRENT,
            columns={"prop_id": RawType.INTEGER},
            filters=(SourceFilter(kind="years", column="owner_tax_yr"),),
        )
        count = sum(batch.num_rows for batch in connector.read(current, [year]))
    except TerraFusionError as error:
        return [_failed("year layers", error)]
    appraised = ", ".join(str(row["appr_yr"]) for row in rows) or "no"
    return [
        _judged(
            "year layers",
            any(row["appr_yr"] == year for row in rows),
            f"PACS's appraisal year is {appraised}; county.yaml says assessment_year {year}",
            "correct assessment_year, or run with --year",
        ),
        _judged(
            "current supplement",
            count > 0,
            f"{count:,} properties have a current supplement in {year}",
            "check that PACS has created that year's layer",
        ),
    ]


def _judged(name: str, ok: bool, detail: str, hint: str) -> CheckItem:
    return CheckItem(name, ok, detail, "" if ok else hint)


def _failed(name: str, error: TerraFusionError) -> CheckItem:
    detail = error.what
    if error.column:
        detail += f": {error.column}"
    if error.cause and error.hint:
        detail += f"; {error.cause}"
    return CheckItem(name, False, detail, error.hint or error.cause or "")
