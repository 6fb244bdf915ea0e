"""Finished steps as small tables that notebooks show."""

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from terrafusion_lib.core.config import nearest
from terrafusion_lib.access.decide import require
from terrafusion_lib.access.grants import VIEW_SENSITIVE
from terrafusion_lib.core.errors import RunError
from terrafusion_lib.core.schema import PERSONAL, TABLES
from terrafusion_lib.core.settings import Settings, get_settings
from terrafusion_lib.pipelines.plan import latest_record
from terrafusion_lib.pipelines.step import VALUE, Step, product_folder, read_record

if TYPE_CHECKING:
    from terrafusion_lib.plugins.valuation.workbench.workbench import Workbench

VIEW_VALUES = "valuation:view"


def quarantined(step: Step, *, rows: int = 10) -> list[dict[str, Any]]:
    """The first quarantined rows of a validate step: table, rule, reason and source key."""
    table = pq.read_table(
        step.folder / "quarantine.parquet",
        columns=["table_name", "rule", "reason", "source_key"],
    )
    listed: list[dict[str, Any]] = table.slice(0, rows).to_pylist()
    return listed


def rules(step: Step) -> list[dict[str, Any]]:
    """Rules that found something in a validate step, worst first within errors and warnings."""
    results = json.loads((step.folder / "results.json").read_text(encoding="utf-8"))
    found = [rule for rule in results["rules"] if not rule["passed"]]
    names = ("table", "rule", "severity", "failed", "checked", "because", "examples")
    ordered = sorted(found, key=lambda rule: (rule["severity"], -rule["failed"], rule["rule"]))
    return [
        {name: rule[name] for name in names} | {"examples": ", ".join(rule["examples"][:3])}
        for rule in ordered
    ]


def ratios(step: Step) -> list[dict[str, Any]]:
    """Every statistic of the ratio study, in the order of the study."""
    return results(step).rows("ratio_statistics")


def valuations(step: Step) -> list[dict[str, Any]]:
    """Properties by valuation method: how many, and the median value, US dollars."""
    with duckdb.connect() as database:
        found = database.sql(
            """
            SELECT coalesce(valuation_method, 'not valued') AS method, count(*) AS properties,
                   round(median(estimated_value)) AS median_value,
                   round(avg(confidence_score), 2) AS mean_confidence,
                   count(review_reasons) AS to_review
            FROM read_parquet($path) GROUP BY ALL ORDER BY properties DESC, method
            """,
            params={"path": str(_values(step) / "valuations.parquet")},
        )
        listed: list[dict[str, Any]] = found.to_arrow_table().to_pylist()
    return listed


def review_reasons(step: Step) -> list[dict[str, Any]]:
    """Reasons for review: properties that have each, and those that have no other."""
    with duckdb.connect() as database:
        found = database.sql(
            """
            WITH flagged AS (
                SELECT string_split(review_reasons, ',') AS reasons
                FROM read_parquet($path) WHERE review_reasons IS NOT NULL
            ), listed AS (SELECT unnest(reasons) AS reason, len(reasons) AS count FROM flagged)
            SELECT reason, count(*) AS properties,
                   count(*) FILTER (count = 1) AS for_this_reason_alone
            FROM listed GROUP BY reason ORDER BY properties DESC, reason
            """,
            params={"path": str(_values(step) / "valuations.parquet")},
        )
        listed: list[dict[str, Any]] = found.to_arrow_table().to_pylist()
    return listed


