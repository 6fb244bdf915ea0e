"""What the names of a sale's parties say."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column to the sales."""
    op.add_column("sales", sa.Column("party_relation", sa.Text(), nullable=True))
