"""Progress of long work, reported as (done, total) and displayed by a listener."""

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
    """Lines in a terminal or notebook, with rate and time left. At most one update per `every`
    seconds and task; shorter tasks are not shown. A task with a total of one is a stage: its
    completion is shown with its duration.
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
        if finished:
            self._started.pop(task)
        if total == 1:
            if finished and now - start >= self.every:
                self._write(f"{task}: {now - start:.1f} s", end="\n")
            return
        if now - self._shown.get(task, start) < self.every and not (
            finished and task in self._shown
        ):
            return
        self._shown[task] = now
        self._write(_line(task, done, total, now - start), end="\n" if finished else None)
        if finished:
            self._shown.pop(task)

    def _write(self, text: str, *, end: str | None) -> None:
        self.stream.write(text.ljust(78) + (end or ("\r" if self.stream.isatty() else "\n")))
        self.stream.flush()


def _line(task: str, done: int, total: int | None, seconds: float) -> str:
    """``map sales: 50,000 of 80,000, 25,000/s, 1 s left``."""
    text = f"{task}: {done:,}" + (f" of {total:,}" if total else "")
    rate = done / seconds if seconds else 0.0
    if rate:
        text += f", {rate:,.0f}/s"
    if rate and total and done < total:
        text += f", {(total - done) / rate:,.0f} s left"
    return text
