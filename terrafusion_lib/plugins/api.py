"""What every plugin is: a pure engine with a name, parameters and permissions."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from terrafusion_lib.core.config import FrozenModel
from terrafusion_lib.core.errors import PluginError
from terrafusion_lib.core.progress import Progress, silent

if TYPE_CHECKING:
    import pyarrow as pa

PROP_FAIL_SIMULATION = "PROP_FAIL_SIMULATION"
"""A property id that makes a valuation fail on purpose, so that tests can see a failed job."""

SIMULATED_FAILURE = "simulated_processing_error"

Read = Callable[[str, Sequence[str] | None], "pa.Table"]

WriteFile = Callable[[Path], None]
"""Writes one file at the path given; companions that a format needs lie beside it."""


class PluginRunError(PluginError):
    """A run of a plugin failed for a reason that its job records.

    `reason_code` is short and stable for programs; the message is the sentence for people.
    """

    def __init__(self, what: str, *, reason_code: str = "processing_error", **place: Any) -> None:
        super().__init__(what, **place)
        self.reason_code = reason_code


@dataclass(frozen=True)
class PluginContext:
    """Where and for what a plugin runs.

    `read` gives the active rows of a canonical table of the county as an Arrow table, with the
    columns asked for (None: all); it is the plugin's only way to data. `threads` may be used; the
    result is the same for any number. `results` reads result tables of the run that the county's
    results come from; None where there is none. `crs` is the county's projected system;
    `permissions` are what the person may do in the county. `unfit_shapes` are the keys of parcel
    shapes that were found empty, invalid or unreadable; None where nobody has looked.
    """

    county_id: str
    assessment_year: int
    valuation_date: date
    run_id: str
    read: Read
    seed: int = 0
    progress: Progress = silent
    threads: int = 1
    results: Read | None = None
    crs: str = "EPSG:2927"
    permissions: Container[str] = frozenset()
    unfit_shapes: frozenset[str] | None = None


@dataclass(frozen=True)
class PluginResult:
    """Result tables by name (``core.result_tables``) and a summary for the run record.

    The summary is flat: words to numbers, text or None. `files` are written by whoever publishes,
    in the order given, into one empty folder.
    """

    tables: "dict[str, pa.Table]" = field(default_factory=dict)
    summary: dict[str, object] = field(default_factory=dict)
    files: dict[str, WriteFile] = field(default_factory=dict)


class Plugin(Protocol):
    """A plugin: ``plugins/<name>/plugin.py`` holds an instance named ``plugin``.

    `Params` is the single source for notebook parameters, command-line flags, the API schema and
    dashboard controls; `permissions` are what a user needs to run it.
    """

    name: str
    permissions: tuple[str, ...]
    Params: type[FrozenModel]

    def run(self, context: PluginContext, params: Any) -> PluginResult:
        """Compute the result; touches neither disk nor network except through `context`."""
        ...
