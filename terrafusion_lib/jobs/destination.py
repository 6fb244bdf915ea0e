"""Destinations for files: a folder, or an object store through fsspec. All files or none."""

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from terrafusion_lib.core.log import mask_secrets
from terrafusion_lib.core.packages import missing_package
from terrafusion_lib.jobs.marker import MARKER, METADATA, marker_text
from terrafusion_lib.plugins.write_errors import (
    UNWRITABLE,
    UPLOAD_INCOMPLETE,
    NoSuchStoreError,
    PublishError,
    place_error,
    write_error,
)

FLAT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az"})
NO_FOLDER = (errno.ENOENT, errno.ENOTDIR, errno.EEXIST)


class Destination(Protocol):
    """Stores finished exports, each in a folder named by its job."""

    def reserve(self, job_id: str) -> None:
        """Check that the export can be written.

        Raises
        ------
        PublishError
            It cannot be written.
        """
        ...

    def publish(self, staged: Path, job_id: str) -> str:
        """Make a staged folder visible under the job's id; returns its location.

        Raises
        ------
        PublishError
            It could not be written completely; no files are left.
        """
        ...

    def exports(self) -> set[str]:
        """Names of all folders there, regardless of origin."""
        ...

    def read(self, job_id: str, name: str) -> bytes | None:
        """One file of an export; None if missing."""
        ...

    def delete(self, job_id: str, names: Iterable[str]) -> None:
        """Delete these files of an export, and its folder if nothing else is in it."""
        ...


def open_destination(url: str) -> Destination:
    """The destination at a path or URL; writes nothing yet.

    Credentials come from the store's own environment variables (``AWS_ACCESS_KEY_ID`` …), other
    options from fsspec's (``FSSPEC_S3_ENDPOINT_URL`` …).

    Raises
    ------
    NoSuchStoreError
        The package for this kind of URL is not installed.
    PublishError
        The server does not respond.
    """
    if "://" not in url:
        return FolderDestination(Path(url))
    import fsspec  # type: ignore[import-untyped]

    try:
        filesystem, root = fsspec.core.url_to_fs(url)
    except ImportError as error:
        package = getattr(error.__cause__, "name", None) or "fsspec"
        raise missing_package(
            package, f"An export to {url.partition('://')[0]}://", kind=NoSuchStoreError
        ) from error
    except ValueError as error:
        raise NoSuchStoreError(
            f"Exports cannot go to {url.partition('://')[0]}://: {error}",
            hint="give a folder, or a URL such as s3://bucket/prefix",
        ) from error
    except Exception as error:
        raise place_error(error, url) from error
    return ObjectDestination(filesystem, root.rstrip("/"), url.rstrip("/"))


def place_name(url: str) -> str:
    """A destination's name in jobs: an absolute path, or a URL without secrets."""
    return mask_secrets(url.rstrip("/")) if "://" in url else str(Path(url).resolve())


@dataclass(frozen=True)
class FolderDestination:
    """A folder with one folder per export, which is staged next to the others and renamed."""

    root: Path

    def reserve(self, job_id: str) -> None:  # noqa: ARG002 - staging beside it reserves its place
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            if error.errno not in NO_FOLDER:
                raise write_error(error, self.root) from error
            raise PublishError(
                f"{self.root} could not be written: it is not a folder and cannot be created "
                f"({error.strerror})",
                reason_code=UNWRITABLE,
                hint="choose another folder with --to",
            ) from error

    def publish(self, staged: Path, job_id: str) -> str:
        target = self.root / job_id
        try:
            for path in staged.iterdir():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
            staged.rename(target)
        except OSError as error:
            raise write_error(error, target) from error
        return str(target)

    def exports(self) -> set[str]:
        return {
            path.name for path in self.root.iterdir() if path.is_dir() and not path.is_symlink()
        }

    def read(self, job_id: str, name: str) -> bytes | None:
        path = self.root / job_id / name
        return path.read_bytes() if path.is_file() else None

    def delete(self, job_id: str, names: Iterable[str]) -> None:
        folder = self.root / job_id
        if folder.is_symlink():
            return
        for name in names:
            (folder / name).unlink(missing_ok=True)
        with suppress(OSError):  # other files in the folder stay
            folder.rmdir()


@dataclass(frozen=True)
class ObjectDestination:
    """An object store; the marker is written first, the metadata last."""

    filesystem: Any
    root: str
    url: str

    def reserve(self, job_id: str) -> None:
        target = f"{self.root}/{job_id}"
        try:
            if not self._is_flat():
                self.filesystem.makedirs(target, exist_ok=True)
            self.filesystem.pipe_file(f"{target}/{MARKER}", marker_text(job_id, []))
        except Exception as error:
            raise place_error(error, self.url) from error

    def publish(self, staged: Path, job_id: str) -> str:
        target = f"{self.root}/{job_id}"
        order = {MARKER: 0, METADATA: 2}
        files = sorted(staged.iterdir(), key=lambda path: (order.get(path.name, 1), path.name))
        try:
            for path in files:
                self.filesystem.put_file(str(path), f"{target}/{path.name}")
            self._check(target, {path.name: path.stat().st_size for path in files})
        except BaseException as error:
            self.delete(job_id, [path.name for path in reversed(files)])
            if isinstance(error, PublishError) or not isinstance(error, Exception):
                raise
            raise place_error(error, self.url) from error
        return f"{self.url}/{job_id}"

    def _is_flat(self) -> bool:
        """Whether it has no folders; creating one there would create a bucket."""
        protocol = self.filesystem.protocol
        names = {protocol} if isinstance(protocol, str) else set(protocol)
        return bool(names & FLAT_STORES)

    def _check(self, target: str, sizes: dict[str, int]) -> None:
        """Check that every file exists with the right size.

        Raises
        ------
        PublishError
            A file is missing or has the wrong size.
        """
        self.filesystem.invalidate_cache()
        stored = self.filesystem.find(target, detail=True)
        there = {name.rpartition("/")[2]: entry["size"] for name, entry in stored.items()}
        wrong = sorted(name for name, size in sizes.items() if there.get(name) != size)
        if wrong:
            raise PublishError(
                f"Files are missing at {mask_secrets(self.url)} or incomplete after the upload",
                reason_code=UPLOAD_INCOMPLETE,
                count=len(wrong),
                examples=wrong,
                cause="something else deleted or wrote them at the same time",
                hint="export again, or to a place that nothing else cleans up",
            )

    def exports(self) -> set[str]:
        self.filesystem.invalidate_cache()
        entries = self.filesystem.ls(self.root, detail=True)
        names = (item["name"] for item in entries if item["type"] == "directory")
        return {name.rstrip("/").rpartition("/")[2] for name in names}

    def read(self, job_id: str, name: str) -> bytes | None:
        try:
            return bytes(self.filesystem.cat_file(f"{self.root}/{job_id}/{name}"))
        except FileNotFoundError:
            return None

    def delete(self, job_id: str, names: Iterable[str]) -> None:
        target = f"{self.root}/{job_id}"
        for name in names:
            with suppress(Exception):  # not written or unreachable: a later sweep retries
                self.filesystem.rm(f"{target}/{name}")
        with suppress(Exception):  # object stores have no folders; elsewhere, other files stay
            self.filesystem.rmdir(target)
