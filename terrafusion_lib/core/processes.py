"""Whether a process still runs, on any operating system."""

import os
import socket
from collections.abc import Mapping
from typing import Any

SECONDS = 1.5
"""Between two readings of one process's start; the machine's own is known to the second."""


def this_process() -> dict[str, Any]:
    """What a later process needs to see whether this one still runs: host, pid, its start."""
    import psutil

    pid = os.getpid()
    return {"host": socket.gethostname(), "pid": pid, "started": _started(psutil.Process(pid))}


def is_alive(process: Mapping[str, Any]) -> bool:
    """Whether it is a process of this machine, and runs; False where unknown."""
    return process.get("host") == socket.gethostname() and _runs(process)


def is_gone(process: Mapping[str, Any]) -> bool:
    """Whether it was a process of this machine, and no longer runs; False where unknown."""
    return process.get("host") == socket.gethostname() and not _runs(process)


def lives(pid: int) -> bool:
    """Whether this machine runs a process of that number, which may have been given anew."""
    return _running(pid) is not None


def _runs(process: Mapping[str, Any]) -> bool:
    running = _running(int(process["pid"]))
    if running is None or process.get("started") is None:
        return running is not None
    return abs(_started(running) - float(process["started"])) < SECONDS


def _running(pid: int) -> Any:
    """The process of that number; None when there is none, or it has ended unnoticed (zombie)."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except psutil.NoSuchProcess:
        return None


def _started(process: Any) -> float:
    """When a process started, in seconds; on Linux since the machine's start.

    Linux counts from there, so that a correction of the clock would move the time of day.
    """
    import psutil

    created = process.create_time()
    return float(created - psutil.boot_time() if psutil.LINUX else created)
