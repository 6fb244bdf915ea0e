"""Removing exports that are over: only a project's own, and of these only their own files."""

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
    """Remove exports of ended jobs; returns their ids.

    Parameters
    ----------
    ended : mapping
        Jobs of this project that wrote to this very place: whether the job completed. A completed
        one goes when its metadata say that it has expired, a failed or cancelled one at once.
    """
    removed = []
    for job_id in sorted(place.exports() & ended.keys()):
        with suppress(Exception):  # one folder that cannot be read does not keep the others
            over = not ended[job_id] or expired(place.read(job_id, METADATA), now)
            if over and remove(place, job_id):
                removed.append(job_id)
    return removed


def remove(place: Destination, job_id: str) -> bool:
    """Remove the files that an export's mark names; False where there is no mark of that job."""
    files = own_files(place.read(job_id, MARKER), job_id)
    if files is None:
        return False
    place.delete(job_id, [*files, METADATA, MARKER])
    return True


def expired(metadata: bytes | None, now: datetime) -> bool:
    """Whether the metadata name a time that is past; what cannot be read has not expired."""
    try:
        until = datetime.fromisoformat(json.loads(metadata or b"")["expires_at"])
    except (ValueError, TypeError, KeyError):
        return False
    return (until if until.tzinfo else until.replace(tzinfo=UTC)) <= now


def staging_folder(root: Path, job_id: str) -> Path:
    """Where this process builds an export before it is published."""
    return root / f".{job_id}.{_host()}.{os.getpid()}{STAGED}"


def stage(folder: Path, job_id: str) -> None:
    """Make the folder, with the export's mark in it."""
    folder.mkdir(parents=True)
    (folder / MARKER).write_bytes(marker_text(job_id, []))


def clear_staged(root: Path, ended: Set[str]) -> list[str]:
    """Remove staging folders of ended jobs whose process of this machine is gone."""
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
