"""The operational database: canonical tables with housekeeping, ledger, jobs, audit.

`plugin_tables` builds the tables that plugins declare.
"""

from typing import Any

import sqlalchemy as sa

from terrafusion_lib.core.schema import TABLES
from terrafusion_lib.core.tables import Kind, TableSpec

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
metadata = sa.MetaData(naming_convention=NAMES)

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


def columns_of(spec: TableSpec) -> list[sa.Column[Any]]:
    """The columns of a table with their types in the database."""
    return [
        sa.Column(c.name, TYPES[c.kind], primary_key=c.name in spec.key, nullable=c.nullable)
        for c in spec.columns
    ]


def _canonical(spec: TableSpec) -> sa.Table:
    """A canonical table with the columns that the bulk writer adds: the hash of the canonical
    columns, whether the source still has the row, the run that last wrote it, and when.
    """
    housekeeping = [
        sa.Column("row_hash", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("last_sync_id", sa.Text(), nullable=False),
        _moment("loaded_at", nullable=False),
    ]
    columns = [*columns_of(spec), *housekeeping]
    table: sa.Table = sa.Table(spec.name, metadata, *columns)
    for names in INDEXES.get(spec.name, ()):
        sa.Index(None, *(table.c[name] for name in names))
    return table


CANONICAL = {spec.name: _canonical(spec) for spec in TABLES.values()}

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
    sa.Column("assessment_year", sa.BigInteger()),
    sa.Column("run_id", sa.Text(), index=True),
    sa.Column("parameters_json", sa.Text(), nullable=False),
    sa.Column("request_json", sa.Text(), nullable=False),
    sa.Column("worker_json", sa.Text()),
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
    _moment("lease_until"),
    sa.CheckConstraint(f"status IN {JOB_STATES}", name="status"),
)


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
