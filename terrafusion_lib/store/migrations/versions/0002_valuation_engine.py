"""The valuation engine's results; sales lose an index that only cost time while loading."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables of the valuation engine and of exports."""
    op.create_table(
        "gis_export_layers",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("export_format", sa.Text(), nullable=True),
        sa.Column("file_name", sa.Text(), nullable=True),
        sa.Column("crs", sa.Text(), nullable=True),
        sa.Column("geometry_type", sa.Text(), nullable=True),
        sa.Column("records", sa.BigInteger(), nullable=True),
        sa.Column("attributes", sa.BigInteger(), nullable=True),
        sa.Column("left_out", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "county_id", "layer", name=op.f("pk_gis_export_layers")),
    )
    op.create_table(
        "model_coefficients",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("coefficient", sa.Double(), nullable=True),
        sa.Column("std_error", sa.Double(), nullable=True),
        sa.Column("t_value", sa.Double(), nullable=True),
        sa.Column("p_value", sa.Double(), nullable=True),
        sa.Column("vif", sa.Double(), nullable=True),
        sa.Column("expected_sign", sa.BigInteger(), nullable=True),
        sa.Column("sign_as_expected", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint(
            "run_id", "county_id", "market", "term", name=op.f("pk_model_coefficients")
        ),
    )
    op.create_table(
        "model_leaderboard",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=True),
        sa.Column("test", sa.Text(), nullable=True),
        sa.Column("n", sa.BigInteger(), nullable=True),
        sa.Column("median_ratio", sa.Double(), nullable=True),
        sa.Column("median_low", sa.Double(), nullable=True),
        sa.Column("median_high", sa.Double(), nullable=True),
        sa.Column("cod", sa.Double(), nullable=True),
        sa.Column("cod_low", sa.Double(), nullable=True),
        sa.Column("cod_high", sa.Double(), nullable=True),
        sa.Column("prd", sa.Double(), nullable=True),
        sa.Column("prb", sa.Double(), nullable=True),
        sa.Column("prb_low", sa.Double(), nullable=True),
        sa.Column("prb_high", sa.Double(), nullable=True),
        sa.Column("median_error_pct", sa.Double(), nullable=True),
        sa.Column("r_squared", sa.Double(), nullable=True),
        sa.Column("within_20_pct", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint(
            "run_id", "county_id", "market", "model", name=op.f("pk_model_leaderboard")
        ),
    )
    op.create_table(
        "sale_ratios",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("study", sa.Text(), nullable=False),
        sa.Column("sale_id", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("property_type", sa.Text(), nullable=True),
        sa.Column("neighborhood_code", sa.Text(), nullable=True),
        sa.Column("sale_date", sa.Date(), nullable=True),
        sa.Column("sale_price", sa.Double(), nullable=True),
        sa.Column("adjusted_price", sa.Double(), nullable=True),
        sa.Column("assessed_value", sa.Double(), nullable=True),
        sa.Column("ratio", sa.Double(), nullable=True),
        sa.Column("in_interval", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint(
            "run_id", "county_id", "study", "sale_id", "property_id", name=op.f("pk_sale_ratios")
        ),
    )
    op.create_table(
        "valuation_explanations",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("base_value", sa.Double(), nullable=True),
        sa.Column("size", sa.Double(), nullable=True),
        sa.Column("land", sa.Double(), nullable=True),
        sa.Column("age", sa.Double(), nullable=True),
        sa.Column("quality", sa.Double(), nullable=True),
        sa.Column("condition", sa.Double(), nullable=True),
        sa.Column("rooms", sa.Double(), nullable=True),
        sa.Column("garage", sa.Double(), nullable=True),
        sa.Column("basement", sa.Double(), nullable=True),
        sa.Column("view", sa.Double(), nullable=True),
        sa.Column("use", sa.Double(), nullable=True),
        sa.Column("location", sa.Double(), nullable=True),
        sa.Column("time", sa.Double(), nullable=True),
        sa.Column("comparables", sa.Double(), nullable=True),
        sa.Column("model_value", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint(
            "run_id", "county_id", "property_id", name=op.f("pk_valuation_explanations")
        ),
    )
    op.drop_index(op.f("ix_sales_county_id_sale_date"), table_name="sales")
    op.add_column("valuations", sa.Column("model_value", sa.Double(), nullable=True))
    op.add_column("valuations", sa.Column("comparable_value", sa.Double(), nullable=True))
