"""What every plugin is: one folder that brings all there is to it.

The plugin itself only declares, and is quick to import; its engine is imported when it runs. The
store, the command line, the main job and the permissions are built from what it declares.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from terrafusion_lib.analytics.fact_table import FactTable
from terrafusion_lib.core.config import FrozenModel
from terrafusion_lib.core.errors import PluginError
from terrafusion_lib.core.progress import Progress, silent
from terrafusion_lib.core.tables import Column, TableSpec

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
    `permissions` are those that the request needs and the person has. `unfit_shapes` are the keys
    of parcel shapes that were found empty, invalid or unreadable; None where nobody has looked.
    `folder` is where an action may keep files of its own, such as a journal of trials; `product`
    holds the files of the plugin's newest step, None before the first.
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
    folder: Path = Path()
    product: Path | None = None


@dataclass(frozen=True)
class PluginResult:
    """Result tables by name, as the plugin declares them, and a summary for the run record.

    The summary is flat: words to numbers, text or None. `files` are written by whoever publishes,
    in the order given, into one empty folder, and take about `estimated_bytes`. `describe` makes
    the document that is published beside them, from what only the publisher knows.
    """

    tables: "dict[str, pa.Table]" = field(default_factory=dict)
    summary: dict[str, object] = field(default_factory=dict)
    files: dict[str, WriteFile] = field(default_factory=dict)
    estimated_bytes: int = 0
    describe: Callable[[Mapping[str, Any]], dict[str, Any]] = dict
    notes: tuple[str, ...] = ()
    """What the person who asked should know, a sentence each, such as what was left out."""
    job_values: dict[str, Any] = field(default_factory=dict)
    """Values of the plugin's own job columns that are known when it has run."""


@dataclass(frozen=True)
class StepSpec:
    """One step of the main job; its notebook is ``notebooks/<name>.ipynb``.

    Parameters
    ----------
    inputs : tuple of str
        Steps whose products it reads.
    entry : str
        Module that holds the step's function. What the step's result depends on is this module
        and everything that it imports, at the top or within a function.
    plugin : str
        Plugin that the step runs; the registry imports it by name, no import statement shows it.
    files : tuple of str
        Files and folders of the project, relative to its root, that the step reads.
    by_value : tuple of str
        Modules that the step asks for a value which is itself a part of the fingerprint; a change
        of their code that leaves the value as it is changes nothing.
    early : tuple of str
        Modules that the step imports within functions and that take long to import: its kernel
        imports them while the steps before it run.
    """

    name: str
    title: str
    inputs: tuple[str, ...]
    entry: str = "terrafusion_lib.pipelines.plugin_step"
    plugin: str = ""
    files: tuple[str, ...] = ()
    by_value: tuple[str, ...] = ()
    early: tuple[str, ...] = ()


@dataclass(frozen=True)
class Action:
    """Something else that a plugin can do, such as tune or list its formats; it stores no result.

    `run` gets the county's context (None where the action `needs_county` is False) and the
    parameters, and returns rows to show: one mapping, or a sequence of them.
    """

    name: str
    title: str
    Params: type[FrozenModel]
    run: Callable[[Any, Any], "Rows"]
    permissions: tuple[str, ...] = ()
    needs_county: bool = True


Rows = Mapping[str, Any] | Sequence[Mapping[str, Any]]


class Plugin(ABC):
    """A plugin: ``plugins/<name>/plugin.py`` holds an instance named ``plugin``.

    Attributes
    ----------
    title : str
        What it does, in a few words.
    Params : type
        Single source for notebook parameters, command-line flags, the API schema and dashboard
        controls.
    permissions : tuple of str
        What a person needs to run it; ``<name>:run`` is always among them.
    tables : tuple of TableSpec
        Result tables; keys begin with ``run_id county_id``.
    facts : tuple of FactTable
        What of them goes to the analytics database.
    job_columns : tuple of Column
        Columns of its jobs beside those of every job, kept in ``<name>_jobs``.
    migrations : Path, optional
        Folder of Alembic versions that make its tables; they are numbered for themselves and
        noted in ``alembic_version_<name>``.
    steps : tuple of StepSpec
        Steps of the main job that run it.
    notebook : str
        Its notebook in ``notebooks/``, or an absolute path.
    command : str
        Noun and verb on the command line; ``<name> run`` when empty.
    published_in : str
        Folder of the county's data that its files are published in; empty: it has no files.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    Params: ClassVar[type[FrozenModel]]
    permissions: ClassVar[tuple[str, ...]]
    tables: ClassVar[tuple[TableSpec, ...]] = ()
    facts: ClassVar[tuple[FactTable, ...]] = ()
    job_columns: ClassVar[tuple[Column, ...]] = ()
    migrations: ClassVar[Path | None] = None
    steps: ClassVar[tuple[StepSpec, ...]] = ()
    actions: ClassVar[tuple[Action, ...]] = ()
    notebook: ClassVar[str] = ""
    command: ClassVar[str] = ""
    published_in: ClassVar[str] = ""

    def verb_of(self) -> tuple[str, str]:
        """Noun and verb of its command."""
        noun, _, verb = self.command.partition(" ")
        return noun or self.name.replace("_", "-"), verb or "run"

    @abstractmethod
    def run(self, context: PluginContext, params: Any) -> PluginResult:
        """Compute the result; touches neither disk nor network except through `context`."""

    def estimate(self, context: PluginContext, params: Any) -> dict[str, Any]:  # noqa: ARG002
        """How large the result would be, before it is made.

        Raises
        ------
        PluginError
            The plugin has no estimate.
        """
        raise PluginError(f"{self.name} has no estimate", county=context.county_id)

    def requires(self, params: Any) -> tuple[str, ...]:  # noqa: ARG002
        """Permissions that a run with these parameters needs."""
        return self.permissions

    def job_values(self, params: Any) -> dict[str, Any]:  # noqa: ARG002
        """Values of its own job columns that are known when the job is submitted."""
        return {}
