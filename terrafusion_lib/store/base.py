"""What all tables of the operational store share: names of constraints, and portable types."""

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

CONSTRAINT_NAMES = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
}


class Base(DeclarativeBase):
    """Holds the metadata of the whole store."""

    metadata = sa.MetaData(naming_convention=CONSTRAINT_NAMES)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in time: given and returned with its zone, kept as UTC on both databases."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC).replace(
            tzinfo=None if dialect.name == "sqlite" else UTC
        )

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def identifier() -> sa.types.TypeEngine[str]:
    """Text compared byte by byte, so that order and speed are the same on both databases."""
    return sa.Text(collation="C").with_variant(sa.Text(), "sqlite")


def json_text() -> sa.types.TypeEngine[object]:
    """JSON kept as it was written; text on SQLite, whose JSON type would alter bare numbers."""
    return sa.JSON().with_variant(sa.Text(), "sqlite")
