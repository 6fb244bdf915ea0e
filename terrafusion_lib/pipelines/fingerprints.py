"""One fingerprint per step, covering everything its result depends on.

Equal fingerprints mean equal results. A fingerprint covers the source's state, the configuration
that the step reads, the notebook, the code that the step imports, the versions of the libraries
used by this code, and the fingerprints of the step's inputs. It does not cover display and
planning (`ui`, `cli`, `runs`) or settings that change no figure, such as the number of threads.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from terrafusion_lib.connectors.registry import CONNECTORS
from terrafusion_lib.core.county import CountyConfig
from terrafusion_lib.core.files import file_hash, fingerprint, tree_fingerprint
from terrafusion_lib.core.raw import SourceTable
from terrafusion_lib.core.registry import PLUGINS
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.pipelines.code_closure import Closure, closure
from terrafusion_lib.pipelines.steps import NOT_OF_THE_RESULT, notebook_of, steps
from terrafusion_lib.plugins.api import StepSpec
from terrafusion_lib.results.products import CONNECT, LOAD, MAP, REPORT, SPECIALIZE, VALIDATE

CODE = "code "
"""Prefix of the parts that are fingerprints of code."""


@dataclass(frozen=True)
class StepInputs:
    """The parts of a step's fingerprint; `differs` explains a change."""

    fingerprint: str
    parts: dict[str, str] = field(default_factory=dict)

    def differs(self, other: dict[str, str]) -> list[str]:
        """Names of the parts that differ in `other`, sorted."""
        names = self.parts.keys() | other.keys()
        return sorted(name for name in names if self.parts.get(name) != other.get(name))


def step_closure(spec: StepSpec, county: CountyConfig) -> Closure:
    """Code of a step for a county, including modules that a registry imports by name: the step's
    plugin and, for reading the source, the county's own connectors.
    """
    entries = [spec.entry]
    if spec.plugin:
        entries.append(PLUGINS.source(spec.plugin).module)
    if spec.name == CONNECT:
        used, known = {source.connector for source in county.sources.values()}, CONNECTORS.sources()
        entries += [known[name].module for name in sorted(used & known.keys())]
    cut = (*spec.by_value, *(NOT_OF_THE_RESULT if spec.plugin else ()))
    return closure(entries, without=cut)


def code_fingerprint(parts: Mapping[str, Mapping[str, str]]) -> str:
    """Fingerprint of the code of several steps, from the parts of each."""
    return fingerprint(
        [
            (step, name, part[name])
            for step, part in parts.items()
            for name in sorted(part)
            if name.startswith(CODE)
        ]
    )


def notebook_fingerprint(path: Path) -> str:
    """Fingerprint of a notebook's cells, without outputs and metadata."""
    if not path.is_file():
        return "absent"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return fingerprint([(cell["cell_type"], "".join(cell["source"])) for cell in cells])


def step_inputs(
    county: CountyConfig,
    year: int,
    settings: Settings,
    *,
    source_tables: Mapping[str, SourceTable],
    source_state: str,
    seed: int,
) -> dict[str, StepInputs]:
    """The fingerprint of every step, in running order.

    Parameters
    ----------
    source_tables : mapping
        What the county's mapping reads from the source.
    source_state : str
        Fingerprint of the source tables' freshness.
    """
    config = {
        CONNECT: [county.sources, county.history_years, dict(source_tables)],
        MAP: [county.crs, file_hash(county.mapping)],
        VALIDATE: [county.expectations, county.gate, county.profile, county.crs],
        LOAD: [settings.operational_database_url],
        SPECIALIZE: [settings.geometry_url, settings.analytics_url, county.geometry],
        REPORT: [],
    }
    config |= {
        spec.name: [
            county.profile.plugins.get(spec.plugin, {}),
            county.plugins.get(spec.plugin, {}),
            seed,
        ]
        for spec in steps().values()
        if spec.plugin
    }
    fingerprints: dict[str, StepInputs] = {}
    for spec in steps().values():
        code = step_closure(spec, county)
        parts = {f"{CODE}{package}": digest for package, digest in code.code().items()}
        parts |= {f"{name} version": number for name, number in code.versions().items()}
        parts |= {f"files {name}": tree_fingerprint(settings.root / name) for name in spec.files}
        parts |= {f"step {name}": fingerprints[name].fingerprint for name in spec.inputs}
        parts["Python version"] = "{}.{}".format(*sys.version_info)
        parts["notebook"] = notebook_fingerprint(notebook_of(spec, settings))
        parts["configuration"] = fingerprint(_plain(config[spec.name]), county.county_id)
        parts["assessment year"] = str(year)
        if spec.name == CONNECT:
            parts["source data"] = source_state
        fingerprints[spec.name] = StepInputs(fingerprint(parts), parts)
    return fingerprints


def _plain(value: object) -> object:
    """Models as plain data, so that the fingerprint does not depend on their repr."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
