"""One run of a county at a time."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from terrafusion_lib.core.errors import RunError


@contextmanager
def county_lock(folder: Path, *, run_id: str, user: str) -> Iterator[None]:
    """Hold the county's lock; the system frees it when the process ends, however it ends.

    Raises
    ------
    RunError
        Another process holds it; the message says who and which run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "run.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise RunError(
                f"Another run holds {folder.name}: {_holder(file.read())}",
                county=folder.name,
                hint="wait until it ends, or stop that process",
            ) from error
        file.truncate(0)
        file.write(json.dumps({"run_id": run_id, "user": user, "pid": os.getpid()}))
        file.flush()
        yield


def _holder(text: str) -> str:
    try:
        held = json.loads(text)
    except json.JSONDecodeError:
        return "a run that has just begun"
    return f"run {held['run_id']} of {held['user']}, process {held['pid']}"
