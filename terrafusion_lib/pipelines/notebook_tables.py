"""Results of finished steps as small tables for notebooks."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from terrafusion_lib.core.declared import result_step
from terrafusion_lib.pipelines.step import Step
from terrafusion_lib.results.reader import Results

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
    """Rules with findings in a validate step, worst first within errors and warnings."""
    results = json.loads((step.folder / "results.json").read_text(encoding="utf-8"))
    failed = [rule for rule in results["rules"] if not rule["passed"]]
    names = ("table", "rule", "severity", "failed", "checked", "because", "examples")
    ordered = sorted(failed, key=lambda rule: (rule["severity"], -rule["failed"], rule["rule"]))
    return [
        {name: rule[name] for name in names} | {"examples": ", ".join(rule["examples"][:3])}
        for rule in ordered
    ]


def ratios(step: Step) -> list[dict[str, Any]]:
    """Every statistic of the ratio study, in the order of the study."""
    return results(step).rows("ratio_statistics")


def valuations(step: Step) -> list[dict[str, Any]]:
    """Properties by valuation method: count and median value, US dollars."""
    with duckdb.connect() as database:
        methods = database.sql(
            """
            SELECT coalesce(valuation_method, 'not valued') AS method, count(*) AS properties,
                   round(median(estimated_value)) AS median_value,
                   round(avg(confidence_score), 2) AS mean_confidence,
                   count(review_reasons) AS to_review
            FROM read_parquet($path) GROUP BY ALL ORDER BY properties DESC, method
            """,
            params={"path": str(_values(step) / "valuations.parquet")},
        )
        listed: list[dict[str, Any]] = methods.to_arrow_table().to_pylist()
    return listed


def review_reasons(step: Step) -> list[dict[str, Any]]:
    """Reasons for review: properties with each reason, and with only that reason."""
    with duckdb.connect() as database:
        counted = database.sql(
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
        listed: list[dict[str, Any]] = counted.to_arrow_table().to_pylist()
    return listed


def results(step: Step) -> Results:
    """Results of the value step that just ran, or of the one that a later step uses."""
    return Results(step.county.county_id, step.run_id, step.settings, _values(step))


def analysis(step: Step, name: str, *, area: str, years: int = 2) -> list[dict[str, Any]]:
    """An analysis of the newest `years` up to the assessment year in the analytics database.

    Raises
    ------
    ConfigError
        The analysis or the area is unknown.
    LoadError
        The county's facts have not been loaded yet.
    """
    from terrafusion_lib.analytics.queries import analyze
    from terrafusion_lib.analytics.store import open_analytics

    with closing(open_analytics(step.settings)) as store:
        answer = analyze(
            store,
            name,
            county_id=step.county.county_id,
            first_year=step.year - years + 1,
            last_year=step.year,
            area=area,
        )
    listed: list[dict[str, Any]] = answer.to_pylist()
    return listed


def _values(step: Step) -> Path:
    values = result_step("valuation")
    return step.folder if step.name == values else step.input_folder(values)
