"""The lease of a running job: its heartbeat, and jobs that have lost their process."""

import json
import logging
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

from terrafusion_lib.core.clock import Clock
from terrafusion_lib.core.errors import LoadError
from terrafusion_lib.core.processes import is_alive, is_gone
from terrafusion_lib.core.progress import Progress
from terrafusion_lib.jobs import records
from terrafusion_lib.jobs.records import FAILED, OPEN, PENDING, Job
from terrafusion_lib.plugins.api import PluginRunError
from terrafusion_lib.store.store import Store

BEAT_SECONDS = 2.0
LEASE = timedelta(minutes=5)
"""How long a job counts as running after its last heartbeat. Loading a large county may lock
SQLite for minutes, during which no heartbeat can be written."""
CANCELLED = "cancelled"
LOST = "worker_lost"
LOG = logging.getLogger("terrafusion")


class JobCancelledError(PluginRunError):
    """The job was cancelled while running."""

    def __init__(self, what: str = "The job was cancelled", **place: Any) -> None:
        super().__init__(what, **{"reason_code": CANCELLED} | place)


class Heartbeat:
    """Sends heartbeats while the block runs; as a `Progress`, it stops a cancelled job. Heartbeats
    have their own thread, so that a long computation keeps its lease.
    """

    def __init__(self, store: Store, job: Job, clock: Clock, show: Progress) -> None:
        self._store, self._job, self._clock, self._show = store, job, clock, show
        self._share, self._base, self._width = 0.0, 0.0, 0.5
        self._over = threading.Event()
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def __call__(self, task: str, done: int, total: int | None) -> None:
        """Show progress.

        Raises
        ------
        JobCancelledError
            The job was cancelled.
        """
        self.check()
        self._show(task, done, total)
        if total:
            self._share = max(self._share, self._base + self._width * min(done / total, 1.0))

    def part(self, base: float, width: float) -> None:
        """Map the following progress to this part of the job, as shares of the whole."""
        self._base, self._width = base, width
        self._share = max(self._share, base)

    def check(self) -> None:
        """Stop a job that is no longer RUNNING.

        Raises
        ------
        JobCancelledError
            The job was cancelled.
        """
        if self._cancelled.is_set():
            raise JobCancelledError(county=self._job["county_id"])

    def beat(self) -> None:
        """Record a heartbeat, and check whether the job was cancelled."""
        now = self._clock()
        try:
            with self._store.writing("note a job") as connection:
                runs = records.beat(
                    connection,
                    self._job["job_id"],
                    now=now,
                    progress=self._share,
                    lease_until=now + LEASE,
                )
        except LoadError as error:
            LOG.info("no heartbeat of job %s: %s", self._job["job_id"], error)
            return  # a load has locked the database; the next heartbeat will record it
        if not runs:
            self._cancelled.set()

    def _beat_on(self) -> None:
        while not self._over.wait(BEAT_SECONDS) and not self._cancelled.is_set():
            self.beat()


def worker_of(job: Job) -> Mapping[str, Any]:
    """The process that runs or has reserved a job; empty if none."""
    worker: Mapping[str, Any] = json.loads(job["worker_json"] or "{}")
    return worker


def is_lost(job: Job, now: datetime) -> bool:
    """Whether an unfinished job has lost its worker. On this machine the process is checked; on
    another machine the worker counts as lost when its lease expires. A PENDING job waiting for any
    worker is not lost.
    """
    if job["status"] not in OPEN:
        return False
    worker = worker_of(job)
    if is_gone(worker):
        return True
    if job["status"] == PENDING or is_alive(worker):
        return False
    until = job["lease_until"] or job["heartbeat_at"]
    return until is not None and _aware(until, now) < now


def close_lost(store: Store, clock: Clock, *, county_id: str | None = None) -> list[str]:
    """Mark jobs without a worker as FAILED; returns their ids."""
    with store.reading("read jobs") as connection:
        lost = [
            job["job_id"]
            for job in records.listed(connection, county_id=county_id)
            if is_lost(job, clock())
        ]
    closed = []
    for job_id in lost:
        with store.writing("note a job") as connection:
            if records.end(
                connection,
                job_id,
                FAILED,
                now=clock(),
                reason_code=LOST,
                message="The process that ran the job is gone",
            ):
                closed.append(job_id)
    return closed


def _aware(moment: datetime, like: datetime) -> datetime:
    """SQLite returns times without their zone, which is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=like.tzinfo)
