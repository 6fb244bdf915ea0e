"""The steps of the main job: their order, inputs, and where their code begins."""

from dataclasses import dataclass

from terrafusion_lib.pipelines.step import (
    CONNECT,
    LOAD,
    MAP,
    REPORT,
    SPECIALIZE,
    VALIDATE,
    VALUE,
)


@dataclass(frozen=True)
class StepSpec:
    """One step; its notebook is ``notebooks/<name>.ipynb``.

    Parameters
    ----------
    entry : str
        Module of `pipelines` that holds the step's function. What the step's result depends on is
        this module and everything that it imports, at the top or within a function.
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
    entry: str
    plugin: str = ""
    files: tuple[str, ...] = ()
    by_value: tuple[str, ...] = ()
    early: tuple[str, ...] = ()


TABLES = ("pandas", "pyarrow.dataset")
"""What pyarrow imports at its first conversion, wherever pandas is installed."""
EXPECTATIONS = (
    "great_expectations.expectations",
    "great_expectations.render.renderer",
    "great_expectations.render.view",
)

STEPS: dict[str, StepSpec] = {
    spec.name: spec
    for spec in (
        StepSpec(
            CONNECT,
            "Read the source into the raw layer",
            (),
            "connect_step",
            by_value=("terrafusion_lib.mappers.mapping",),
            early=TABLES,
        ),
        StepSpec(
            MAP,
            "Map raw tables to canonical tables",
            (CONNECT,),
            "map_step",
            early=(*TABLES, "pyproj", "shapely"),
        ),
        StepSpec(
            VALIDATE,
            "Validate, quarantine and open the gate",
            (MAP,),
            "validate_step",
            files=("expectations",),
            early=(*TABLES, *EXPECTATIONS),
        ),
        StepSpec(LOAD, "Load the operational database", (VALIDATE,), "load_step", early=TABLES),
        StepSpec(
            SPECIALIZE,
            "Bring parcels to the geometry store, facts to the analytics database",
            (LOAD,),
            "etl_to_specialized_dbs",
            early=(*TABLES, "shapely"),
        ),
        StepSpec(
            VALUE,
            "Value every property",
            (LOAD,),
            "value_pipeline",
            plugin="valuation",
            early=(*TABLES, "lightgbm", "scipy.stats", "statsmodels.api"),
        ),
        StepSpec(
            REPORT,
            "Report values and the ratio study",
            (VALUE,),
            "report_step",
            early=TABLES,
        ),
    )
}
