"""The plugin interface: a plugin is one self-contained folder.

The plugin only declares and is quick to import; its engine is imported when it runs. The
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
"""Writes one file at the given path, with any companion files next to it."""


class PluginRunError(PluginError):
    """A run of a plugin failed for a reason that its job records.

    `reason_code` is short and stable, for programs; the message is for people.
    """

    def __init__(self, what: str, *, reason_code: str = "processing_error", **place: Any) -> None:
        super().__init__(what, **place)
        self.reason_code = reason_code


@dataclass(frozen=True)
class PluginContext:
    """The context in which a plugin runs.

    `read` returns the active rows of one of the county's canonical tables as an Arrow table, with
    the requested columns (None: all); it is the plugin's only access to data. `threads` may be
    used; results are the same for any number. `results` reads the result tables of the county's
    current results; None if there are none. `crs` is the county's projected system;
    `permissions` are those that the request needs and the user has. `unfit_shapes` are the keys of
    parcel shapes found empty, invalid or unreadable; None if not checked. In `folder` an action
    may keep its own files, such as a journal of trials; `product` has the files of the plugin's
    newest step, None before the first.
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
    crs: str = ""
    permissions: Container[str] = frozenset()
    unfit_shapes: frozenset[str] | None = None
    folder: Path = Path()
    product: Path | None = None


@dataclass(frozen=True)
class PluginResult:
    """Result tables by name, as the plugin declares them, and a summary for the run record.

    The summary is flat: names with numbers, text or None. The publisher writes `files`, in the
    given order, into an empty folder; they take about `estimated_bytes`. `describe` builds the
    metadata document published with them, from facts known only to the publisher.
    """

    tables: "dict[str, pa.Table]" = field(default_factory=dict)
    summary: dict[str, object] = field(default_factory=dict)
    files: dict[str, WriteFile] = field(default_factory=dict)
    estimated_bytes: int = 0
    describe: Callable[[Mapping[str, Any]], dict[str, Any]] = dict
    notes: tuple[str, ...] = ()
    """Notes for the user, one sentence each, such as what was left out."""
    job_values: dict[str, Any] = field(default_factory=dict)
    """Values of the plugin's own job columns known after it has run."""


@dataclass(frozen=True)
class StepSpec:
    """One step of the main job; its notebook is ``notebooks/<name>.ipynb``.

    Parameters
    ----------
    inputs : tuple of str
        Steps whose products it reads.
    entry : str
        Module with the step's function. The step's result depends on this module and everything it
        imports, at module level or inside functions.
    plugin : str
        Plugin that the step runs; the registry imports it by name, without an import statement.
    files : tuple of str
        Files and folders of the project, relative to its root, that the step reads.
    by_value : tuple of str
        Modules that provide a value which is itself part of the fingerprint; code changes that do
        not change the value do not count.
    early : tuple of str
        Slow modules that the step imports inside functions: its kernel imports them while earlier
        steps run.
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
    """Another plugin action, such as tuning or listing formats; it stores no results.

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
    """A plugin: ``plugins/<name>/plugin.py`` defines an instance named ``plugin``.

    Attributes
    ----------
    title : str
        What it does, in a few words.
    Params : type
        Single source for notebook parameters, command-line flags, the API schema and dashboard
        controls.
    permissions : tuple of str
        Permissions needed to run it; always includes ``<name>:run``.
    tables : tuple of TableSpec
        Result tables; keys start with ``run_id county_id``.
    facts : tuple of FactTable
        Facts for the analytics database.
    job_columns : tuple of Column
        Additional columns of its jobs, stored in ``<name>_jobs``.
    migrations : Path, optional
        Folder of Alembic versions for its tables; they have their own numbering, recorded in
        ``alembic_version_<name>``.
    steps : tuple of StepSpec
        Steps of the main job that run it.
    notebook : str
        Its notebook in ``notebooks/``, or an absolute path.
    command : str
        Noun and verb on the command line; empty: ``<name> run``.
    published_in : str
        Folder in the county's data for its published files; empty: no files.
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
        """Estimate the size of the result.

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
        """Values of its own job columns known at submission."""
        return {}
