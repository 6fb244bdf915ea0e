"""The first schema: canonical tables, results, quarantine, ledger, jobs and audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

APPEND_ONLY_SQLITE = """
CREATE TRIGGER audit_log_no_{event} BEFORE {event} ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END
"""
APPEND_ONLY_POSTGRES = """
CREATE FUNCTION audit_log_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
FOR EACH STATEMENT EXECUTE FUNCTION audit_log_append_only()
"""


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "audit_log",
        sa.Column("entry", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("county_id", sa.Text(), nullable=True),
        sa.Column("detail_json", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.Text(), nullable=False),
        sa.Column("entry_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("entry", name=op.f("pk_audit_log")),
    )
    op.create_table(
        "exemptions",
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("exemption_type", sa.Text(), nullable=False),
        sa.Column("exemption_subtype", sa.Text(), nullable=True),
        sa.Column("exempt_value", sa.Double(), nullable=True),
        sa.Column("qualify_year", sa.BigInteger(), nullable=True),
        sa.Column("effective_date", sa.Date(), nullable=True),
        sa.Column("row_hash", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("last_sync_id", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "county_id", "property_id", "owner_id", "exemption_type", name=op.f("pk_exemptions")
        ),
    )
    op.create_table(
        "improvements",
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("improvement_id", sa.Text(), nullable=False),
        sa.Column("improvement_type", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("is_principal", sa.Boolean(), nullable=True),
        sa.Column("building_area_sqft", sa.Double(), nullable=True),
        sa.Column("basement_area_sqft", sa.Double(), nullable=True),
        sa.Column("garage_area_sqft", sa.Double(), nullable=True),
        sa.Column("year_built", sa.BigInteger(), nullable=True),
        sa.Column("effective_year_built", sa.BigInteger(), nullable=True),
        sa.Column("stories", sa.Double(), nullable=True),
        sa.Column("bedrooms", sa.Double(), nullable=True),
        sa.Column("bathrooms", sa.Double(), nullable=True),
        sa.Column("quality", sa.Double(), nullable=True),
        sa.Column("condition", sa.Double(), nullable=True),
        sa.Column("percent_complete", sa.Double(), nullable=True),
        sa.Column("improvement_value", sa.Double(), nullable=True),
        sa.Column("row_hash", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("last_sync_id", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "county_id", "property_id", "improvement_id", name=op.f("pk_improvements")
        ),
    )
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("plugin", sa.Text(), nullable=False),
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("parameters_json", sa.Text(), nullable=False),
        sa.Column("versions_json", sa.Text(), nullable=False),
        sa.Column("input_fingerprint", sa.Text(), nullable=True),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("result_location", sa.Text(), nullable=True),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED')",
            name=op.f("ck_jobs_status"),
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_county_id"), "jobs", ["county_id"], unique=False)
    op.create_table(
        "land_segments",
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("segment_id", sa.Text(), nullable=False),
        sa.Column("land_type", sa.Text(), nullable=True),
        sa.Column("land_use_code", sa.Text(), nullable=True),
        sa.Column("area_sqft", sa.Double(), nullable=True),
        sa.Column("area_acres", sa.Double(), nullable=True),
        sa.Column("unit_price", sa.Double(), nullable=True),
        sa.Column("market_value", sa.Double(), nullable=True),
        sa.Column("is_current_use", sa.Boolean(), nullable=True),
        sa.Column("current_use_code", sa.Text(), nullable=True),
        sa.Column("use_value", sa.Double(), nullable=True),
        sa.Column("row_hash", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("last_sync_id", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "county_id", "property_id", "segment_id", name=op.f("pk_land_segments")
        ),
    )
    op.create_table(
        "load_runs",
        sa.Column("load_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counts_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("load_id", name=op.f("pk_load_runs")),
    )
    op.create_index(op.f("ix_load_runs_county_id"), "load_runs", ["county_id"], unique=False)
    op.create_table(
        "parcels_geometry",
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("geometry_id", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=True),
        sa.Column("parcel_number", sa.Text(), nullable=True),
        sa.Column("link_method", sa.Text(), nullable=True),
        sa.Column("area_sqft", sa.Double(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("part_count", sa.BigInteger(), nullable=True),
        sa.Column("geometry", sa.LargeBinary(), nullable=True),
        sa.Column("row_hash", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("last_sync_id", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("county_id", "geometry_id", name=op.f("pk_parcels_geometry")),
    )
    op.create_index(
        op.f("ix_parcels_geometry_county_id_property_id"),
        "parcels_geometry",
        ["county_id", "property_id"],
        unique=False,
    )
    op.create_table(
        "permits",
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("permit_id", sa.Text(), nullable=False),
        sa.Column("permit_number", sa.Text(), nullable=True),
        sa.Column("permit_type", sa.Text(), nullable=True),
        sa.Column("permit_status", sa.Text(), nullable=True),
        sa.Column("issue_date", sa.Date(), nullable=True),
        sa.Column("completion_date", sa.Date(), nullable=True),
        sa.Column("permit_value", sa.Double(), nullable=True),
        sa.Column("area_sqft", sa.Double(), nullable=True),
        sa.Column("percent_complete", sa.Double(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("row_hash", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("last_sync_id", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("county_id", "property_id", "permit_id", name=op.f("pk_permits")),
    )
    op.create_table(
        "pipeline_runs",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("assessment_year", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promoted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("parameters_json", sa.Text(), nullable=False),
        sa.Column("versions_json", sa.Text(), nullable=False),
        sa.Column("code_fingerprint", sa.Text(), nullable=False),
        sa.Column("input_fingerprint", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_pipeline_runs")),
    )
    op.create_index(
        op.f("ix_pipeline_runs_county_id"), "pipeline_runs", ["county_id"], unique=False
    )
    op.create_table(
        "properties_operational",
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("parcel_number", sa.Text(), nullable=True),
        sa.Column("situs_address", sa.Text(), nullable=True),
        sa.Column("situs_street_number", sa.Text(), nullable=True),
        sa.Column("situs_street_name", sa.Text(), nullable=True),
        sa.Column("situs_unit", sa.Text(), nullable=True),
        sa.Column("situs_city", sa.Text(), nullable=True),
        sa.Column("situs_state", sa.Text(), nullable=True),
        sa.Column("situs_zip", sa.Text(), nullable=True),
        sa.Column("property_type", sa.Text(), nullable=True),
        sa.Column("property_class", sa.Text(), nullable=True),
        sa.Column("use_code", sa.Text(), nullable=True),
        sa.Column("neighborhood_code", sa.Text(), nullable=True),
        sa.Column("inspection_cycle", sa.BigInteger(), nullable=True),
        sa.Column("subdivision_code", sa.Text(), nullable=True),
        sa.Column("tax_area", sa.Text(), nullable=True),
        sa.Column("zoning", sa.Text(), nullable=True),
        sa.Column("legal_description", sa.Text(), nullable=True),
        sa.Column("land_area_sqft", sa.Double(), nullable=True),
        sa.Column("building_area_sqft", sa.Double(), nullable=True),
        sa.Column("basement_area_sqft", sa.Double(), nullable=True),
        sa.Column("garage_area_sqft", sa.Double(), nullable=True),
        sa.Column("year_built", sa.BigInteger(), nullable=True),
        sa.Column("effective_year_built", sa.BigInteger(), nullable=True),
        sa.Column("stories", sa.Double(), nullable=True),
        sa.Column("bedrooms", sa.Double(), nullable=True),
        sa.Column("bathrooms", sa.Double(), nullable=True),
        sa.Column("quality", sa.Double(), nullable=True),
        sa.Column("condition", sa.Double(), nullable=True),
        sa.Column("view_rating", sa.BigInteger(), nullable=True),
        sa.Column("is_waterfront", sa.Boolean(), nullable=True),
        sa.Column("land_value", sa.Double(), nullable=True),
        sa.Column("improvement_value", sa.Double(), nullable=True),
        sa.Column("current_market_value", sa.Double(), nullable=True),
        sa.Column("assessed_value", sa.Double(), nullable=True),
        sa.Column("taxable_value", sa.Double(), nullable=True),
        sa.Column("new_construction_value", sa.Double(), nullable=True),
        sa.Column("current_use_value", sa.Double(), nullable=True),
        sa.Column("senior_frozen_value", sa.Double(), nullable=True),
        sa.Column("prior_market_value", sa.Double(), nullable=True),
        sa.Column("assessment_year", sa.BigInteger(), nullable=True),
        sa.Column("tax_year", sa.BigInteger(), nullable=True),
        sa.Column("last_sale_id", sa.Text(), nullable=True),
        sa.Column("last_sale_date", sa.Date(), nullable=True),
        sa.Column("last_sale_price", sa.Double(), nullable=True),
        sa.Column("is_exempt", sa.Boolean(), nullable=True),
        sa.Column("exemption_type", sa.Text(), nullable=True),
        sa.Column("owner_name", sa.Text(), nullable=True),
        sa.Column("owner_is_confidential", sa.Boolean(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("source_year", sa.BigInteger(), nullable=True),
        sa.Column("source_sup_num", sa.BigInteger(), nullable=True),
        sa.Column("data_source", sa.Text(), nullable=True),
        sa.Column("extended_attributes", sa.Text(), nullable=True),
        sa.Column("row_hash", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("last_sync_id", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("county_id", "property_id", name=op.f("pk_properties_operational")),
    )
    op.create_index(
        op.f("ix_properties_operational_county_id_neighborhood_code"),
        "properties_operational",
        ["county_id", "neighborhood_code"],
        unique=False,
    )
    op.create_index(
        op.f("ix_properties_operational_county_id_parcel_number"),
        "properties_operational",
        ["county_id", "parcel_number"],
        unique=False,
    )
    op.create_table(
        "quarantine",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("source_key", sa.Text(), nullable=True),
        sa.Column("row_json", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "county_id", "number", name=op.f("pk_quarantine")),
    )
    op.create_table(
        "ratio_statistics",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("study", sa.Text(), nullable=False),
        sa.Column("grouping", sa.Text(), nullable=False),
        sa.Column("stratum", sa.Text(), nullable=False),
        sa.Column("statistic", sa.Text(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=True),
        sa.Column("estimate", sa.Double(), nullable=True),
        sa.Column("ci_low", sa.Double(), nullable=True),
        sa.Column("ci_high", sa.Double(), nullable=True),
        sa.Column("confidence_level", sa.Double(), nullable=True),
        sa.Column("limit_low", sa.Double(), nullable=True),
        sa.Column("limit_high", sa.Double(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("standard", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint(
            "run_id",
            "county_id",
            "study",
            "grouping",
            "stratum",
            "statistic",
            name=op.f("pk_ratio_statistics"),
        ),
    )
    op.create_table(
        "sales",
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("sale_id", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("parcel_number", sa.Text(), nullable=True),
        sa.Column("sale_date", sa.Date(), nullable=True),
        sa.Column("sale_price", sa.Double(), nullable=True),
        sa.Column("adjusted_sale_price", sa.Double(), nullable=True),
        sa.Column("recorded_date", sa.Date(), nullable=True),
        sa.Column("deed_type", sa.Text(), nullable=True),
        sa.Column("excise_number", sa.Text(), nullable=True),
        sa.Column("dor_ratio_code", sa.Text(), nullable=True),
        sa.Column("dor_valid", sa.Boolean(), nullable=True),
        sa.Column("county_ratio_code", sa.Text(), nullable=True),
        sa.Column("county_valid", sa.Boolean(), nullable=True),
        sa.Column("wac_code", sa.Text(), nullable=True),
        sa.Column("parcel_count", sa.BigInteger(), nullable=True),
        sa.Column("is_primary_parcel", sa.Boolean(), nullable=True),
        sa.Column("is_land_only", sa.Boolean(), nullable=True),
        sa.Column("personal_property_value", sa.Double(), nullable=True),
        sa.Column("parcel_market_value", sa.Double(), nullable=True),
        sa.Column("total_market_value", sa.Double(), nullable=True),
        sa.Column("property_type", sa.Text(), nullable=True),
        sa.Column("property_class", sa.Text(), nullable=True),
        sa.Column("neighborhood_code", sa.Text(), nullable=True),
        sa.Column("land_area_sqft", sa.Double(), nullable=True),
        sa.Column("building_area_sqft", sa.Double(), nullable=True),
        sa.Column("basement_area_sqft", sa.Double(), nullable=True),
        sa.Column("garage_area_sqft", sa.Double(), nullable=True),
        sa.Column("year_built", sa.BigInteger(), nullable=True),
        sa.Column("effective_year_built", sa.BigInteger(), nullable=True),
        sa.Column("stories", sa.Double(), nullable=True),
        sa.Column("bedrooms", sa.Double(), nullable=True),
        sa.Column("bathrooms", sa.Double(), nullable=True),
        sa.Column("quality", sa.Double(), nullable=True),
        sa.Column("condition", sa.Double(), nullable=True),
        sa.Column("view_rating", sa.BigInteger(), nullable=True),
        sa.Column("is_waterfront", sa.Boolean(), nullable=True),
        sa.Column("data_source", sa.Text(), nullable=True),
        sa.Column("extended_attributes", sa.Text(), nullable=True),
        sa.Column("row_hash", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("last_sync_id", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("county_id", "sale_id", "property_id", name=op.f("pk_sales")),
    )
    op.create_index(
        op.f("ix_sales_county_id_property_id"), "sales", ["county_id", "property_id"], unique=False
    )
    op.create_index(
        op.f("ix_sales_county_id_sale_date"), "sales", ["county_id", "sale_date"], unique=False
    )
    op.create_table(
        "valuation_comparables",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("sale_id", sa.Text(), nullable=True),
        sa.Column("comparable_property_id", sa.Text(), nullable=True),
        sa.Column("sale_date", sa.Date(), nullable=True),
        sa.Column("sale_price", sa.Double(), nullable=True),
        sa.Column("distance_feet", sa.Double(), nullable=True),
        sa.Column("similarity", sa.Double(), nullable=True),
        sa.Column("net_adjustment_pct", sa.Double(), nullable=True),
        sa.Column("gross_adjustment_pct", sa.Double(), nullable=True),
        sa.Column("adjusted_price", sa.Double(), nullable=True),
        sa.Column("weight", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint(
            "run_id", "county_id", "property_id", "rank", name=op.f("pk_valuation_comparables")
        ),
    )
    op.create_table(
        "valuations",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("assessment_year", sa.BigInteger(), nullable=True),
        sa.Column("valuation_date", sa.Date(), nullable=True),
        sa.Column("estimated_value", sa.Double(), nullable=True),
        sa.Column("low_value", sa.Double(), nullable=True),
        sa.Column("high_value", sa.Double(), nullable=True),
        sa.Column("confidence_score", sa.Double(), nullable=True),
        sa.Column("valuation_method", sa.Text(), nullable=True),
        sa.Column("comparables_used", sa.BigInteger(), nullable=True),
        sa.Column("review_reasons", sa.Text(), nullable=True),
        sa.Column("not_valued_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "county_id", "property_id", name=op.f("pk_valuations")),
    )
    op.create_table(
        "values_history",
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("assessment_year", sa.BigInteger(), nullable=False),
        sa.Column("land_value", sa.Double(), nullable=True),
        sa.Column("improvement_value", sa.Double(), nullable=True),
        sa.Column("market_value", sa.Double(), nullable=True),
        sa.Column("assessed_value", sa.Double(), nullable=True),
        sa.Column("taxable_value", sa.Double(), nullable=True),
        sa.Column("new_construction_value", sa.Double(), nullable=True),
        sa.Column("source_sup_num", sa.BigInteger(), nullable=True),
        sa.Column("row_hash", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("last_sync_id", sa.Text(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "county_id", "property_id", "assessment_year", name=op.f("pk_values_history")
        ),
    )
    op.create_table(
        "gis_export_jobs",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("export_format", sa.Text(), nullable=True),
        sa.Column("area_of_interest_json", sa.Text(), nullable=True),
        sa.Column("layers_json", sa.Text(), nullable=True),
        sa.Column("result_file_location", sa.Text(), nullable=True),
        sa.Column("result_file_size_kb", sa.Double(), nullable=True),
        sa.Column("result_record_count", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name=op.f("fk_gis_export_jobs_jobs")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_gis_export_jobs")),
    )
    op.create_table(
        "market_analysis_jobs",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("analysis_type", sa.Text(), nullable=True),
        sa.Column("result_summary_json", sa.Text(), nullable=True),
        sa.Column("result_data_location", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.job_id"], name=op.f("fk_market_analysis_jobs_jobs")
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_market_analysis_jobs")),
    )
    op.create_table(
        "pipeline_steps",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("rows_json", sa.Text(), nullable=False),
        sa.Column("outputs_json", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["pipeline_runs.run_id"], name=op.f("fk_pipeline_steps_pipeline_runs")
        ),
        sa.PrimaryKeyConstraint("run_id", "step", name=op.f("pk_pipeline_steps")),
    )
    op.create_table(
        "reporting_jobs",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("report_type", sa.Text(), nullable=True),
        sa.Column("result_metadata_json", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name=op.f("fk_reporting_jobs_jobs")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_reporting_jobs")),
    )
    op.create_table(
        "valuation_jobs",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=True),
        sa.Column("valuation_method_hint", sa.Text(), nullable=True),
        sa.Column("estimated_value", sa.Double(), nullable=True),
        sa.Column("confidence_score", sa.Double(), nullable=True),
        sa.Column("valuation_method_used", sa.Text(), nullable=True),
        sa.Column("comparables_used_json", sa.Text(), nullable=True),
        sa.Column("valuation_date", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.job_id"], name=op.f("fk_valuation_jobs_jobs")),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_valuation_jobs")),
    )
    if op.get_bind().dialect.name == "sqlite":
        for event in ("UPDATE", "DELETE"):
            op.execute(APPEND_ONLY_SQLITE.format(event=event))
    else:
        op.execute(APPEND_ONLY_POSTGRES)
