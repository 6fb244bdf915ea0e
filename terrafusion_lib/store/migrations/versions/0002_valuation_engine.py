"""The valuation engine: sales are found by property; no query of ours ever used their date."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Drop the index that only cost time while loading."""
    op.drop_index("ix_sales_county_id_sale_date", table_name="sales")
