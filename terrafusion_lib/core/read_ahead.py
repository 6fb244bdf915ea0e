"""Produces the next items in other threads while one is in use; keeps their order."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any, Final, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

BETWEEN_ITEMS = 0.5
"""Seconds within which a reader that is not waiting for its source notices a stop request."""

JOIN_SECONDS = 10.0
_END: Final = object()


class _Failed:
    """Carries the reader's error to the consumer."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def nothing() -> None:
    """For readers that soon finish their item anyway: nothing to cancel."""


def read_ahead(
    make: Callable[[], Iterator[Item]],
    *,
    count: int = 1,
    cancel: Callable[[], None] | None = nothing,
) -> Generator[Item, None, None]:
    """Yield what ``make()`` yields, reading `count` items ahead in another thread.

    A database driver waits for the server in C code, where Python cannot deliver Ctrl-C. So the
    driver runs in a thread, and the consumer waits here, where it can be interrupted. Reading
    ahead also lets the consumer write one batch while the next is read.

    Parameters
    ----------
    make : callable
        Creates the generator, which is created, read and closed in the thread.
    count : int
        Items that may wait; one more may be in progress.
    cancel : callable or None
        Called from the consumer's thread when it stops early (interrupt, error, close) while the
        reader waits, to make it return. None if that is impossible: the thread then ends on its
        own, at its timeout or with the process.
    """
    items: queue.Queue[Any] = queue.Queue(count)
    stopped = threading.Event()
    thread = threading.Thread(target=_fill, args=(make, items, stopped), daemon=True)
    thread.start()
    try:
        while (item := items.get()) is not _END:
            if isinstance(item, _Failed):
                raise item.error
            yield item
    finally:
        stopped.set()
        thread.join(BETWEEN_ITEMS)
        if thread.is_alive() and cancel:
            cancel()
            thread.join(JOIN_SECONDS)


def map_ahead(
    function: Callable[[Item], Made], items: Iterable[Item], *, threads: int, ahead: int
) -> Generator[Made, None, None]:
    """``function(item)`` of each item in order, computing up to `ahead` more in the meantime. The
    items themselves are read in the consumer's thread. If it stops early, those not started are
    never computed.
    """
    pool = ThreadPoolExecutor(threads)
    waiting: deque[Future[Made]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _fill(
    make: Callable[[], Iterator[Any]],
    items: "queue.Queue[Any]",
    stopped: threading.Event,
) -> None:
    try:
        with closing(make()) as source:  # type: ignore[type-var]
            for item in source:
                if not _put(items, item, stopped):
                    return
        _put(items, _END, stopped)
    except BaseException as error:  # noqa: BLE001 - raised again in the consumer's thread
        _put(items, _Failed(error), stopped)


def _put(items: "queue.Queue[Any]", item: Any, stopped: threading.Event) -> bool:
    """Put `item` unless the consumer has stopped; whether it was put."""
    while not stopped.is_set():
        try:
            items.put(item, timeout=0.05)
        except queue.Full:
            continue
        return True
    return False
