"""What each step's result depends on, as one fingerprint per step.

Equal fingerprints mean equal results: the source's state, the mapping and other configuration,
the code, the notebook and the versions of the engines all enter, and every step's fingerprint
holds those of its inputs.
"""

import json
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import terrafusion_lib
from terrafusion_lib.core.county import CountyConfig
from terrafusion_lib.core.files import file_hash, fingerprint, tree_fingerprint
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.pipelines.steps import (
    CONNECT,
    LOAD,
    MAP,
    REPORT,
    SPECIALISE,
    STEPS,
    VALIDATE,
    VALUE,
)

PACKAGE = Path(terrafusion_lib.__file__).parent
ENGINES = (
    "chdb",
    "clickhouse-connect",
    "duckdb",
    "great-expectations",
    "lightgbm",
    "numpy",
    "pyarrow",
    "scikit-learn",
    "shapely",
    "sqlalchemy",
)


@dataclass(frozen=True)
class StepInputs:
    """The parts that a step's fingerprint was made of; `differs` explains a change."""

    fingerprint: str
    parts: dict[str, str] = field(default_factory=dict)

    def differs(self, other: dict[str, str]) -> list[str]:
        """Names of the parts that are not the same in `other`, sorted."""
        names = self.parts.keys() | other.keys()
        return sorted(name for name in names if self.parts.get(name) != other.get(name))


def engine_versions() -> dict[str, str]:
    """Installed versions of the engines that results depend on."""
    return {"terrafusion": terrafusion_lib.__version__} | {name: _version(name) for name in ENGINES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


@cache
def code_fingerprint(package: str) -> str:
    """Fingerprint of the source of one sub-package of terrafusion_lib."""
    return tree_fingerprint(PACKAGE / package)


def notebook_fingerprint(path: Path) -> str:
    """Fingerprint of a notebook's cells, outputs and metadata left out."""
    if not path.is_file():
        return "absent"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return fingerprint([(cell["cell_type"], "".join(cell["source"])) for cell in cells])


def step_inputs(
    county: CountyConfig, year: int, settings: Settings, *, source_state: str, seed: int
) -> dict[str, StepInputs]:
    """The fingerprint of every step, in running order.

    Parameters
    ----------
    source_state : str
        Fingerprint of the source tables' freshness (see `bulk_load_pipeline.source_state`).
    """
    config = {
        CONNECT: [county.sources, county.history_years],
        MAP: [county.crs, file_hash(county.mapping)],
        VALIDATE: [county.expectations, county.gate, county.state],
        LOAD: [settings.operational_database_url],
        SPECIALISE: [settings.geometry_url, settings.analytics_url, county.geometry],
        VALUE: [county.plugins.get("valuation", {}), seed],
        REPORT: [county.name, county.plugins.get("reporting", {})],
    }
    done: dict[str, StepInputs] = {}
    for spec in STEPS.values():
        parts = {f"code {package}": code_fingerprint(package) for package in spec.code}
        parts |= {f"files {name}": tree_fingerprint(settings.root / name) for name in spec.files}
        parts |= {f"step {name}": done[name].fingerprint for name in spec.inputs}
        parts["notebook"] = notebook_fingerprint(settings.root / "notebooks" / f"{spec.name}.ipynb")
        parts["configuration"] = fingerprint(_plain(config[spec.name]), county.county_id)
        parts["engine versions"] = fingerprint(engine_versions())
        parts["assessment year"] = str(year)
        if spec.name == CONNECT:
            parts["source data"] = source_state
            parts["extraction"] = file_hash(county.mapping)
        done[spec.name] = StepInputs(fingerprint(parts), parts)
    return done


def _plain(value: object) -> object:
    """Models as plain data, so that the fingerprint does not depend on their repr."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
