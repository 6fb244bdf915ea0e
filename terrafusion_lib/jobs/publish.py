"""Files of a job: staged out of sight, published all at once, withdrawn if the job fails."""

import json
import logging
import shutil
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from terrafusion_lib.core.clock import Clock
from terrafusion_lib.core.declared import declared_plugins
from terrafusion_lib.core.files import file_hash, write_json
from terrafusion_lib.core.processes import is_alive
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.jobs import destination as places
from terrafusion_lib.jobs import records
from terrafusion_lib.jobs.lease import Heartbeat, close_lost, worker_of
from terrafusion_lib.jobs.marker import MARKER, METADATA, marker_text
from terrafusion_lib.jobs.records import COMPLETED, OPEN, Job
from terrafusion_lib.jobs.sweep import clear_staged, remove, stage, staging_folder, sweep
from terrafusion_lib.plugins.api import PluginResult
from terrafusion_lib.plugins.write_errors import DISK_FULL, PublishError, write_error
from terrafusion_lib.store.store import Store

LOG = logging.getLogger("terrafusion")


@dataclass(frozen=True)
class Published:
    """Location of a job's files and their metadata document."""

    location: str
    metadata: dict[str, Any]

    @property
    def size_kb(self) -> float:
        """Size of the files, KiB."""
        return sum(int(item["bytes"]) for item in self.metadata["files"]) / 1024


def own_url(settings: Settings, county_id: str, published_in: str) -> str:
    """Default destination of a plugin's files."""
    if settings.exports_url:
        return f"{settings.exports_url.rstrip('/')}/{county_id}"
    return str(settings.county_data(county_id) / published_in)


@dataclass(frozen=True)
class Publication:
    """The files of one job, to be published to a folder or an object store.

    Attributes
    ----------
    own : bool
        The destination is the county's own, where exports expire.
    """

    job: Job
    url: str
    own: bool
    settings: Settings
    store: Store
    clock: Clock
    place: places.Destination
    staged: Path

    @classmethod
    def reserve(
        cls,
        job: Job,
        asked: str | None,
        *,
        own: str,
        settings: Settings,
        store: Store,
        clock: Clock,
    ) -> "Publication":
        """Check that the destination and the staging folder are writable before any work starts.

        Parameters
        ----------
        asked : str, optional
            Folder or URL given by the user; `own` is the county's.

        Raises
        ------
        PublishError
            One of them is not writable.
        """
        url = asked or own
        place = places.open_destination(url)
        root = settings.county_data(job["county_id"]) / "staged"
        if isinstance(place, places.FolderDestination):
            root = place.root  # on the destination's disk
        staged = staging_folder(root, job["job_id"])
        publication = cls(job, url, asked is None, settings, store, clock, place, staged)
        try:
            place.reserve(job["job_id"])
            stage(staged, job["job_id"])
        except OSError as error:
            publication.withdraw()
            raise write_error(error, root) from error
        publication._sweep(root)
        return publication

    def write(self, result: PluginResult, facts: dict[str, Any], beat: Heartbeat) -> dict[str, Any]:
        """Write the files and their metadata document; returns the document.

        Raises
        ------
        PublishError
            There is too little space, or a write failed.
        """
        self._check_space(result)
        write_files(result, self.staged, beat)
        files = file_list(self.staged)
        names = [item["name"] for item in files]
        (self.staged / MARKER).write_bytes(marker_text(self.job["job_id"], names))
        document = result.describe(facts | self._expiry() | {"files": files})
        write_json(self.staged / METADATA, document)
        return document

    def publish(self) -> str:
        """Make the files visible, all at once; returns the location."""
        return self.place.publish(self.staged, self.job["job_id"])

    def withdraw(self) -> None:
        """Delete what was published; if that fails, a later sweep will."""
        with suppress(Exception):
            remove(self.place, self.job["job_id"])

    def clear(self) -> None:
        """Remove the staging folder."""
        shutil.rmtree(self.staged, ignore_errors=True)

    def _check_space(self, result: PluginResult) -> None:
        free = shutil.disk_usage(self.staged).free
        if free < result.estimated_bytes:
            raise PublishError(
                f"The files need about {result.estimated_bytes / 1e6:,.0f} MB, "
                f"and {free / 1e6:,.0f} MB are free",
                reason_code=DISK_FULL,
                county=self.job["county_id"],
                hint="free space, or export a smaller area or fewer layers",
            )

    def _expiry(self) -> dict[str, str | None]:
        """When the files expire; those at a destination given by the user never do."""
        days = self.settings.exports_days
        if not self.own:
            return {}
        until = self.clock() + timedelta(days=days)
        return {"expires_at": until.isoformat(timespec="seconds") if days else None}

    def _sweep(self, root: Path) -> None:
        """Delete this project's expired files, and close jobs that lost their worker. Errors here
        do not fail the job; the next one sweeps again.
        """
        county_id = self.job["county_id"]
        try:
            close_lost(self.store, self.clock, county_id=county_id)
            with self.store.reading("read jobs") as connection:
                jobs = records.listed(connection, county_id=county_id)
            ended = {job["job_id"]: job for job in jobs if _is_over(job)}
            clear_staged(root, ended.keys())
            here = places.place_name(self.url)
            swept = {
                job_id: job["status"] == COMPLETED
                for job_id, job in ended.items()
                if place_of(job, self.settings) == here and (self.own or job["status"] != COMPLETED)
            }
            sweep(self.place, swept, self.clock())
        except Exception as error:  # noqa: BLE001 - no fault of a sweep is worth a job
            LOG.warning("old exports were not deleted: %s", error)


def write_files(result: PluginResult, folder: Path, beat: Heartbeat) -> None:
    """Write a result's files into a folder, in order.

    Raises
    ------
    PublishError
        A write failed.
    """
    count = len(result.files)
    for number, (name, write) in enumerate(result.files.items()):
        beat.part(0.5 + 0.5 * number / count, 0.5 / count)
        try:
            write(folder / name)
        except OSError as error:
            raise write_error(error, folder / name) from error


def file_list(folder: Path) -> list[dict[str, Any]]:
    """Name, size in bytes and SHA-256 of each file in a folder except its marker, sorted."""
    return [
        {"name": path.name, "bytes": path.stat().st_size, "sha256": file_hash(path)}
        for path in sorted(folder.iterdir())
        if path.name != MARKER
    ]


def place_of(job: Job, settings: Settings) -> str:
    """The name of the destination of a job's files."""
    destination = json.loads(job["request_json"]).get("destination")
    if destination:
        return places.place_name(destination)
    plugin = declared_plugins().get(job["plugin"])
    published_in = plugin.published_in if plugin else "published"
    return places.place_name(own_url(settings, job["county_id"], published_in))


def _is_over(job: Job) -> bool:
    """Whether a job has ended and no process is still cleaning up after it."""
    if job["status"] in OPEN:
        return False
    return job["status"] == COMPLETED or not is_alive(worker_of(job))
