"""Writes files completely or not at all, and hashes that identify them."""

import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; rename it onto `target` when the block succeeds.

    The temporary file is removed when the block fails. Even after a kill, no partial file appears
    under the final name.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        with temporary.open("r+b") as written:
            os.fsync(written.fileno())
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(target: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(target: Path, data: object) -> None:
    """Write indented, key-sorted JSON atomically (dates and paths as text)."""
    write_text(target, json.dumps(data, indent=2, sort_keys=True, default=str) + "\n")


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint(*parts: object) -> str:
    """SHA-256 (16 hexadecimal digits) of the canonical JSON of `parts`, stable across processes."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def tree_fingerprint(*roots: Path, suffixes: tuple[str, ...] = (".py", ".yaml", ".sql")) -> str:
    """Fingerprint of the names and contents of all files below `roots` with one of `suffixes`."""
    digests = []
    for root in roots:
        paths = [root] if root.is_file() else sorted(root.rglob("*"))
        base = root.parent
        digests += [
            (path.relative_to(base).as_posix(), file_hash(path))
            for path in paths
            if path.is_file() and (path == root or path.suffix in suffixes)
        ]
    return fingerprint(digests)
