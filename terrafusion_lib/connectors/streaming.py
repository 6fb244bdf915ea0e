"""Read ahead in a thread, so that a reader that waits in C code can be interrupted."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Final

BETWEEN_ITEMS = 0.5
"""Seconds in which a reader that is not waiting for its source has noticed that it shall stop."""

JOIN_SECONDS = 10.0
_END: Final = object()


class _Failed:
    """Carries the reader's error to the consumer."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


def read_ahead(
    make: Callable[[], Iterator[Any]], *, cancel: Callable[[], None] | None
) -> Iterator[Any]:
    """Yield what ``make()`` yields, read one item ahead in another thread.

    A database driver waits for the server in C code, where Python cannot deliver Ctrl-C. So the
    driver works in a thread, and the consumer waits here, where it can be interrupted; reading
    ahead also lets the consumer write one batch while the next one comes.

    Parameters
    ----------
    make : callable
        Makes the iterator; it is made, read and closed in the thread.
    cancel : callable or None
        Called from the consumer's thread when it stops early (interrupt, error, close) while the
        reader waits, to make it return. None when nothing can: the thread is then left to end
        by itself, with its time-out or with the process.
    """
    items: queue.Queue[Any] = queue.Queue(maxsize=1)
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


def _fill(
    make: Callable[[], Iterator[Any]], items: "queue.Queue[Any]", stopped: threading.Event
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
