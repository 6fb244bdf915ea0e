"""JupyterHub as ``make hub`` starts it, on free ports of this machine, stopped at the end."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from terrafusion_lib.core.settings import Settings
from tests.support.require import ROOT

START_SECONDS = 90


def free_ports(count: int) -> int:
    """The first of `count` neighboring free ports."""
    for first in random.sample(range(18_000, 28_000, 4), 200):
        try:
            held = [socket.create_server(("127.0.0.1", first + k)) for k in range(count)]
        except OSError:
            continue
        for server in held:
            server.close()
        return first
    raise AssertionError("no free ports")


@contextmanager
def hub(settings: Settings, log: Path) -> Iterator[str]:
    """Start the hub for a project; yields its address."""
    port = free_ports(4)
    environment = os.environ | settings.environment() | {"TERRAFUSION_HUB_PORT": str(port)}
    program = Path(sys.executable).with_name("jupyterhub")
    command = [sys.executable, str(program), "-f", str(ROOT / "jupyterhub_config.py")]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=settings.root, env=environment, stdout=output, stderr=output
        )
    try:
        _wait(process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while b"JupyterHub is now running" not in log.read_bytes():
        assert process.poll() is None, log.read_text(errors="replace")[-3000:]
        assert time.monotonic() < end, log.read_text(errors="replace")[-3000:]
        time.sleep(0.3)


def login(address: str, username: str, password: str) -> requests.Session:
    """A browser's session after the login form; look at its cookies to see whether it worked."""
    session = requests.Session()
    page = session.get(f"{address}/hub/login").text
    token = re.search(r'name="_xsrf" value="([^"]+)"', page)
    assert token, page[:500]
    form = {"_xsrf": token[1], "username": username, "password": password}
    session.post(f"{address}/hub/login", data=form, allow_redirects=False)
    return session
