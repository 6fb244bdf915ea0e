"""Where exports go: a folder, or an object store through fsspec. All of an export, or nothing."""

import json
import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from terrafusion_lib.core.errors import MissingDependencyError
from terrafusion_lib.plugins.gis_export.errors import write_error
from terrafusion_lib.plugins.gis_export.metadata import METADATA

COPYING = ".tmp"
"""End of the hidden name under which an export is copied from another disk."""


class Destination(Protocol):
    """Holds finished exports, each under its id."""

    def publish(self, staged: Path, export_id: str) -> str:
        """Make a staged folder visible under the id; returns its location.

        Raises
        ------
        ExportError
            It could not be written; nothing of it is left.
        """
        ...

    def clear(self, now: datetime, alive: Callable[[str], bool]) -> list[str]:
        """Remove expired exports, and what an upload that is not `alive` left; returns ids."""
        ...


def open_destination(url: str) -> Destination:
    """The destination at a path or URL; nothing is touched yet.

    Credentials come from the store's own environment variables (``AWS_ACCESS_KEY_ID`` …), other
    options from fsspec's (``FSSPEC_S3_ENDPOINT_URL`` …).

    Raises
    ------
    MissingDependencyError
        The package for that kind of URL is not installed.
    """
    if "://" not in url:
        return FolderDestination(Path(url))
    import fsspec  # type: ignore[import-untyped]

    try:
        filesystem, root = fsspec.core.url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise MissingDependencyError(
            f"Exports cannot go to {url.partition('://')[0]}://: {error}",
            hint="pip install s3fs (or gcsfs, adlfs)",
        ) from error
    return ObjectDestination(filesystem, root, url.rstrip("/"))


@dataclass(frozen=True)
class FolderDestination:
    """A folder with one folder per export."""

    root: Path

    def publish(self, staged: Path, export_id: str) -> str:
        target = self.root / export_id
        try:
            for path in staged.iterdir():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
            self.root.mkdir(parents=True, exist_ok=True)
            if staged.stat().st_dev == self.root.stat().st_dev:
                staged.rename(target)
            else:
                self._copy(staged, target)
        except OSError as error:
            raise write_error(error, target) from error
        return str(target)

    def _copy(self, staged: Path, target: Path) -> None:
        """Copy from another disk under a hidden name, then rename."""
        hidden = target.with_name(f".{target.name}{COPYING}")
        try:
            shutil.copytree(staged, hidden)
            hidden.rename(target)
        finally:
            shutil.rmtree(hidden, ignore_errors=True)

    def clear(self, now: datetime, alive: Callable[[str], bool]) -> list[str]:
        removed = []
        for path in sorted(self.root.glob("*/")):
            name = path.name.removeprefix(".").removesuffix(COPYING)
            if path.name == f".{name}{COPYING}":
                gone = not alive(name)
            else:
                gone = _expired(_read(path), now)
            if gone:
                shutil.rmtree(path, ignore_errors=True)
                removed.append(name)
        return removed


@dataclass(frozen=True)
class ObjectDestination:
    """An object store; the metadata are written last, and mark an export as whole."""

    filesystem: Any
    root: str
    url: str

    def publish(self, staged: Path, export_id: str) -> str:
        target = f"{self.root}/{export_id}"
        files = sorted(staged.iterdir(), key=lambda path: (path.name == METADATA, path.name))
        try:
            self.filesystem.makedirs(target, exist_ok=True)
            for path in files:
                self.filesystem.put_file(str(path), f"{target}/{path.name}")
        except BaseException as error:
            self._remove(target)
            if isinstance(error, OSError):
                raise write_error(error, Path(export_id)) from error
            raise
        return f"{self.url}/{export_id}"

    def clear(self, now: datetime, alive: Callable[[str], bool]) -> list[str]:
        removed = []
        self.filesystem.invalidate_cache()
        if not self.filesystem.exists(self.root):
            return []
        for entry in sorted(self.filesystem.ls(self.root, detail=True), key=lambda e: e["name"]):
            name = entry["name"].rstrip("/").rpartition("/")[2]
            if entry["type"] != "directory":
                continue
            document = f"{self.root}/{name}/{METADATA}"
            whole = self.filesystem.exists(document)
            if (
                _expired(json.loads(self.filesystem.cat_file(document)), now)
                if whole
                else not alive(name)
            ):
                self._remove(f"{self.root}/{name}")
                removed.append(name)
        return removed

    def _remove(self, target: str) -> None:
        try:
            self.filesystem.rm(target, recursive=True)
        except OSError:
            return  # nothing was written, or the store is gone: the next export clears it


def staging_folder(root: Path, export_id: str) -> Path:
    """Where this process builds an export before it is published."""
    return root / f".{export_id}.{socket.gethostname().replace('.', '-')}.{os.getpid()}.staged"


def abandoned(root: Path) -> dict[str, Path]:
    """Staging folders whose process of this machine is gone, by export id."""
    host = socket.gethostname().replace(".", "-")
    found = {}
    for path in sorted(root.glob(".*.staged")):
        export_id, machine, process, _ = path.name.removeprefix(".").rsplit(".", 3)
        if machine == host and not _lives(int(process)):
            found[export_id] = path
    return found


def _read(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / METADATA).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return {}
    return found


def _expired(metadata: dict[str, Any], now: datetime) -> bool:
    until = metadata.get("expires_at")
    return until is not None and datetime.fromisoformat(until) <= now


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
