"""Waiting for what another process does."""

import time
from collections.abc import Callable

SECONDS = 60.0


def until(happened: Callable[[], bool]) -> None:
    """Return once `happened` says so; fail after a minute."""
    limit = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(0.05)
