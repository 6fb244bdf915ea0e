"""Kernels of a run's notebooks: ready before their notebook's turn, gone after it."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from types import TracebackType

from terrafusion_lib.core.errors import RunError
from terrafusion_lib.pipelines.private_kernel import PrivateKernel

AHEAD = 2
"""Kernels that may wait for their notebook's turn; bounds the memory."""


class Kernels:
    """The kernels of several notebooks, each started while the notebooks before it run.

    Use it in a ``with`` block; once the block is left, also by an error, no kernel is left.

    Parameters
    ----------
    folder : Path
        Where the notebooks run.
    code : mapping
        By notebook, in running order: what its kernel executes before its turn.
    """

    def __init__(self, folder: Path, code: Mapping[str, str]) -> None:
        self._folder = folder
        self._code = dict(code)
        self._ready: dict[str, PrivateKernel] = {}
        self._taken: set[PrivateKernel] = set()
        self._lock, self._killed = Lock(), False
        self._endings = ThreadPoolExecutor()

    def __enter__(self) -> "Kernels":
        self._start_ahead(1)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        for kernel in (*self._ready.values(), *self._taken):
            self._endings.submit(kernel.end)
        self._endings.shutdown()

    def take(self, name: str) -> PrivateKernel:
        """The kernel of a notebook whose turn it is; a fresh one when the one that waited died.

        Raises
        ------
        RunError
            The kernels have been killed.
        """
        with self._lock:
            if self._killed:
                raise RunError("The run has been stopped", step=name)
            self._code.pop(name, None)
            kernel = self._ready.pop(name, None)
            if kernel and not kernel.lives():
                self._endings.submit(kernel.end)
                kernel = None
            if kernel is None:
                kernel = PrivateKernel()
                kernel.begin(self._folder)
            self._taken.add(kernel)
            self._start_ahead(AHEAD)
        return kernel

    def give_back(self, kernel: PrivateKernel) -> None:
        """Let a kernel end whose notebook has; nobody waits for it."""
        with self._lock:
            self._taken.remove(kernel)
            self._endings.submit(kernel.end)

    def kill(self) -> None:
        """End every kernel now, and give out no more; notebooks that still run fail."""
        with self._lock:
            self._killed = True
            for kernel in (*self._ready.values(), *self._taken):
                kernel.kill()

    def _start_ahead(self, count: int) -> None:
        for name in list(self._code)[:count]:
            if name not in self._ready:
                self._ready[name] = PrivateKernel()
                self._ready[name].begin(self._folder, self._code[name])
