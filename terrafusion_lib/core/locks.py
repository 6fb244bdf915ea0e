"""Locks between processes: what one of them does at a time, on any operating system."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from terrafusion_lib.core.errors import LoadError, TerraFusionError
from terrafusion_lib.core.files import atomic_path


@contextmanager
def exclusive(
    lock: Path, refusal: Callable[[], TerraFusionError], *, patience: float = 0.0
) -> Iterator[None]:
    """Hold `lock`; the system frees it when the process ends, however it ends.

    Parameters
    ----------
    lock : Path
        A file that nothing else uses: where locks are mandatory, no other process can read it.
    refusal : callable
        The error to raise when another process, or another block of this one, holds the lock.
    patience : float
        Seconds to wait until it is free.
    """
    from filelock import FileLock, Timeout

    lock.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(lock, thread_local=False)
    try:
        held.acquire(timeout=patience)
    except Timeout as error:
        raise refusal() from error
    try:
        yield
    finally:
        held.release()


@contextmanager
def one_writer(lock: Path) -> Iterator[None]:
    """Hold the lock of a folder that one process writes at a time while others read.

    Raises
    ------
    LoadError
        Another process is writing.
    """

    def refusal() -> LoadError:
        return LoadError(f"Another process is writing {lock.parent}", hint="wait until it ends")

    with exclusive(lock, refusal):
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
