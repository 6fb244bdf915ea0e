"""Deletes expired and failed exports: only the project's own, and only their own files."""

import json
import os
import shutil
import socket
from collections.abc import Mapping, Set
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from terrafusion_lib.core.processes import lives
from terrafusion_lib.jobs.destination import Destination
from terrafusion_lib.jobs.marker import MARKER, METADATA, marker_text, own_files

STAGED = ".staged"


def sweep(place: Destination, ended: Mapping[str, bool], now: datetime) -> list[str]:
    """Delete exports of ended jobs; returns their ids.

    Parameters
    ----------
    ended : mapping
        Jobs of this project that wrote to this destination, and whether each completed. Completed
        exports are deleted once expired, failed or cancelled ones immediately.
    """
    removed = []
    for job_id in sorted(place.exports() & ended.keys()):
        with suppress(Exception):  # an unreadable folder does not affect the others
            over = not ended[job_id] or expired(place.read(job_id, METADATA), now)
            if over and remove(place, job_id):
                removed.append(job_id)
    return removed


def remove(place: Destination, job_id: str) -> bool:
    """Delete the files listed in an export's marker; False without that job's marker."""
    files = own_files(place.read(job_id, MARKER), job_id)
    if files is None:
        return False
    place.delete(job_id, [*files, METADATA, MARKER])
    return True


def expired(metadata: bytes | None, now: datetime) -> bool:
    """Whether the metadata give a past expiry time; unreadable metadata have not expired."""
    try:
        until = datetime.fromisoformat(json.loads(metadata or b"")["expires_at"])
    except (ValueError, TypeError, KeyError):
        return False
    return (until if until.tzinfo else until.replace(tzinfo=UTC)) <= now


def staging_folder(root: Path, job_id: str) -> Path:
    """Folder where this process builds an export before publishing."""
    return root / f".{job_id}.{_host()}.{os.getpid()}{STAGED}"


def stage(folder: Path, job_id: str) -> None:
    """Create the folder with the export's marker."""
    folder.mkdir(parents=True)
    (folder / MARKER).write_bytes(marker_text(job_id, []))


def clear_staged(root: Path, ended: Set[str]) -> list[str]:
    """Delete staging folders of ended jobs whose process on this machine is gone."""
    removed = []
    for path in sorted(root.glob(f".*{STAGED}")):
        with suppress(OSError, ValueError):
            job_id, machine, process = path.name[1 : -len(STAGED)].rsplit(".", 2)
            gone = machine == _host() and not lives(int(process))
            if gone and job_id in ended and _is_marked(path, job_id):
                shutil.rmtree(path)
                removed.append(job_id)
    return removed


def _is_marked(folder: Path, job_id: str) -> bool:
    return not folder.is_symlink() and own_files((folder / MARKER).read_bytes(), job_id) is not None


def _host() -> str:
    return socket.gethostname().replace(".", "-")
