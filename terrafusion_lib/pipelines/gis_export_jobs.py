"""Jobs of GIS exports that have ended, and those whose process ended without a word."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from terrafusion_lib.core.processes import is_alive, is_gone
from terrafusion_lib.store.store import Store

PLUGIN = "gis_export"


@dataclass(frozen=True)
class EndedJob:
    """A job that has ended: where it wrote, and whether it completed."""

    job_id: str
    destination: str | None
    completed: bool


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
