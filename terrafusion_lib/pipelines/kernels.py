"""How notebook kernels of a run are reached."""

import atexit
import os
import shutil
import tempfile
import uuid
from functools import cache
from typing import Any


@cache
def use_private_sockets() -> None:
    """Let kernels that this process starts listen on sockets in a folder of this user alone.

    By default they open TCP ports that every user of the machine can reach, unencrypted; Jupyter's
    own choice for sockets is the working folder, where two runs would meet. Windows has no such
    sockets: there kernels keep to ports of the machine itself, with a key for each kernel.
    """
    if os.name == "nt":
        return
    from jupyter_client.connect import ConnectionFileMixin

    folder = tempfile.mkdtemp(prefix="terrafusion-kernels-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)

    def address(_manager: Any) -> str:
        return f"{folder}/{uuid.uuid4().hex[:12]}"

    ConnectionFileMixin.transport.default_value = "ipc"
    setattr(ConnectionFileMixin, "_ip_default", address)  # noqa: B010 - traitlets asks it
