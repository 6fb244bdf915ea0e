"""The time, passed in wherever it decides something."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The current time; the default clock."""
    return datetime.now(UTC)
