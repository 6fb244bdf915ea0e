"""Appraised is what the assessor appraised; assessed is what is taxed in Washington.

The study of the assessor's values was named ``assessed`` although it studies market values, and the
value of a ratio ``assessed_value`` although the model's stand there too.
"""

from alembic import op

revision = "0001"
down_revision = None

OLD, NEW = "assessed", "appraised"
COLUMNS = (
    ("sale_ratios", "study"),
    ("ratio_statistics", "study"),
    ("model_leaderboard", "model"),
    ("valuations", "valuation_method"),
)


def upgrade() -> None:
    """Rename the column and what is stored."""
    op.alter_column("sale_ratios", "assessed_value", new_column_name="studied_value")
    for table, column in COLUMNS:
        for old in (OLD, f"trended_{OLD}_value"):
            new = old.replace(OLD, NEW)
            op.execute(f"UPDATE {table} SET {column} = '{new}' WHERE {column} = '{old}'")
