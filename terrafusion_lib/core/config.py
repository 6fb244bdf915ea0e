"""YAML into frozen pydantic models, with messages that a county's analyst can act on."""

import difflib
from collections.abc import Iterable
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from terrafusion_lib.core.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)


class FrozenModel(BaseModel):
    """Base of all configuration and parameter models: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def did_you_mean(name: str, known: Iterable[str], *, suffix: str = "") -> str | None:
    """A hint that suggests the known name closest to `name`; None without one."""
    close = nearest(name, known)
    return f"did you mean {close[0]}{suffix}?" if close else None


def nearest(name: str, known: Iterable[str], *, count: int = 1) -> list[str]:
    """The known names closest to `name` in spelling, best first (case ignored)."""
    by_fold = {item.casefold(): item for item in known}
    matches = difflib.get_close_matches(name.casefold(), list(by_fold), n=count, cutoff=0.5)
    return [by_fold[item] for item in matches]


SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""YAML loader; uses the C parser, ten times as fast, if installed."""


def read_yaml(path: Path, loader: Any = SafeLoader) -> dict[str, Any]:
    """The mapping in a YAML file.

    Parameters
    ----------
    loader : type
        `SafeLoader`, or one derived from it.

    Raises
    ------
    ConfigError
        The file is missing, is not UTF-8, is not YAML (the error gives line and column) or
        contains no mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{path} does not exist") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text", hint="save it as UTF-8") from error
    return parse_yaml(text, str(path), loader)


def parse_yaml(text: str, where: str, loader: Any = SafeLoader) -> dict[str, Any]:
    """The mapping in a YAML text; `where` opens the error message.

    Raises
    ------
    ConfigError
        It is not YAML (the error gives line and column) or contains no mapping.
    """
    try:
        data = yaml.load(text, loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "cannot be parsed"
        raise ConfigError(f"{where} is not valid YAML{place}: {problem}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{where} does not contain a mapping (key: value)")
    return data


def overlay(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    """`top` over `base`: mappings are merged, anything else is replaced."""
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        both = isinstance(value, dict) and isinstance(below, dict)
        merged[key] = overlay(below, value) if both else value  # type: ignore[arg-type]
    return merged


def parse(model: type[Model], data: object, *, where: str) -> Model:
    """Validate `data` as `model`; `where` (a path or option) opens the error message."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = [_explain(model, item) for item in error.errors()]
        raise ConfigError(f"{where} is not valid: " + "; ".join(lines)) from error


def load(model: type[Model], path: Path) -> Model:
    """Read and validate a YAML file."""
    return parse(model, read_yaml(path), where=str(path))


def _explain(model: type[BaseModel], item: Any) -> str:
    location = [str(part) for part in item["loc"]]
    path = ".".join(location) or "the whole"
    if item["type"] == "extra_forbidden":
        owner = _model_at(model, location[:-1])
        meant = did_you_mean(location[-1], owner.model_fields) if owner else None
        return "; ".join(filter(None, (f"unknown key {path}", meant)))
    return f"{path}: {item['msg'][:1].lower()}{item['msg'][1:]}"


def _model_at(model: Any, location: list[str]) -> type[BaseModel] | None:
    """The model that validates the mapping at `location`, if the annotations say so."""
    if get_origin(model) in (Union, UnionType):
        models = [_model_at(option, location) for option in get_args(model)]
        return next((found for found in models if found), None)
    if not location:
        return model if isinstance(model, type) and issubclass(model, BaseModel) else None
    if isinstance(model, type) and issubclass(model, BaseModel):
        field = model.model_fields.get(location[0])
        return _model_at(field.annotation, location[1:]) if field else None
    arguments = get_args(model)
    return _model_at(arguments[-1], location[1:]) if arguments else None
