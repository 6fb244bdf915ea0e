"""Products of the main job's steps: their location and records. A product never changes; its
folder is named by its fingerprint.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from terrafusion_lib.core.files import file_hash
from terrafusion_lib.core.settings import Settings

CONNECT = "10_connect"
MAP = "20_map"
VALIDATE = "30_validate"
LOAD = "40_load"
SPECIALIZE = "50_specialize"
REPORT = "70_report"
RECORD = "step.json"
DEFAULT_SEED = 20_260_101


@dataclass(frozen=True)
class StepRecord:
    """Record of a finished step (``step.json`` in the product's folder)."""

    step: str
    fingerprint: str
    county_id: str
    assessment_year: int
    run_id: str
    started_at: str
    seconds: float
    parts: dict[str, str]
    rows: dict[str, dict[str, Any]]
    summary: dict[str, Any]
    outputs: dict[str, str]
    marks: dict[str, dict[str, str]] = field(default_factory=dict)


def product_folder(settings: Settings, county_id: str, step: str, fingerprint: str) -> Path:
    """Folder of a step's product: immutable, one per fingerprint."""
    return settings.county_data(county_id) / "steps" / step / fingerprint


def read_record(folder: Path) -> StepRecord | None:
    """The record of a finished step; None when there is none or it cannot be read."""
    try:
        return StepRecord(**json.loads((folder / RECORD).read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return None


def damaged(folder: Path, record: StepRecord) -> list[str]:
    """Outputs of a record that are missing or whose hash differs, sorted."""
    return sorted(
        name
        for name, digest in record.outputs.items()
        if not (folder / name).is_file() or file_hash(folder / name) != digest
    )


def records_of(settings: Settings, county_id: str, step: str) -> list[StepRecord]:
    """Records of all readable products of a step."""
    folder = settings.county_data(county_id) / "steps" / step
    records = [read_record(path) for path in folder.glob("[!.]*")] if folder.is_dir() else []
    return [record for record in records if record]


def latest_record(
    settings: Settings, county_id: str, step: str, year: str | None = None
) -> StepRecord | None:
    """The newest record of a step, optionally for one assessment year."""
    of_year = [
        record
        for record in records_of(settings, county_id, step)
        if year in (None, str(record.assessment_year))
    ]
    return max(of_year, key=lambda record: record.started_at, default=None)
