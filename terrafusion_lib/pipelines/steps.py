"""The steps of the main job: their order, inputs, and what their result depends on."""

from dataclasses import dataclass

CONNECT = "10_connect"
MAP = "20_map"
VALIDATE = "30_validate"
LOAD = "40_load"
SPECIALISE = "50_specialise"
VALUE = "60_value"
REPORT = "70_report"


@dataclass(frozen=True)
class StepSpec:
    """One step; its notebook is ``notebooks/<name>.ipynb``.

    `code` lists the sub-packages of terrafusion_lib whose source the result depends on, `files`
    the project files (relative to the project root); both enter the step's fingerprint.
    """

    name: str
    title: str
    inputs: tuple[str, ...]
    code: tuple[str, ...]
    files: tuple[str, ...] = ()


STEPS: dict[str, StepSpec] = {
    spec.name: spec
    for spec in (
        StepSpec(CONNECT, "Read the source into the raw layer", (), ("core", "connectors")),
        StepSpec(MAP, "Map raw tables to canonical tables", (CONNECT,), ("core", "mappers")),
        StepSpec(
            VALIDATE,
            "Validate, quarantine and open the gate",
            (MAP,),
            ("core", "validation"),
            ("expectations",),
        ),
        StepSpec(LOAD, "Load the operational database", (VALIDATE,), ("core", "store")),
        StepSpec(
            SPECIALISE,
            "Bring parcels to the geometry store, facts to the analytics database",
            (LOAD,),
            ("core", "connectors", "pipelines"),
        ),
        StepSpec(VALUE, "Value every property", (LOAD,), ("core", "stats", "plugins")),
        StepSpec(REPORT, "Report values and the ratio study", (VALUE,), ("core", "stats", "ui")),
    )
}
