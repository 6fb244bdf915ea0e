"""Reading ahead: order, errors, and stopping a reader that waits."""

import threading
import time
from collections.abc import Iterator

import pytest

from terrafusion_lib.connectors.streaming import read_ahead


def test_items_come_in_order_one_ahead() -> None:
    made: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(50):
            made.append(number)
            yield number

    reader = read_ahead(numbers, cancel=lambda: None)
    assert next(reader) == 0
    time.sleep(0.2)
    assert len(made) <= 4
    assert list(reader) == list(range(1, 50))


def test_the_readers_error_reaches_the_consumer_after_the_items_before_it() -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise OSError("cut")

    reader = read_ahead(broken, cancel=lambda: None)
    assert next(reader) == 1
    with pytest.raises(OSError, match="cut"):
        next(reader)


def test_closing_cancels_a_reader_that_waits_and_closes_its_iterator() -> None:
    released, closed = threading.Event(), threading.Event()

    def waiting() -> Iterator[int]:
        try:
            yield 1
            released.wait(30)
            yield 2
        finally:
            closed.set()

    reader = read_ahead(waiting, cancel=released.set)
    assert next(reader) == 1
    started = time.monotonic()
    reader.close()  # type: ignore[attr-defined]
    assert closed.is_set()
    assert time.monotonic() - started < 5
