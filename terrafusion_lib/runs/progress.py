"""Shows the progress of a run's notebooks, which run in separate processes, in the terminal."""

import json
import threading
from pathlib import Path
from types import TracebackType

from terrafusion_lib.core.progress import Progress


class FollowEvents:
    """Follow a run's event file while the block runs and pass each line to `progress`."""

    def __init__(self, path: Path, progress: Progress, *, every: float = 0.2) -> None:
        self._path = path
        self._progress = progress
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> "FollowEvents":
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _follow(self) -> None:
        with self._path.open(encoding="utf-8") as file:
            pending = ""
            while True:
                stopping = self._stop.wait(self._every)
                pending += file.read()
                *lines, pending = pending.split("\n")
                for line in lines:
                    self._progress(**json.loads(line))
                if stopping:
                    return
