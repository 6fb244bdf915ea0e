"""A running step: its inputs, the location of its product, and its record."""

import json
import os
import shutil
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from terrafusion_lib.core.clock import Clock, utc_now
from terrafusion_lib.core.county import CountyConfig
from terrafusion_lib.core.errors import RunError
from terrafusion_lib.core.files import file_hash, write_json
from terrafusion_lib.core.progress import LineProgress, Progress
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.results.products import (
    DEFAULT_SEED,
    RECORD,
    StepRecord,
    product_folder,
    read_record,
)

EVENTS = "events.jsonl"


def staging_folder(settings: Settings, county_id: str, run_id: str) -> Path:
    """Folder for a run's plan, events and notebooks until it is promoted."""
    return settings.county_data(county_id) / "staging" / run_id


@dataclass
class Step:
    """A running step. Write products into `out`, then call `finish`."""

    name: str
    county: CountyConfig
    year: int
    run_id: str
    fingerprint: str
    parts: dict[str, str]
    input_fingerprints: dict[str, str]
    settings: Settings
    reuse_raw: bool = False
    seed: int = DEFAULT_SEED
    progress: Progress = field(default_factory=LineProgress)
    clock: Clock = utc_now
    started_at: datetime = field(default_factory=utc_now)
    _timer: float = field(default_factory=time.monotonic)

    @property
    def folder(self) -> Path:
        """Final location of the product."""
        return product_folder(self.settings, self.county.county_id, self.name, self.fingerprint)

    @property
    def out(self) -> Path:
        """Folder in which the product is built; `finish` renames it to `folder`."""
        return self.folder.with_name(f".{self.fingerprint}.{os.getpid()}.tmp")

    def input_folder(self, step: str) -> Path:
        """Product of an earlier step.

        Raises
        ------
        RunError
            That step has not finished with the fingerprint this one needs.
        """
        folder = product_folder(
            self.settings, self.county.county_id, step, self.input_fingerprints[step]
        )
        if not (folder / RECORD).is_file():
            raise RunError(
                f"{step} has not run with the current source, code and configuration",
                county=self.county.county_id,
                step=self.name,
                hint=f"terrafusion run {self.county.county_id}, or run notebooks/{step}.ipynb",
            )
        return folder

    def input_record(self, step: str) -> StepRecord:
        """Record of an earlier step."""
        record = read_record(self.input_folder(step))
        if record is None:
            raise RunError(f"The record of {step} cannot be read", step=self.name)
        return record

    def finish(
        self,
        rows: dict[str, dict[str, Any]],
        summary: dict[str, Any] | None = None,
        marks: dict[str, dict[str, str]] | None = None,
    ) -> StepRecord:
        """Hash the outputs, write the record and move the product into place, replacing an old one.

        Parameters
        ----------
        rows : dict
            Counts by table, such as ``{"sales": {"read": 10, "mapped": 9}}``.
        summary : dict, optional
            Headline figures, JSON-serializable.
        marks : dict, optional
            Content hashes of what the step wrote to a database, by table and year.
        """
        self.out.mkdir(parents=True, exist_ok=True)
        outputs = {
            path.relative_to(self.out).as_posix(): file_hash(path)
            for path in sorted(self.out.rglob("*"))
            if path.is_file()
        }
        record = StepRecord(
            step=self.name,
            fingerprint=self.fingerprint,
            county_id=self.county.county_id,
            assessment_year=self.year,
            run_id=self.run_id,
            started_at=self.started_at.isoformat(timespec="seconds"),
            seconds=round(time.monotonic() - self._timer, 3),
            parts=self.parts,
            rows=rows,
            summary=summary or {},
            outputs=outputs,
            marks=marks or {},
        )
        write_json(self.out / RECORD, asdict(record))
        if self.folder.exists():
            old = self.folder.with_name(f".{self.fingerprint}.old")
            shutil.rmtree(old, ignore_errors=True)
            self.folder.rename(old)
            self.out.rename(self.folder)
            shutil.rmtree(old)
        else:
            self.out.rename(self.folder)
        self.progress(self.name, 1, 1)
        return record


def run_progress(settings: Settings, county: str, run_id: str) -> Progress:
    """In a run, append to the run's event file; opened by hand, show lines below the cell."""
    folder = staging_folder(settings, county, run_id)
    return EventFile(folder / EVENTS) if folder.is_dir() else LineProgress()


@dataclass(frozen=True)
class EventFile:
    """Progress as JSON lines, for display by another process."""

    path: Path

    def __call__(self, task: str, done: int, total: int | None) -> None:
        line = json.dumps({"task": task, "done": done, "total": total})
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
