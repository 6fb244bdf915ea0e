"""The next items are made in other threads while one is used; their order stays."""

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
"""Seconds in which a reader that is not waiting for its source has noticed that it shall stop."""

JOIN_SECONDS = 10.0
_END: Final = object()


class _Failed:
    """Carries the reader's error to the consumer."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def nothing() -> None:
    """What it takes to make a reader return that ends its item by itself soon."""


def read_ahead(
    make: Callable[[], Iterator[Item]],
    *,
    count: int = 1,
    cancel: Callable[[], None] | None = nothing,
) -> Generator[Item, None, None]:
    """Yield what ``make()`` yields, read `count` items ahead in another thread.

    A database driver waits for the server in C code, where Python cannot deliver Ctrl-C. So the
    driver works in a thread, and the consumer waits here, where it can be interrupted; reading
    ahead also lets the consumer write one batch while the next one comes.

    Parameters
    ----------
    make : callable
        Makes the generator; it is made, read and closed in the thread.
    count : int
        Items that may wait to be used; one more may be in the making.
    cancel : callable or None
        Called from the consumer's thread when it stops early (interrupt, error, close) while the
        reader waits, to make it return. None when nothing can: the thread is then left to end
        by itself, with its time-out or with the process.
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
    """``function(item)`` of each item in order; up to `ahead` further ones are made meanwhile.

    The items themselves are read in the consumer's thread. When it stops early, those not begun
    are never made.
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
