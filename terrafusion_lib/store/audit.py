"""The audit log: append-only, each entry sealed with the hash of the previous one."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from terrafusion_lib.store.models import audit_log


def append(
    connection: sa.Connection,
    *,
    at: datetime,
    username: str,
    action: str,
    county_id: str | None = None,
    detail: dict[str, Any] | None = None,
) -> int:
    """Add an entry and return its number. The database rejects updates and deletes."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE audit_log IN SHARE ROW EXCLUSIVE MODE")
    last = connection.execute(
        sa.select(audit_log.c.entry, audit_log.c.entry_hash).order_by(audit_log.c.entry.desc())
    ).first()
    entry, previous = (last.entry + 1, last.entry_hash) if last else (1, "")
    row = {
        "entry": entry,
        "at": at,
        "username": username,
        "action": action,
        "county_id": county_id,
        "detail_json": json.dumps(detail or {}, sort_keys=True, default=str),
        "previous_hash": previous,
    }
    connection.execute(audit_log.insert().values(row | {"entry_hash": _seal(row)}))
    return int(entry)


def broken_entries(connection: sa.Connection) -> list[int]:
    """Numbers of entries whose seal does not match their content or the previous entry."""
    previous, broken = "", []
    for row in connection.execute(sa.select(audit_log).order_by(audit_log.c.entry)).mappings():
        if row["previous_hash"] != previous or row["entry_hash"] != _seal(dict(row)):
            broken.append(int(row["entry"]))
        previous = row["entry_hash"]
    return broken


def _seal(row: dict[str, Any]) -> str:
    at = row["at"] if row["at"].tzinfo else row["at"].replace(tzinfo=UTC)
    moment = at.astimezone(UTC).isoformat(timespec="seconds")
    names = ("entry", "username", "action", "county_id", "detail_json", "previous_hash")
    text = json.dumps([moment, *(row[name] for name in names)])
    return hashlib.sha256(text.encode()).hexdigest()
