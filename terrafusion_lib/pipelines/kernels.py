"""Kernels of a run's notebooks: reached by this user alone, ready before their notebook's turn."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any

from jupyter_client.manager import AsyncKernelManager
from traitlets import default

AHEAD = 2
"""Kernels that may wait for their notebook's turn; bounds the memory."""


class PrivateKernel(AsyncKernelManager):
    """A kernel that listens on sockets in a folder of this user alone.

    By default kernels open TCP ports that every user of the machine can reach, unencrypted;
    Jupyter's own choice for sockets is the working folder, where two runs would meet. Windows has
    no such sockets: kernels there keep to ports.
    """

    @default("transport")
    def _transport_of_this_system(self) -> str:
        return "ipc" if os.name == "posix" else "tcp"

    @default("ip")
    def _private_address(self) -> str:
        if self.transport == "tcp":
            return "127.0.0.1"
        return str(Path(tempfile.mkdtemp(prefix="terrafusion-kernel-"), "socket"))

    def begin(self, folder: Path, code: str = "") -> None:
        """Start the process in `folder`; `code` runs before the first cell and leaves no name."""
        options = ["--HistoryManager.hist_file=:memory:"]
        if code:
            options.append(f"--IPKernelApp.exec_lines=exec({code!r}, {{}})")
        _run(self.start_kernel(cwd=str(folder), extra_arguments=options))

    def lives(self) -> bool:
        """Whether the process runs."""
        return bool(_run(self.is_alive()))

    def end(self, *, now: bool = False) -> None:
        """End the process, by its own leave or `now`, and remove its sockets."""
        _run(self.shutdown_kernel(now=now))
        if self.transport == "ipc":
            shutil.rmtree(Path(self.ip).parent, ignore_errors=True)


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
        self._lock = Lock()
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
        self._endings.shutdown()

    def take(self, name: str) -> PrivateKernel:
        """The kernel of a notebook whose turn it is; a fresh one when the one that waited died."""
        with self._lock:
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
            if kernel in self._taken:
                self._taken.remove(kernel)
                self._endings.submit(kernel.end)

    def kill(self) -> None:
        """End every kernel now; notebooks that still run fail."""
        with self._lock:
            for kernel in (*self._ready.values(), *self._taken):
                self._endings.submit(kernel.end, now=True)
            self._code.clear()
            self._ready.clear()
            self._taken.clear()

    def _start_ahead(self, count: int) -> None:
        for name in list(self._code)[:count]:
            if name not in self._ready:
                self._ready[name] = PrivateKernel()
                self._ready[name].begin(self._folder, self._code[name])


def _run(awaitable: Awaitable[Any]) -> Any:
    """The outcome of a manager's asynchronous call."""

    async def outcome() -> Any:
        return await awaitable

    return asyncio.run(outcome())
