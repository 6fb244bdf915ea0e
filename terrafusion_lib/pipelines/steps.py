"""The steps of the main job: the platform's and those of plugins."""

from pathlib import Path

from terrafusion_lib.core.declared import declared_plugins, result_step
from terrafusion_lib.core.errors import PluginError
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.plugins.api import StepSpec
from terrafusion_lib.results.products import CONNECT, LOAD, MAP, REPORT, SPECIALIZE, VALIDATE

PIPELINES = __name__.rpartition(".")[0]
TABLES = ("pandas", "pyarrow.dataset")
"""Imported by pyarrow at its first conversion if pandas is installed."""
EXPECTATIONS = (
    "great_expectations.expectations",
    "great_expectations.render.renderer",
    "great_expectations.render.view",
)
NOT_OF_THE_RESULT = (
    "terrafusion_lib.access.decide",
    "terrafusion_lib.jobs.request",
    "terrafusion_lib.jobs.lease",
    "terrafusion_lib.jobs.publish",
    "terrafusion_lib.jobs.records",
)
"""Decides whether and how a plugin's step runs, but changes none of its figures."""


def steps() -> dict[str, StepSpec]:
    """Every step by name, in running order, given by the numbers that names start with.

    Raises
    ------
    PluginError
        Two steps have the same name, or a step needs one that does not come before it.
    """
    known = {spec.name: spec for spec in _platform()}
    for name, plugin in declared_plugins().items():
        for spec in plugin.steps:
            if spec.name in known:
                raise PluginError(f"Plugin {name} brings step {spec.name}, which already exists")
            known[spec.name] = spec
    ordered = dict(sorted(known.items()))
    for name, spec in ordered.items():
        late = [item for item in spec.inputs if item not in ordered or item >= name]
        if late:
            raise PluginError(f"Step {name} needs {late[0]}, which does not come before it")
    return ordered


def notebook_of(spec: StepSpec, settings: Settings) -> Path:
    """The notebook that runs a step: ``notebooks/<name>.ipynb``, or its plugin's notebook."""
    if spec.plugin:
        own = Path(declared_plugins()[spec.plugin].notebook)
        if own.is_absolute():
            return own
    return settings.root / "notebooks" / f"{spec.name}.ipynb"


def _platform() -> tuple[StepSpec, ...]:
    return (
        StepSpec(
            CONNECT,
            "Read the source into the raw layer",
            (),
            f"{PIPELINES}.connect_step",
            by_value=("terrafusion_lib.mappers.mapping",),
            early=TABLES,
        ),
        StepSpec(
            MAP,
            "Map raw tables to canonical tables",
            (CONNECT,),
            f"{PIPELINES}.map_step",
            early=(*TABLES, "pyproj", "shapely"),
        ),
        StepSpec(
            VALIDATE,
            "Validate, quarantine and check the gate",
            (MAP,),
            f"{PIPELINES}.validate_step",
            files=("expectations",),
            early=(*TABLES, *EXPECTATIONS),
        ),
        StepSpec(
            LOAD,
            "Load the operational database",
            (VALIDATE,),
            f"{PIPELINES}.load_step",
            early=TABLES,
        ),
        StepSpec(
            SPECIALIZE,
            "Write parcels to the geometry store and facts to the analytics database",
            (LOAD,),
            f"{PIPELINES}.etl_to_specialized_dbs",
            early=(*TABLES, "shapely"),
        ),
        StepSpec(
            REPORT,
            "Report values and the ratio study",
            (result_step("valuation"),),
            f"{PIPELINES}.report_step",
            early=TABLES,
        ),
    )
