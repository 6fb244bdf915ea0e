"""The mark that published files carry: whose they are, and which files are the job's own."""

import json
from collections.abc import Sequence

MARKER = ".terrafusion-export"
"""Name of the file. What lies beside it without being listed in it is never removed."""

METADATA = "metadata.json"
"""Name of the document. It is published last: a folder without it is no export."""


def marker_text(job_id: str, files: Sequence[str]) -> bytes:
    """The mark of an export and its files."""
    return json.dumps({"job_id": job_id, "files": sorted(files)}).encode()


def own_files(text: bytes | None, job_id: str) -> list[str] | None:
    """Files that the mark says are the export's own; None where it is no mark of that export.

    Only plain names count: a mark cannot lead out of its folder.
    """
    try:
        found = json.loads(text or b"")
        if found["job_id"] != job_id:
            return None
        listed = [str(name) for name in found["files"]]
    except (ValueError, TypeError, KeyError):
        return None
    return [name for name in listed if name not in ("", ".", "..") and not set(name) & set("/\\")]
