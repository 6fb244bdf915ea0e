"""The current time, passed in wherever a result depends on it."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The current time; the default clock."""
    return datetime.now(UTC)
