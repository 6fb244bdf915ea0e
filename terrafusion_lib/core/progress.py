"""Progress of long work, reported as (done, total) and shown by whoever listens."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TextIO


class Progress(Protocol):
    """Receives progress; an engine calls it often and cheaply."""

    def __call__(self, task: str, done: int, total: int | None) -> None: ...


def silent(task: str, done: int, total: int | None) -> None:
    """Report nothing."""


@dataclass
class LineProgress:
    """One line per task on a terminal or in a notebook, with rate and time left.

    At most one update per `every` seconds and task, and always the last one.
    """

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    every: float = 0.5
    clock: Callable[[], float] = time.monotonic
    _started: dict[str, float] = field(default_factory=dict)
    _shown: dict[str, float] = field(default_factory=dict)

    def __call__(self, task: str, done: int, total: int | None) -> None:
        now = self.clock()
        start = self._started.setdefault(task, now)
        finished = total is not None and done >= total
        if not finished and now - self._shown.get(task, -self.every) < self.every:
            return
        self._shown[task] = now
        rate = done / (now - start) if now > start else 0.0
        text = f"{task}: {done:,}" + (f" of {total:,}" if total else "")
        if rate:
            text += f", {rate:,.0f}/s"
        if rate and total and not finished:
            text += f", {(total - done) / rate:,.0f} s left"
        end = "\n" if finished or not self.stream.isatty() else "\r"
        self.stream.write(text.ljust(78) + end)
        self.stream.flush()
        if finished:
            self._started.pop(task, None)
            self._shown.pop(task, None)
