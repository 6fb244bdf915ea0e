"""Largest resident size of the process that asks."""

import resource
from pathlib import Path


def peak_mb() -> float:
    """Megabytes (2**20 bytes); where Linux tells it, without what a parent process had before.

    ``ru_maxrss`` of a started program begins at the size of the program that started it.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
