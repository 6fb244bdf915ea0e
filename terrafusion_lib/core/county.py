"""A county's configuration: ``county_configs/<county>/county.yaml``."""

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from terrafusion_lib.core.config import FrozenModel, did_you_mean, parse, read_yaml
from terrafusion_lib.core.errors import ConfigError
from terrafusion_lib.core.settings import Settings
from terrafusion_lib.core.states.load import GENERIC, load_state
from terrafusion_lib.core.states.profile import StateProfile

COUNTY_ID = re.compile(r"[a-z][a-z0-9_]*")


class SourceConfig(FrozenModel):
    """One source system: the connector's name and its options (validated by the connector)."""

    connector: str
    options: dict[str, Any] = Field(default_factory=dict)


class GateConfig(FrozenModel):
    """When a run stops before loading."""

    max_quarantined_share: float = Field(
        default=0.02, ge=0, le=1, description="Maximum share of a table's rows in quarantine"
    )
    min_rows: dict[str, int] = Field(
        default_factory=dict, description="Minimum accepted rows by canonical table"
    )


class RuleChange(FrozenModel):
    """What a county does with a shared rule: another limit, another severity, or off; and why.

    Any key of the rule may stand here, such as ``max`` or ``ranges``; its name and kind stay.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    reason: str = Field(min_length=10, description="Reason, one sentence for the run record")
    enabled: bool = True

    @property
    def keys(self) -> dict[str, Any]:
        """Keys of the rule that are replaced."""
        return dict(self.model_extra or {})

    @model_validator(mode="after")
    def _changes_something(self) -> "RuleChange":
        if self.enabled and not self.keys:
            raise ValueError("nothing is changed: set enabled: false or a key of the rule")
        if self.keys and not self.enabled:
            raise ValueError("a rule that is turned off takes no other key")
        return self


class ExpectationsConfig(FrozenModel):
    """Which suites hold in the county, and which of their rules it changes."""

    suites: tuple[str, ...] = Field(
        default=(), description="Suites in expectations/ to run; empty: all that apply"
    )
    rules: dict[str, dict[str, RuleChange]] = Field(
        default_factory=dict, description="Changes by canonical table and rule"
    )

    @model_validator(mode="before")
    @classmethod
    def _suites_alone(cls, data: Any) -> Any:
        return {"suites": data} if isinstance(data, list | tuple) else data


class GeometryConfig(FrozenModel):
    """How to treat invalid parcel shapes before the layer is published."""

    invalid: Literal["repair", "quarantine"] = "repair"
    max_repair_area_change: float = Field(
        default=0.01, ge=0, le=1, description="Maximum share by which a repair may change the area"
    )


class CountyConfig(FrozenModel):
    """What TerraFusion needs to know about a county.

    ``extends: <county>`` inherits every key except ``users`` from another county and overrides the
    keys given (mappings are merged, anything else is replaced). Relative paths are relative to the
    file that contains them.
    """

    county_id: str
    name: str
    state: str = Field(default=GENERIC, description="State profile, such as WA or generic_us")
    state_facts: dict[str, Any] = Field(
        default_factory=dict, description="Keys of the state profile that the county overrides"
    )
    fips: str = Field(default="", description="Five-digit FIPS code")
    timezone: str = "UTC"
    crs: str = Field(default="", description="Projected system for areas and distances")
    assessment_year: int = Field(ge=1900, le=2200)
    history_years: int = Field(default=5, ge=1, description="Years of values read, newest first")
    sources: dict[str, SourceConfig]
    mapping: Path
    users: Path | None = None
    expectations: ExpectationsConfig = ExpectationsConfig()
    gate: GateConfig = GateConfig()
    geometry: GeometryConfig = GeometryConfig()
    plugins: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Parameters by plugin that override its defaults"
    )
    folder: Path = Field(default=Path(), exclude=True, description="Set by load_county")

    @property
    def profile(self) -> StateProfile:
        """The state's profile, with what the county says of it.

        Raises
        ------
        ConfigError
            See `load_state`.
        """
        return load_state(self.state, self.state_facts)

    @field_validator("county_id")
    @classmethod
    def _check_id(cls, value: str) -> str:
        if not COUNTY_ID.fullmatch(value):
            raise ValueError("use lowercase letters, digits and _, such as benton_wa")
        return value


def list_counties(settings: Settings) -> list[str]:
    """Ids of all configured counties, sorted."""
    return sorted(path.parent.name for path in settings.county_configs_path.glob("*/county.yaml"))


def load_county(county_id: str, settings: Settings) -> CountyConfig:
    """Read a county's configuration.

    Raises
    ------
    ConfigError
        The county is unknown (the nearest name is suggested) or its file is not valid.
    """
    known = list_counties(settings)
    if county_id not in known:
        raise ConfigError(
            f"County {county_id!r} is not configured",
            examples=known,
            hint=did_you_mean(county_id, known)
            or f"add {settings.county_configs_path}/{county_id}/county.yaml",
        )
    folder = settings.county_configs_path / county_id
    data = _merged(folder, settings.county_configs_path, ())
    county = parse(CountyConfig, data | {"folder": folder}, where=str(folder / "county.yaml"))
    county.profile  # noqa: B018 - a state that is unknown is refused when the county is read
    if county.county_id != county_id:
        raise ConfigError(f"{folder}/county.yaml has county_id {county.county_id}, not {county_id}")
    return county


def _merged(folder: Path, configs: Path, seen: tuple[str, ...]) -> dict[str, Any]:
    path = folder / "county.yaml"
    data = read_yaml(path)
    for key in ("mapping", "users"):
        if isinstance(data.get(key), str):
            data[key] = folder / data[key]
    parent = data.pop("extends", None)
    if parent is None:
        return data
    if parent in seen or not (configs / str(parent) / "county.yaml").is_file():
        raise ConfigError(f"{path} extends {parent!r}, which is missing or extends itself")
    base = _merged(configs / str(parent), configs, (*seen, folder.name))
    base.pop("users", None)
    return _overlay(base, data)


def _overlay(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    """`top` merged over `base`; a source with a different connector is replaced entirely."""
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        replaced = isinstance(value, dict) and "connector" in value
        both = isinstance(value, dict) and isinstance(below, dict)
        merged[key] = _overlay(below, value) if both and not replaced else value  # type: ignore[arg-type]
    return merged
