"""Reading ahead: order, errors, and stopping a reader that waits."""

import threading
import time
from collections.abc import Generator

import pytest

from terrafusion_lib.core.read_ahead import map_ahead, read_ahead


def test_items_come_in_order_one_ahead() -> None:
    made: list[int] = []

    def numbers() -> Generator[int, None, None]:
        for number in range(50):
            made.append(number)
            yield number

    reader = read_ahead(numbers)
    assert next(reader) == 0
    time.sleep(0.2)
    assert len(made) <= 4
    assert list(reader) == list(range(1, 50))


def test_the_readers_error_reaches_the_consumer_after_the_items_before_it() -> None:
    def broken() -> Generator[int, None, None]:
        yield 1
        raise OSError("cut")

    reader = read_ahead(broken)
    assert next(reader) == 1
    with pytest.raises(OSError, match="cut"):
        next(reader)


def test_closing_cancels_a_reader_that_waits_and_closes_its_iterator() -> None:
    released, closed = threading.Event(), threading.Event()

    def waiting() -> Generator[int, None, None]:
        try:
            yield 1
            released.wait(30)
            yield 2
        finally:
            closed.set()

    reader = read_ahead(waiting, cancel=released.set)
    assert next(reader) == 1
    started = time.monotonic()
    reader.close()
    assert closed.is_set()
    assert time.monotonic() - started < 5


def test_results_come_in_the_order_of_their_items_and_a_few_ahead() -> None:
    begun: list[int] = []

    def double(number: int) -> int:
        begun.append(number)
        time.sleep(0.02 if number % 2 == 0 else 0)
        return 2 * number

    results = map_ahead(double, iter(range(20)), threads=3, ahead=4)
    assert next(results) == 0
    time.sleep(0.2)
    assert sorted(begun) == [0, 1, 2, 3, 4]
    assert list(results) == [2 * number for number in range(1, 20)]
    assert list(map_ahead(double, (), threads=1, ahead=1)) == []


@pytest.mark.parametrize("fails", [True, False])
def test_what_is_not_begun_is_never_made_when_the_consumer_stops(fails: bool) -> None:
    made: list[int] = []

    def make(number: int) -> int:
        if number == 1 and fails:
            raise OSError("cut")
        time.sleep(0.05)
        made.append(number)
        return number

    results = map_ahead(make, range(100), threads=1, ahead=50)
    assert next(results) == 0
    if fails:
        with pytest.raises(OSError, match="cut"):
            next(results)
    results.close()
    assert len(made) < 10
