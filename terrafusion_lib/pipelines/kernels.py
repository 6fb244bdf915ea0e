"""Kernels for a run's notebooks: ready before each notebook's turn, ended after it."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from types import TracebackType

from terrafusion_lib.core.errors import RunError
from terrafusion_lib.pipelines.private_kernel import PrivateKernel

AHEAD = 2
"""Maximum kernels waiting for their notebook's turn; limits memory."""


class Kernels:
    """The kernels of several notebooks, each started while earlier notebooks run.

    Use it in a ``with`` block; when the block ends, even with an error, all kernels end.

    Parameters
    ----------
    folder : Path
        Where the notebooks run.
    code : mapping
        Code that each notebook's kernel executes before its turn, in running order.
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
        """The kernel for the current notebook; a new one if the waiting kernel died.

        Raises
        ------
        RunError
            The kernels were killed.
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
        """End the kernel of a finished notebook without waiting."""
        with self._lock:
            self._taken.remove(kernel)
            self._endings.submit(kernel.end)

    def kill(self) -> None:
        """End every kernel immediately and start no more; running notebooks fail."""
        with self._lock:
            self._killed = True
            for kernel in (*self._ready.values(), *self._taken):
                kernel.kill()

    def _start_ahead(self, count: int) -> None:
        for name in list(self._code)[:count]:
            if name not in self._ready:
                self._ready[name] = PrivateKernel()
                self._ready[name].begin(self._folder, self._code[name])
