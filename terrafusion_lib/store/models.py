"""The operational database: canonical tables with housekeeping, results, ledger, jobs, audit."""

from typing import Any

import sqlalchemy as sa

from terrafusion_lib.core.result_tables import RESULT_TABLES
from terrafusion_lib.core.schema import TABLES, CanonicalTable, Kind

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

TYPES: dict[Kind, sa.types.TypeEngine[Any]] = {
    Kind.TEXT: sa.Text(),
    Kind.INTEGER: sa.BigInteger(),
    Kind.NUMBER: sa.Double(),
    Kind.MONEY: sa.Double(),
    Kind.BOOLEAN: sa.Boolean(),
    Kind.DATE: sa.Date(),
    Kind.JSON: sa.Text(),
    Kind.GEOMETRY: sa.LargeBinary(),
}

INDEXES = {
    "properties_operational": (("county_id", "parcel_number"), ("county_id", "neighborhood_code")),
    "sales": (("county_id", "property_id"),),
    "parcels_geometry": (("county_id", "property_id"),),
}

JOB_STATES = ("PENDING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED")


def _moment(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _columns(spec: CanonicalTable) -> list[sa.Column[Any]]:
    return [
        sa.Column(c.name, TYPES[c.kind], primary_key=c.name in spec.key, nullable=c.nullable)
        for c in spec.columns
    ]


def _canonical(spec: CanonicalTable) -> sa.Table:
    """A canonical table, and the columns that the bulk writer adds to it.

    They hold the hash of the canonical columns, whether the source still has the row, the run that
    last wrote it, and when.
    """
    housekeeping = [
        sa.Column("row_hash", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("last_sync_id", sa.Text(), nullable=False),
        _moment("loaded_at", nullable=False),
    ]
    columns = [*_columns(spec), *housekeeping]
    table: sa.Table = sa.Table(spec.name, metadata, *columns)
    for names in INDEXES.get(spec.name, ()):
        sa.Index(None, *(table.c[name] for name in names))
    return table


CANONICAL = {spec.name: _canonical(spec) for spec in TABLES.values()}
RESULTS = {
    spec.name: sa.Table(spec.name, metadata, *_columns(spec)) for spec in RESULT_TABLES.values()
}

quarantine = sa.Table(
    "quarantine",
    metadata,
    sa.Column("run_id", sa.Text(), primary_key=True),
    sa.Column("county_id", sa.Text(), primary_key=True),
    sa.Column("number", sa.BigInteger(), primary_key=True, autoincrement=False),
    sa.Column("table_name", sa.Text(), nullable=False),
    sa.Column("rule", sa.Text(), nullable=False),
    sa.Column("reason", sa.Text(), nullable=False),
    sa.Column("severity", sa.Text(), nullable=False),
    sa.Column("source_key", sa.Text()),
    sa.Column("row_json", sa.Text()),
)

load_runs = sa.Table(
    "load_runs",
    metadata,
    sa.Column("load_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
    sa.Column("run_id", sa.Text(), nullable=False),
    sa.Column("county_id", sa.Text(), nullable=False, index=True),
    sa.Column("fingerprint", sa.Text(), nullable=False),
    _moment("loaded_at", nullable=False),
    sa.Column("counts_json", sa.Text(), nullable=False),
)

pipeline_runs = sa.Table(
    "pipeline_runs",
    metadata,
    sa.Column("run_id", sa.Text(), primary_key=True),
    sa.Column("county_id", sa.Text(), nullable=False, index=True),
    sa.Column("assessment_year", sa.BigInteger(), nullable=False),
    sa.Column("status", sa.Text(), nullable=False),
    _moment("started_at", nullable=False),
    _moment("finished_at"),
    _moment("promoted_at"),
    sa.Column("username", sa.Text(), nullable=False),
    sa.Column("note", sa.Text(), nullable=False),
    sa.Column("parameters_json", sa.Text(), nullable=False),
    sa.Column("versions_json", sa.Text(), nullable=False),
    sa.Column("code_fingerprint", sa.Text(), nullable=False),
    sa.Column("input_fingerprint", sa.Text(), nullable=False),
    sa.Column("message", sa.Text(), nullable=False),
)

pipeline_steps = sa.Table(
    "pipeline_steps",
    metadata,
    sa.Column("run_id", sa.Text(), sa.ForeignKey("pipeline_runs.run_id"), primary_key=True),
    sa.Column("step", sa.Text(), primary_key=True),
    sa.Column("ordinal", sa.BigInteger(), nullable=False),
    sa.Column("status", sa.Text(), nullable=False),
    sa.Column("reason", sa.Text(), nullable=False),
    sa.Column("fingerprint", sa.Text(), nullable=False),
    sa.Column("seconds", sa.Double(), nullable=False),
    sa.Column("rows_json", sa.Text(), nullable=False),
    sa.Column("outputs_json", sa.Text(), nullable=False),
)

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("job_id", sa.Text(), primary_key=True),
    sa.Column("plugin", sa.Text(), nullable=False),
    sa.Column("county_id", sa.Text(), nullable=False, index=True),
    sa.Column("status", sa.Text(), nullable=False),
    sa.Column("username", sa.Text(), nullable=False),
    sa.Column("parameters_json", sa.Text(), nullable=False),
    sa.Column("versions_json", sa.Text(), nullable=False),
    sa.Column("input_fingerprint", sa.Text()),
    sa.Column("progress", sa.Double(), nullable=False),
    sa.Column("result_location", sa.Text()),
    sa.Column("reason_code", sa.Text()),
    sa.Column("message", sa.Text()),
    _moment("created_at", nullable=False),
    _moment("started_at"),
    _moment("finished_at"),
    _moment("heartbeat_at"),
    sa.CheckConstraint(f"status IN {JOB_STATES}", name="status"),
)


def _job_table(name: str, *columns: sa.Column[Any]) -> sa.Table:
    """A table that joins `jobs` one to one with what one plugin's jobs hold."""
    key = sa.Column("job_id", sa.Text(), sa.ForeignKey("jobs.job_id"), primary_key=True)
    return sa.Table(name, metadata, key, *columns)


JOB_TABLES = {
    "valuation": _job_table(
        "valuation_jobs",
        sa.Column("property_id", sa.Text()),
        sa.Column("valuation_method_hint", sa.Text()),
        sa.Column("estimated_value", sa.Double()),
        sa.Column("confidence_score", sa.Double()),
        sa.Column("valuation_method_used", sa.Text()),
        sa.Column("comparables_used_json", sa.Text()),
        sa.Column("valuation_date", sa.Date()),
    ),
    "reporting": _job_table(
        "reporting_jobs",
        sa.Column("report_type", sa.Text()),
        sa.Column("result_metadata_json", sa.Text()),
    ),
    "market_analysis": _job_table(
        "market_analysis_jobs",
        sa.Column("analysis_type", sa.Text()),
        sa.Column("result_summary_json", sa.Text()),
        sa.Column("result_data_location", sa.Text()),
    ),
    "gis_export": _job_table(
        "gis_export_jobs",
        sa.Column("export_format", sa.Text()),
        sa.Column("area_of_interest_json", sa.Text()),
        sa.Column("layers_json", sa.Text()),
        sa.Column("result_file_location", sa.Text()),
        sa.Column("result_file_size_kb", sa.Double()),
        sa.Column("result_record_count", sa.BigInteger()),
    ),
}

audit_log = sa.Table(
    "audit_log",
    metadata,
    sa.Column("entry", sa.BigInteger(), primary_key=True, autoincrement=False),
    _moment("at", nullable=False),
    sa.Column("username", sa.Text(), nullable=False),
    sa.Column("action", sa.Text(), nullable=False),
    sa.Column("county_id", sa.Text()),
    sa.Column("detail_json", sa.Text(), nullable=False),
    sa.Column("previous_hash", sa.Text(), nullable=False),
    sa.Column("entry_hash", sa.Text(), nullable=False),
)