@dataclass(frozen=True)
class Results:
    """The result tables and models of a finished value step."""

    county_id: str
    run_id: str
    folder: Path
    settings: Settings

    def rows(self, name: str, **equals: object) -> list[dict[str, Any]]:
        """Rows of a result table, those whose columns equal what is given.

        Raises
        ------
        RunError
            There is no such table or column, or the value is not of the column's type.
        """
        path = self.folder / f"{name}.parquet"
        if not path.is_file():
            raise RunError(
                f"There is no result table {name}",
                county=self.county_id,
                step=VALUE,
                examples=sorted(found.stem for found in self.folder.glob("*.parquet")),
            )
        wanted = _filter(name, pq.read_schema(path), equals)
        listed: list[dict[str, Any]] = pq.read_table(path, filters=wanted).to_pylist()
        return listed

    def properties(self, columns: Sequence[str]) -> pa.Table:
        """Columns of the county's active properties.

        Raises
        ------
        AccessDeniedError
            A column is about a person, and this one may not view personal data.
        RunError
            There is no such column.
        """
        _refuse_unknown(
            "properties_operational", TABLES["properties_operational"].column_names, columns
        )
        if not PERSONAL.isdisjoint(columns):
            require(self.settings, self.county_id, VIEW_SENSITIVE)
        from terrafusion_lib.store.store import open_store

        with open_store(self.settings.operational_database_url) as store:
            return store.read(
                "properties_operational", county_id=self.county_id, columns=tuple(columns)
            )

    def places(self, study: str) -> list[dict[str, Any]]:
        """Ratios of a study with the latitude and longitude of what was sold."""
        where = self.properties(("property_id", "latitude", "longitude"))
        ratios = pq.read_table(
            self.folder / "sale_ratios.parquet", filters=[("study", "=", study)]
        ).select(["property_id", "sale_id", "ratio"])
        joined = ratios.join(where, "property_id", join_type="inner")
        listed: list[dict[str, Any]] = joined.sort_by("sale_id").to_pylist()
        return listed

    def workbench(self) -> "Workbench":
        """The fitted models over the county's active properties."""
        from terrafusion_lib.plugins.valuation.model.saved_model import FILE_NAME, load_markets
        from terrafusion_lib.plugins.valuation.sales.prepare import PROPERTY_COLUMNS
        from terrafusion_lib.plugins.valuation.subjects import Origin
        from terrafusion_lib.plugins.valuation.workbench.workbench import Workbench

        markets, about = load_markets(self.folder / FILE_NAME)
        day = date.fromisoformat(about["valuation_date"])
        origin = Origin(float(about["latitude"]), float(about["longitude"]))
        return Workbench.open(self.properties(PROPERTY_COLUMNS), day, markets, origin)


def results(step: Step) -> Results:
    """Results of a value step that has just run, or of the one that a later step builds on."""
    return Results(step.county.county_id, step.run_id, _values(step), step.settings)


def latest_results(county: str, year: int | None = None) -> Results:
    """Results of the county's newest valuation, whoever ran it, to explore.

    Raises
    ------
    AccessDeniedError
        The person may not view the county's values.
    RunError
        The county has not been valued, or not for that year.
    """
    settings = get_settings()
    require(settings, county, VIEW_VALUES)
    record = latest_record(settings, county, VALUE, str(year) if year else None)
    if record is None:
        raise _no_values(settings, county, year)
    folder = product_folder(settings, county, VALUE, record.fingerprint)
    return Results(county, record.run_id, folder, settings)


def _no_values(settings: Settings, county: str, year: int | None) -> RunError:
    """The error of a county without values; says which years have some."""
    found = (settings.county_data(county) / "steps" / VALUE).glob("[!.]*")
    records = [record for record in map(read_record, found) if record]
    years = sorted({record.assessment_year for record in records})
    if not years:
        return RunError(
            "There are no values to explore", county=county, hint=f"terrafusion run {county}"
        )
    valued = ", ".join(map(str, years))
    return RunError(
        f"There are no values of {year} to explore, but of {valued}",
        county=county,
        hint=f"year = {years[-1]}, or terrafusion run {county} --year {year}",
    )


def _filter(name: str, schema: pa.Schema, equals: Mapping[str, object]) -> pc.Expression | None:
    """The rows whose columns equal what is given; None for all rows."""
    _refuse_unknown(name, schema.names, equals)
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
            f"{value!r} is not of the column's type, {field.type}",
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


def analysis(step: Step, name: str, *, area: str, years: int = 2) -> list[dict[str, Any]]:
    """An analysis of the analytics database over the newest `years` up to the assessment year.

    Raises
    ------
    ConfigError
        The analysis or the area is unknown.
    LoadError
        The county's facts have not been brought yet.
    """
    from terrafusion_lib.analytics.queries import analyze
    from terrafusion_lib.analytics.store import open_analytics

    with closing(open_analytics(step.settings)) as store:
        found = analyze(
            store,
            name,
            county_id=step.county.county_id,
            first_year=step.year - years + 1,
            last_year=step.year,
            area=area,
        )
    listed: list[dict[str, Any]] = found.to_pylist()
    return listed


def _values(step: Step) -> Path:
    return step.folder if step.name == VALUE else step.input_folder(VALUE)
