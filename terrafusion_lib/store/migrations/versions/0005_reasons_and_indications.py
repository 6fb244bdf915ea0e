"""Why a person set a value, and what each comparable indicates."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns to valuations and their comparables."""
    op.add_column("valuations", sa.Column("override_reason", sa.Text(), nullable=True))
    op.add_column("valuation_comparables", sa.Column("indicated_value", sa.Double(), nullable=True))
