"""A project on a fresh machine: only what requirements.lock brings is there."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tests.support.require import ROOT, require

COPIED = ("county_configs", "dashboards", "expectations", "notebooks")
FILES = (
    "Makefile", "jupyterhub_config.py", "pipeline.yaml", "pyproject.toml", "requirements.lock",
    "requirements-test.lock",
)  # fmt: skip
START_SECONDS = 90


def fresh_environment() -> Path:
    """An environment made by ``make env`` from the lock; kept in build/ for the next time."""
    lock = hashlib.sha256((ROOT / "requirements.lock").read_bytes()).hexdigest()[:12]
    name = f"fresh-{lock}-{sys.version_info.major}{sys.version_info.minor}"
    folder = ROOT / "build" / name
    for older in (ROOT / "build").glob("fresh-*"):
        if older != folder:
            shutil.rmtree(older)
    command = ["make", "env", f"VENV={folder}", f"PYTHON={sys.executable}"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    require(made.returncode == 0, f"make env failed: {made.stderr[-2000:]}")
    return folder


@dataclass(frozen=True)
class FreshProject:
    """A copy of the project whose ``.venv`` is the fresh environment."""

    folder: Path

    def environment(self, *, active: bool, **more: str) -> dict[str, str]:
        """A user's variables; where the environment is `active` its programs are on the PATH."""
        first = f"{self.folder}/.venv/bin:" if active else ""
        home = self.folder.parent / "home"
        home.mkdir(exist_ok=True)
        return {
            "PATH": f"{first}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(home),
            "LANG": os.environ.get("LANG", "C.UTF-8"),
            "BROWSER": "true",
            **more,
        }

    def run(
        self, command: str, *, active: bool = True, typed: str = "", **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Type a command into a shell in the project's folder."""
        return subprocess.run(
            ["/bin/sh", "-c", command], cwd=self.folder, input=typed, text=True, check=False,
            env=self.environment(active=active, **more), capture_output=True,
            start_new_session=True,
        )  # fmt: skip

    def serve(self, command: str, url: str, *, active: bool = True, **more: str) -> str:
        """Start a server, wait until `url` is found there, stop it; returns the page."""
        log = self.folder.parent / "server.log"
        with log.open("wb") as output:
            server = subprocess.Popen(
                ["/bin/sh", "-c", command], cwd=self.folder, stdout=output, stderr=output,
                env=self.environment(active=active, **more), start_new_session=True,
            )  # fmt: skip
        try:
            return _page(url, server, log)
        finally:
            _stop(server)


def fresh_project(folder: Path) -> FreshProject:
    """Copy to `folder` what a checkout has, and give it the fresh environment as ``.venv``."""
    environment = fresh_environment()
    for name in COPIED:
        ignored = shutil.ignore_patterns(".ipynb_checkpoints", "*-ipc-*")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in FILES:
        shutil.copy2(ROOT / name, folder)
    (folder / ".venv").symlink_to(environment)
    return FreshProject(folder)


def _page(url: str, server: subprocess.Popen[bytes], log: Path) -> str:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return str(answer.read().decode())
        except OSError as error:  # refused, or not found there before the hub knows its routes
            told = log.read_text(errors="replace")[-3000:]
            assert server.poll() is None, f"it ended: {told}"
            assert time.monotonic() < end, f"{error}: {told}"
            time.sleep(0.3)


def _stop(server: subprocess.Popen[bytes]) -> None:
    """End the server and what it started; JupyterLab and the hub do so when they are told to."""
    os.killpg(server.pid, signal.SIGTERM)
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
