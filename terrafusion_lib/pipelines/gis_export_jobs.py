"""Jobs of GIS exports that have ended, and those whose process ended without a word."""

import json
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from terrafusion_lib.core.processes import lives
from terrafusion_lib.store.store import Store

PLUGIN = "gis_export"
BEGAN = 19
"""Place of the start time behind the name in ``/proc/<pid>/stat``: it tells numbers used again."""


@dataclass(frozen=True)
class EndedJob:
    """A job that has ended: where it wrote, and whether it completed."""

    job_id: str
    destination: str | None
    completed: bool


def this_process() -> dict[str, Any]:
    """What a later process needs to see whether this one still lives."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "began": _began(os.getpid())}


def is_gone(process: Mapping[str, Any]) -> bool:
    """Whether it was a process of this machine, and no longer runs; False where unknown."""
    return process.get("host") == socket.gethostname() and not _runs(process)


def is_alive(process: Mapping[str, Any]) -> bool:
    """Whether it is a process of this machine, and runs; False where unknown."""
    return process.get("host") == socket.gethostname() and _runs(process)


def _runs(process: Mapping[str, Any]) -> bool:
    pid = int(process["pid"])
    return lives(pid) and _began(pid) == process.get("began")


def close_dead_jobs(
    store: Store, county_id: str, clock: Callable[[], datetime]
) -> dict[str, EndedJob]:
    """Fail jobs of exports whose process is gone; returns those that are over, by id."""
    ended = {}
    for job in store.list_jobs(county_id, now=clock()):
        if job["plugin"] != PLUGIN:
            continue
        asked = json.loads(job["parameters_json"])
        process = asked.get("process") or {}
        completed = job["status"] == "COMPLETED"
        if not completed and is_alive(process):
            continue  # at work, or still clearing up after itself
        if job["status"] in ("PENDING", "RUNNING"):
            if not is_gone(process):
                continue
            store.end_job(
                job["job_id"],
                "FAILED",
                now=clock(),
                reason_code="process_killed",
                message="Its process ended without a word",
            )
        ended[job["job_id"]] = EndedJob(job["job_id"], asked.get("destination"), completed)
    return ended


def _began(pid: int) -> str:
    """When a process began, in the system's ticks; empty where the system does not tell."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[BEGAN]
