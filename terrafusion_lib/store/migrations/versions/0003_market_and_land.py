"""Market index, land rates, screened sales, and the parts of a value."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables of the market index, land, screened sales and parts of values."""
    op.create_table(
        "land_rates",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("published", sa.Boolean(), nullable=True),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("sales", sa.BigInteger(), nullable=True),
        sa.Column("size_sqft", sa.Double(), nullable=False),
        sa.Column("land_value", sa.Double(), nullable=True),
        sa.Column("rate_per_sqft", sa.Double(), nullable=True),
        sa.Column("median_ratio", sa.Double(), nullable=True),
        sa.Column("cod", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint(
            "run_id", "county_id", "method", "area", "size_sqft", name=op.f("pk_land_rates")
        ),
    )
    op.create_table(
        "market_index",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("market", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("sales", sa.BigInteger(), nullable=True),
        sa.Column("price_level", sa.Double(), nullable=True),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint(
            "run_id", "county_id", "market", "area", "month", name=op.f("pk_market_index")
        ),
    )
    op.create_table(
        "sales_completeness",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("sales", sa.BigInteger(), nullable=True),
        sa.Column("expected", sa.Double(), nullable=True),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("alarm", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint(
            "run_id", "county_id", "area", "month", name=op.f("pk_sales_completeness")
        ),
    )
    op.create_table(
        "sales_validation",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("sale_id", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("sale_date", sa.Date(), nullable=True),
        sa.Column("sale_price", sa.Double(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=True),
        sa.Column("wac_numeral", sa.Text(), nullable=True),
        sa.Column("outlier_score", sa.Double(), nullable=True),
        sa.Column("model_ratio", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint(
            "run_id", "county_id", "sale_id", "property_id", name=op.f("pk_sales_validation")
        ),
    )
    op.create_table(
        "valuation_improvements",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("county_id", sa.Text(), nullable=False),
        sa.Column("property_id", sa.Text(), nullable=False),
        sa.Column("improvement_id", sa.Text(), nullable=False),
        sa.Column("share", sa.Double(), nullable=True),
        sa.Column("improvement_value", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint(
            "run_id",
            "county_id",
            "property_id",
            "improvement_id",
            name=op.f("pk_valuation_improvements"),
        ),
    )
    op.add_column("valuations", sa.Column("land_value", sa.Double(), nullable=True))
    op.add_column("valuations", sa.Column("improvement_value", sa.Double(), nullable=True))
    op.add_column("valuations", sa.Column("post_processing", sa.Text(), nullable=True))
