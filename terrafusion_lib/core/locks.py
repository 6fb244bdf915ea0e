"""Locks between processes, on any operating system."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from terrafusion_lib.core.errors import LoadError, TerraFusionError
from terrafusion_lib.core.files import atomic_path


@contextmanager
def exclusive(
    lock: Path, refusal: Callable[[], TerraFusionError], *, patience: float = 0.0
) -> Iterator[None]:
    """Hold `lock`; the system releases it when the process ends for any reason.

    Parameters
    ----------
    lock : Path
        A file used for nothing else; where locks are mandatory, no other process can read it.
    refusal : callable
        Returns the error to raise when another process, or another block in this one, holds the
        lock.
    patience : float
        Seconds to wait for the lock.
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
    """Hold the write lock of a folder; one process writes while others may read.

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
    """A temporary path that replaces `target` when the block succeeds. One writer at a time;
    leftovers of killed writers are removed first.
    """
    with one_writer(target.with_name(f".{target.name}.lock")):
        for left in target.parent.glob(f".{target.name}.*.tmp*"):
            left.unlink()
        with atomic_path(target) as temporary:
            yield temporary
