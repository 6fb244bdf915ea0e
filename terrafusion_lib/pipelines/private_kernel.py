"""One notebook kernel that only this user can reach."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager
from traitlets import default

LONGEST = 60
"""Characters of the temporary folder's name; systems limit socket paths to about a hundred."""


class PrivateKernel(AsyncKernelManager):
    """A kernel that listens on sockets in a folder only this user can access. By default kernels
    open unencrypted TCP ports that every user of the machine can reach; Jupyter would put sockets
    in the working folder, where two runs would collide. Windows has no such sockets: there kernels
    use local ports, with a key for each kernel.
    """

    @default("transport")
    def _transport_of_this_system(self) -> str:
        return "ipc" if os.name == "posix" else "tcp"

    @default("ip")
    def _private_address(self) -> str:
        if self.transport == "tcp":
            return "127.0.0.1"
        place = tempfile.gettempdir()
        place = place if len(place) <= LONGEST else "/tmp"  # noqa: S108 - a folder of its own in it
        return str(Path(tempfile.mkdtemp(prefix="terrafusion-kernel-", dir=place), "socket"))

    _client: AsyncKernelClient | None = None

    def begin(self, folder: Path, code: str = "") -> None:
        """Start the process in `folder`; `code` runs before the first cell and defines no names."""
        options = ["--HistoryManager.hist_file=:memory:"]
        if code:
            options.append(f"--IPKernelApp.exec_lines=exec({code!r}, {{}})")
        _run(self.start_kernel(cwd=str(folder), extra_arguments=options))

    def lives(self) -> bool:
        """Whether the process runs."""
        return bool(_run(self.is_alive()))

    def client(self, **options: Any) -> AsyncKernelClient:  # type: ignore[override]
        """A client; `end` closes its channels."""
        self._client = super().client(**options)
        return self._client

    def kill(self) -> None:
        """Kill the process immediately; a notebook running in it fails."""
        _run(self._kill())

    def end(self) -> None:
        """Shut the process down if it still runs, and delete its sockets."""
        if self._client:
            self._client.stop_channels()
        _run(self.shutdown_kernel() if self.has_kernel else self.cleanup_resources())
        if self.transport == "ipc":
            shutil.rmtree(Path(self.ip).parent, ignore_errors=True)

    async def _kill(self) -> None:
        if self.provisioner:
            await self.provisioner.kill()
            await self.provisioner.wait()


def _run(awaitable: Awaitable[Any]) -> Any:
    """The result of a manager's asynchronous call."""

    async def outcome() -> Any:
        return await awaitable

    return asyncio.run(outcome())
