"""The one reader of stored results, for notebooks, dashboards, exports and the command line."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from terrafusion_lib.access.decide import require
from terrafusion_lib.access.grants import VIEW_SENSITIVE
from terrafusion_lib.core.config import nearest
from terrafusion_lib.core.declared import result_step, result_tables
from terrafusion_lib.core.errors import RunError
from terrafusion_lib.core.schema import PERSONAL, TABLES
from terrafusion_lib.core.settings import Settings, get_settings
from terrafusion_lib.results.current import current_run, run_summary
from terrafusion_lib.results.products import latest_record, product_folder, records_of
from terrafusion_lib.store.store import open_store

ROLL = "properties_operational"


@dataclass(frozen=True)
class Results:
    """Result tables stored under one run id.

    `folder` is the product of the step that produced them, with the same tables as Parquet files
    and any other files of the plugin; None if no step did.
    """

    county_id: str
    run_id: str
    settings: Settings
    folder: Path | None = None

    def table(
        self, name: str, /, columns: Sequence[str] | None = None, **equals: object
    ) -> pa.Table:
        """A result table: the requested columns of the rows that match the given values.

        Raises
        ------
        RunError
            There is no such table or column, or a value does not match its column's type.
        """
        spec = result_tables().get(name)
        if spec is None:
            raise RunError(
                f"There is no result table {name}",
                county=self.county_id,
                examples=nearest(name, result_tables(), count=5) or list(result_tables()),
            )
        schema = spec.arrow_schema()
        _refuse_unknown(name, schema.names, (*(columns or ()), *equals))
        wanted = _filter(name, schema, equals)
        path = self.folder / f"{name}.parquet" if self.folder else None
        if path is not None and path.is_file():
            return pq.read_table(path, columns=list(columns) if columns else None, filters=wanted)
        read = [*dict.fromkeys((*columns, *equals))] if columns else None
        with open_store(self.settings.operational_database_url) as store:
            table = store.read_results(
                name, county_id=self.county_id, run_id=self.run_id, columns=read
            )
        table = table if wanted is None else table.filter(wanted)
        return table.select(list(columns)) if columns else table

    def rows(self, name: str, **equals: object) -> list[dict[str, Any]]:
        """Rows of a result table that match the given values; see `table`."""
        listed: list[dict[str, Any]] = self.table(name, None, **equals).to_pylist()
        return listed

    def located(self, name: str, **equals: object) -> list[dict[str, Any]]:
        """Rows of a result table of properties, with the latitude and longitude of each."""
        places = self.properties(("property_id", "latitude", "longitude"))
        table = self.table(name, None, **equals)
        joined = table.join(places, "property_id", join_type="inner").select(
            [*table.column_names, "latitude", "longitude"]
        )
        keys = [(key, "ascending") for key in result_tables()[name].key]
        listed: list[dict[str, Any]] = joined.sort_by(keys).to_pylist()
        return listed

    def properties(self, columns: Sequence[str]) -> pa.Table:
        """Columns of the county's active properties.

        Raises
        ------
        AccessDeniedError
            A column is personal data that the user may not view.
        RunError
            There is no such column.
        """
        _refuse_unknown(ROLL, TABLES[ROLL].column_names, columns)
        if not PERSONAL.isdisjoint(columns):
            require(self.settings, self.county_id, VIEW_SENSITIVE)
        with open_store(self.settings.operational_database_url) as store:
            return store.read(ROLL, county_id=self.county_id, columns=tuple(columns))


def latest_results(county: str, year: int | None = None, *, plugin: str = "valuation") -> Results:
    """Results of the newest run of a plugin's step, by any user, for exploration.

    Raises
    ------
    AccessDeniedError
        The user may not view the plugin's results in the county.
    RunError
        There are none, or none for that year.
    """
    settings = get_settings()
    require(settings, county, f"{plugin}:view")
    step = result_step(plugin)
    record = latest_record(settings, county, step, str(year) if year else None)
    if record is None:
        raise _no_results(settings, county, step, year)
    folder = product_folder(settings, county, step, record.fingerprint)
    return Results(county, record.run_id, settings, folder)


def promoted_results(
    settings: Settings, county: str, run_id: str | None = None
) -> tuple[dict[str, Any], Results]:
    """Summary and results of the county's promoted run, or of one run by id.

    Raises
    ------
    RunError
        The county has no such run yet.
    """
    folder = settings.county_data(county) / "runs" / run_id if run_id else None
    summary = run_summary(folder or current_run(settings, county))
    if summary is None:
        raise RunError(
            "There is no finished run to show", county=county, hint=f"terrafusion run {county}"
        )
    return summary, Results(county, summary["results_run_id"], settings)


def _no_results(settings: Settings, county: str, step: str, year: int | None) -> RunError:
    """The error for a county without results; lists the years that have some."""
    years = sorted({record.assessment_year for record in records_of(settings, county, step)})
    if not years:
        return RunError(
            "There are no values to explore", county=county, hint=f"terrafusion run {county}"
        )
    valued = ", ".join(map(str, years))
    return RunError(
        f"There are no values of {year} to explore; values exist for {valued}",
        county=county,
        hint=f"year = {years[-1]}, or terrafusion run {county} --year {year}",
    )


def _filter(name: str, schema: pa.Schema, equals: Mapping[str, object]) -> pc.Expression | None:
    """Filter for the rows that match the given values; None for all rows."""
    wanted = None
    for column, value in equals.items():
        part = _equal(name, schema.field(column), value)
        wanted = part if wanted is None else wanted & part
    return wanted


def _equal(name: str, field: pa.Field, value: object) -> pc.Expression:
    if value is None:
        return pc.field(field.name).is_null()
    try:
        return pc.field(field.name) == pa.scalar(value, field.type)
    except pa.ArrowException as error:
        wanted = f'{field.name}="{value}"' if pa.types.is_string(field.type) else None
        raise RunError(
            f"{value!r} does not match the column's type, {field.type}",
            table=name,
            column=field.name,
            hint=wanted,
        ) from error


def _refuse_unknown(table: str, known: Sequence[str], asked: Iterable[str]) -> None:
    for column in asked:
        if column not in known:
            raise RunError(
                f"There is no column {column!r}",
                table=table,
                examples=nearest(column, known, count=5) or known,
            )
