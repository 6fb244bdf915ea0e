"""Files and folders that one process writes at a time while others read."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from terrafusion_lib.core.errors import LoadError
from terrafusion_lib.core.files import atomic_path


@contextmanager
def one_writer(lock: Path) -> Iterator[None]:
    """Hold `lock`; the system frees it when the process ends.

    Raises
    ------
    LoadError
        Another process is writing.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LoadError(
                f"Another process is writing {lock.parent}", hint="wait until it ends"
            ) from error
        yield


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A temporary path that takes the place of `target` when the block succeeds.

    One writer at a time; what killed ones left is removed first.
    """
    with one_writer(target.with_name(f".{target.name}.lock")):
        for left in target.parent.glob(f".{target.name}.*.tmp*"):
            left.unlink()
        with atomic_path(target) as temporary:
            yield temporary
