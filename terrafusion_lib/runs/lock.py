"""One run of a county at a time."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from terrafusion_lib.core.errors import RunError
from terrafusion_lib.core.files import write_json
from terrafusion_lib.core.locks import exclusive

LOCK = "run.lock"
HOLDER = "run.holder.json"
"""File that says who holds the lock; separate, because some systems cannot read a locked file."""


@contextmanager
def county_lock(folder: Path, *, run_id: str, user: str) -> Iterator[None]:
    """Hold the county's lock; the system releases it when the process ends for any reason.

    Raises
    ------
    RunError
        Another process holds it; the message says who and which run.
    """

    def refusal() -> RunError:
        return RunError(
            f"Another run is using {folder.name}: {_holder(folder / HOLDER)}",
            county=folder.name,
            hint="wait until it ends, or stop that process",
        )

    with exclusive(folder / LOCK, refusal):
        holder = folder / HOLDER
        write_json(holder, {"run_id": run_id, "user": user, "pid": os.getpid()})
        try:
            yield
        finally:
            holder.unlink(missing_ok=True)


def _holder(path: Path) -> str:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return "a run that has just started"
    return f"run {held['run_id']} of {held['user']}, process {held['pid']}"
