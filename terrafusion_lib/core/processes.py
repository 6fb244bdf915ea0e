"""Whether a process still runs, on any operating system."""

import os
import socket
from collections.abc import Mapping
from typing import Any

SECONDS = 1.5
"""Tolerance between two readings of a process's start time; boot time is known to the second."""


def this_process() -> dict[str, Any]:
    """What a later process needs to check whether this one still runs: host, pid, start time."""
    import psutil

    pid = os.getpid()
    return {"host": socket.gethostname(), "pid": pid, "started": _started(psutil.Process(pid))}


def is_alive(process: Mapping[str, Any]) -> bool:
    """Whether it is a running process on this machine; False if unknown."""
    return process.get("host") == socket.gethostname() and _runs(process)


def is_gone(process: Mapping[str, Any]) -> bool:
    """Whether it was a process on this machine that no longer runs; False if unknown."""
    return process.get("host") == socket.gethostname() and not _runs(process)


def lives(pid: int) -> bool:
    """Whether this machine runs a process with that pid, which may have been reused."""
    return _running(pid) is not None


def _runs(process: Mapping[str, Any]) -> bool:
    running = _running(int(process["pid"]))
    if running is None or process.get("started") is None:
        return running is not None
    return abs(_started(running) - float(process["started"])) < SECONDS


def _running(pid: int) -> Any:
    """The process with that pid; None if there is none or it is a zombie."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process
    except psutil.NoSuchProcess:
        return None


def _started(process: Any) -> float:
    """Start time of a process, in seconds; on Linux since boot. Linux counts from boot, so the
    time of day would shift when the clock is corrected.
    """
    import psutil

    created = process.create_time()
    return float(created - psutil.boot_time() if psutil.LINUX else created)
