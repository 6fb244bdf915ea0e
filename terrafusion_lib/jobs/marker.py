"""The marker of published files: the export they belong to, and which files are its own."""

import json
from collections.abc import Sequence

MARKER = ".terrafusion-export"
"""Name of the file. Other files in the folder that it does not list are never deleted."""

METADATA = "metadata.json"
"""Name of the metadata document. It is published last; a folder without it is not an export."""


def marker_text(job_id: str, files: Sequence[str]) -> bytes:
    """The marker of an export and its files."""
    return json.dumps({"job_id": job_id, "files": sorted(files)}).encode()


def own_files(text: bytes | None, job_id: str) -> list[str] | None:
    """The export's own files according to the marker; None if it is not that export's marker. Only
    plain names count, so a marker cannot refer to files outside its folder.
    """
    try:
        marker = json.loads(text or b"")
        if marker["job_id"] != job_id:
            return None
        listed = [str(name) for name in marker["files"]]
    except (ValueError, TypeError, KeyError):
        return None
    return [name for name in listed if name not in ("", ".", "..") and not set(name) & set("/\\")]
